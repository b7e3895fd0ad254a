-- Times are Unix milliseconds. Ids are 64-bit. Keys are under the LMK; card numbers are enciphered under a data key
-- and found by a keyed hash. PIN blocks, CVV2 and track data are never stored.

CREATE TABLE keys (
    name       TEXT PRIMARY KEY,
    value      TEXT NOT NULL,
    kcv        TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE tenants (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

-- Who may log in. A user without a tenant is one of the platform's own.
CREATE TABLE users (
    id            INTEGER PRIMARY KEY,
    tenant_id     BIGINT REFERENCES tenants (id),
    identity      TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    -- Comma lists: global roles, and positions held in the tenant.
    roles         TEXT NOT NULL,
    positions     TEXT NOT NULL,
    failed_logins BIGINT NOT NULL DEFAULT 0,
    locked_until  BIGINT NOT NULL DEFAULT 0,
    created_at    BIGINT NOT NULL
);

CREATE TABLE customers (
    id         INTEGER PRIMARY KEY,
    tenant_id  BIGINT NOT NULL REFERENCES tenants (id),
    first_name TEXT NOT NULL,
    last_name  TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Accounts of the ledger: one numbering for wallets, merchants and the platform's own.
CREATE TABLE accounts (
    id         INTEGER PRIMARY KEY,
    tenant_id  BIGINT NOT NULL REFERENCES tenants (id),
    kind       TEXT NOT NULL CHECK (kind IN ('WALLET', 'MERCHANT', 'SYSTEM')),
    name       TEXT NOT NULL,
    currency   BIGINT NOT NULL,
    UNIQUE (tenant_id, kind, name)
);

CREATE TABLE wallet_types (
    id                BIGINT NOT NULL,
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    name              TEXT NOT NULL,
    mode              TEXT NOT NULL,
    currency          BIGINT NOT NULL,
    -- Life of a pre-authorization, and how far a completion may exceed it, in basis points.
    hold_life_s       BIGINT NOT NULL,
    tolerance_bp      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE wallets (
    id                 INTEGER PRIMARY KEY,
    tenant_id          BIGINT NOT NULL REFERENCES tenants (id),
    customer_id        BIGINT REFERENCES customers (id),
    wallet_type_id     BIGINT NOT NULL,
    account            BIGINT NOT NULL UNIQUE REFERENCES accounts (id),
    name               TEXT NOT NULL,
    description        TEXT NOT NULL,
    status             TEXT NOT NULL,
    friendly_id        TEXT NOT NULL UNIQUE,
    external_unique_id TEXT NOT NULL UNIQUE,
    version            BIGINT NOT NULL DEFAULT 0,
    created_at         BIGINT NOT NULL,
    FOREIGN KEY (tenant_id, wallet_type_id) REFERENCES wallet_types (tenant_id, id)
);

CREATE TABLE cards (
    id            INTEGER PRIMARY KEY,
    tenant_id     BIGINT NOT NULL REFERENCES tenants (id),
    wallet_id     BIGINT NOT NULL REFERENCES wallets (id),
    pan_hash      BLOB NOT NULL UNIQUE,
    pan_cipher    BLOB NOT NULL,
    -- YYMM
    expiry        TEXT NOT NULL,
    status        TEXT NOT NULL,
    holder_name   TEXT NOT NULL,
    service_code  TEXT NOT NULL,
    -- PIN verification: key under the LMK, its indicator, the value; no value while the card has no PIN.
    pvk           TEXT NOT NULL,
    pvki          BIGINT NOT NULL,
    pvv           TEXT,
    pin_tries_max BIGINT NOT NULL,
    version       BIGINT NOT NULL DEFAULT 0,
    created_at    BIGINT NOT NULL
);

CREATE INDEX cards_of_wallet ON cards (wallet_id);

CREATE TABLE terminals (
    id               INTEGER PRIMARY KEY,
    tenant_id        BIGINT NOT NULL REFERENCES tenants (id),
    -- DE 41 and DE 42, without trailing spaces: unique together on the platform.
    terminal_id      TEXT NOT NULL,
    merchant_id      TEXT NOT NULL,
    active           BOOLEAN NOT NULL,
    key_scheme       TEXT NOT NULL,
    tmk              TEXT NOT NULL,
    tmk_kcv          TEXT NOT NULL,
    mac_required     BOOLEAN NOT NULL,
    merchant_account BIGINT NOT NULL REFERENCES accounts (id),
    version          BIGINT NOT NULL DEFAULT 0,
    created_at       BIGINT NOT NULL,
    UNIQUE (terminal_id, merchant_id)
);

-- Session keys under the LMK: the pair in use, one waiting for its first use, one that still serves for a while.
CREATE TABLE terminal_sessions (
    terminal       BIGINT PRIMARY KEY REFERENCES terminals (id),
    current_tpk    TEXT,
    current_tak    TEXT,
    pending_tpk    TEXT,
    pending_tak    TEXT,
    previous_tpk   TEXT,
    previous_tak   TEXT,
    previous_until BIGINT
);

-- What the switch's directory must look at again, numbered in commit order.
CREATE TABLE directory_changes (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT NOT NULL CHECK (kind IN ('CARD', 'TERMINAL')),
    row_id   BIGINT NOT NULL
);

-- Who changed what over REST, from where; the row before and after.
CREATE TABLE audit (
    id        INTEGER PRIMARY KEY,
    at        BIGINT NOT NULL,
    tenant_id BIGINT,
    actor     TEXT NOT NULL,
    address   TEXT NOT NULL,
    operation TEXT NOT NULL,
    target    TEXT NOT NULL,
    before    TEXT NOT NULL,
    after     TEXT NOT NULL,
    trace_id  TEXT NOT NULL
);

-- The projection of the journal: what moved on which account, exactly once. `projection` holds the last sequence in
-- it and changes in the same SQL transaction.
CREATE TABLE projection (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq BIGINT NOT NULL
);
INSERT INTO projection (one, seq) VALUES (1, 0);

CREATE TABLE account_balances (
    account BIGINT PRIMARY KEY,
    balance BIGINT NOT NULL,
    -- Pending credits less pending debits.
    pending BIGINT NOT NULL
);

CREATE TABLE account_movements (
    account BIGINT NOT NULL,
    seq     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    amount  BIGINT NOT NULL,
    balance BIGINT NOT NULL,
    -- The event's record as the ledger carries it: JSON, nothing secret.
    record  TEXT NOT NULL,
    PRIMARY KEY (account, seq)
);

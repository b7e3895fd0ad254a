-- For both engines: `{id}` and `{bytes}` stand for what they spell differently (see `schema.rs`).
--
-- Times are Unix milliseconds. Ids are 64-bit and never used again. Keys are under the LMK; card numbers are enciphered
-- under a data key and found by a keyed hash. PIN blocks, CVV2 and track data are never stored. `profile` and
-- `configuration` columns hold JSON as the API shows it: descriptive fields that no rule of the platform looks into.

CREATE TABLE keys (
    name       TEXT PRIMARY KEY,
    value      TEXT NOT NULL,
    kcv        TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Accountable institutions: they stand between the platform and its tenants.
CREATE TABLE institutions (
    id         {id},
    code       TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE tenants (
    id             {id},
    institution_id BIGINT REFERENCES institutions (id),
    name           TEXT NOT NULL UNIQUE,
    profile        TEXT NOT NULL DEFAULT '{}',
    version        BIGINT NOT NULL DEFAULT 0,
    created_at     BIGINT NOT NULL,
    modified_at    BIGINT NOT NULL
);

-- Who may log in. A user without a tenant is of an institution, or of the platform itself.
CREATE TABLE users (
    id             {id},
    tenant_id      BIGINT REFERENCES tenants (id),
    institution_id BIGINT REFERENCES institutions (id),
    identity       TEXT NOT NULL UNIQUE,
    -- Empty: this user cannot log in with a password.
    password_hash  TEXT NOT NULL,
    -- Comma lists: global roles, and positions held in the tenant.
    roles          TEXT NOT NULL,
    positions      TEXT NOT NULL,
    profile        TEXT NOT NULL DEFAULT '{}',
    status         TEXT NOT NULL DEFAULT 'ACTIVE',
    failed_logins  BIGINT NOT NULL DEFAULT 0,
    locked_until   BIGINT NOT NULL DEFAULT 0,
    version        BIGINT NOT NULL DEFAULT 0,
    created_at     BIGINT NOT NULL,
    modified_at    BIGINT NOT NULL
);

-- Log-ins whose tokens are accepted.
CREATE TABLE sessions (
    id         TEXT PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);

CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- Settings: of a tenant, of an institution, of the platform. `owner` is GLOBAL, INSTITUTION:<id> or TENANT:<id>.
CREATE TABLE config_items (
    id          {id},
    owner       TEXT NOT NULL,
    tenant_id   BIGINT REFERENCES tenants (id),
    key         TEXT NOT NULL,
    -- Enciphered under a data key where `secret`.
    value       TEXT NOT NULL,
    secret      BOOLEAN NOT NULL,
    description TEXT NOT NULL,
    version     BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    UNIQUE (owner, key)
);

CREATE INDEX config_items_of_tenant ON config_items (tenant_id);

CREATE TABLE customers (
    id                 {id},
    tenant_id          BIGINT NOT NULL REFERENCES tenants (id),
    external_unique_id TEXT NOT NULL UNIQUE,
    status             TEXT NOT NULL,
    -- Digits with country code; for look-up.
    phone              TEXT,
    national_identity  TEXT,
    profile            TEXT NOT NULL,
    version            BIGINT NOT NULL DEFAULT 0,
    created_at         BIGINT NOT NULL,
    modified_at        BIGINT NOT NULL
);

CREATE INDEX customers_of_tenant ON customers (tenant_id, id);

-- Accounts of the ledger: one numbering for wallets, merchants and the platform's own.
CREATE TABLE accounts (
    id         {id},
    tenant_id  BIGINT NOT NULL REFERENCES tenants (id),
    kind       TEXT NOT NULL CHECK (kind IN ('WALLET', 'MERCHANT', 'SYSTEM')),
    name       TEXT NOT NULL,
    currency   BIGINT NOT NULL,
    -- Whether the ledger lets it go below zero without limit.
    unlimited  BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (tenant_id, kind, name)
);

CREATE TABLE wallet_types (
    id            {id},
    tenant_id     BIGINT NOT NULL REFERENCES tenants (id),
    name          TEXT NOT NULL,
    mode          TEXT NOT NULL,
    configuration TEXT NOT NULL DEFAULT '[]',
    currency      BIGINT NOT NULL,
    -- Life of a pre-authorization, and how far a completion may exceed it, in basis points.
    hold_life_s   BIGINT NOT NULL,
    tolerance_bp  BIGINT NOT NULL,
    -- Removed types keep their row: permission keys count a tenant's types from the first one ever made.
    removed       BOOLEAN NOT NULL DEFAULT FALSE,
    version       BIGINT NOT NULL DEFAULT 0,
    created_at    BIGINT NOT NULL,
    modified_at   BIGINT NOT NULL,
    UNIQUE (tenant_id, name)
);

CREATE TABLE wallets (
    id                 {id},
    tenant_id          BIGINT NOT NULL REFERENCES tenants (id),
    -- The owner; the tenant itself where there is none.
    customer_id        BIGINT REFERENCES customers (id),
    wallet_type_id     BIGINT NOT NULL REFERENCES wallet_types (id),
    account            BIGINT NOT NULL UNIQUE REFERENCES accounts (id),
    name               TEXT NOT NULL,
    description        TEXT NOT NULL,
    status             TEXT NOT NULL,
    friendly_id        TEXT NOT NULL UNIQUE,
    external_unique_id TEXT NOT NULL UNIQUE,
    configuration      TEXT NOT NULL DEFAULT '[]',
    version            BIGINT NOT NULL DEFAULT 0,
    created_at         BIGINT NOT NULL,
    modified_at        BIGINT NOT NULL
);

CREATE INDEX wallets_of_tenant ON wallets (tenant_id, id);
CREATE INDEX wallets_of_customer ON wallets (customer_id);

CREATE TABLE cards (
    id                 {id},
    tenant_id          BIGINT NOT NULL REFERENCES tenants (id),
    wallet_id          BIGINT NOT NULL REFERENCES wallets (id),
    external_unique_id TEXT UNIQUE,
    pan_hash           {bytes} NOT NULL UNIQUE,
    pan_cipher         {bytes} NOT NULL,
    -- YYMM
    expiry             TEXT NOT NULL,
    status             TEXT NOT NULL,
    holder_name        TEXT NOT NULL,
    service_code       TEXT NOT NULL,
    profile            TEXT NOT NULL DEFAULT '{}',
    -- PIN verification: key under the LMK, its indicator, the value; no value while the card has no PIN.
    pvk                TEXT NOT NULL,
    pvki               BIGINT NOT NULL,
    pvv                TEXT,
    pin_tries_max      BIGINT NOT NULL,
    version            BIGINT NOT NULL DEFAULT 0,
    created_at         BIGINT NOT NULL,
    modified_at        BIGINT NOT NULL
);

CREATE INDEX cards_of_wallet ON cards (wallet_id);
CREATE INDEX cards_of_tenant ON cards (tenant_id, id);

CREATE TABLE terminal_types (
    id          {id},
    tenant_id   BIGINT NOT NULL REFERENCES tenants (id),
    name        TEXT NOT NULL,
    profile     TEXT NOT NULL DEFAULT '{}',
    version     BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    UNIQUE (tenant_id, name)
);

CREATE TABLE terminals (
    id               {id},
    tenant_id        BIGINT NOT NULL REFERENCES tenants (id),
    terminal_type_id BIGINT REFERENCES terminal_types (id),
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
    modified_at      BIGINT NOT NULL,
    UNIQUE (terminal_id, merchant_id)
);

CREATE INDEX terminals_of_tenant ON terminals (tenant_id, id);

-- Session keys under the LMK: the pair in use, one waiting for its first use, one that still serves for a while. They
-- count as long as the terminal has the master key that they were exchanged under.
CREATE TABLE terminal_sessions (
    terminal       BIGINT PRIMARY KEY REFERENCES terminals (id) ON DELETE CASCADE,
    tmk            TEXT NOT NULL,
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
    position {id},
    kind     TEXT NOT NULL CHECK (kind IN ('CARD', 'TERMINAL')),
    row_id   BIGINT NOT NULL
);

-- Who changed what over REST, from where; the row before and after.
CREATE TABLE audit (
    id        {id},
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

-- Answers that are given again when a request comes again under its Idempotency-Key. Kept for a day.
CREATE TABLE idempotency_keys (
    actor      TEXT NOT NULL,
    key        TEXT NOT NULL,
    -- SHA-256 over method, path and body.
    request    TEXT NOT NULL,
    answer     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (actor, key)
);

CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);

-- Money moved over REST: written as an intent, then the ledger's event, then its result.
CREATE TABLE money_operations (
    id                 {id},
    tenant_id          BIGINT NOT NULL REFERENCES tenants (id),
    kind               TEXT NOT NULL CHECK (kind IN ('TRANSFER', 'RESERVATION', 'RELEASE', 'REVERSAL')),
    -- INTENT, then DONE or REFUSED by the ledger; ABANDONED where a crash came before the event.
    state              TEXT NOT NULL CHECK (state IN ('INTENT', 'DONE', 'REFUSED', 'ABANDONED')),
    external_unique_id TEXT UNIQUE,
    event_id           TEXT NOT NULL UNIQUE,
    from_wallet        BIGINT REFERENCES wallets (id),
    to_wallet          BIGINT REFERENCES wallets (id),
    -- Minor units
    amount             BIGINT NOT NULL,
    -- As the API shows it.
    request            TEXT NOT NULL,
    -- The operation that this one takes back.
    reverses           BIGINT UNIQUE REFERENCES money_operations (id),
    -- The ledger's outcome: its number, sequence and time.
    outcome            BIGINT,
    seq                BIGINT,
    expires_at         BIGINT,
    -- Whose request it was; the answer is given again under the same Idempotency-Key.
    actor              TEXT NOT NULL,
    idempotency_key    TEXT,
    request_hash       TEXT NOT NULL,
    audit_id           BIGINT NOT NULL REFERENCES audit (id),
    created_at         BIGINT NOT NULL,
    finished_at        BIGINT,
    UNIQUE (actor, idempotency_key)
);

CREATE INDEX money_operations_open ON money_operations (state, id);
CREATE INDEX money_operations_from ON money_operations (from_wallet, id);

-- The projection of the journal: what moved on which account, exactly once. `projection` holds the last sequence in
-- it and changes in the same SQL transaction.
CREATE TABLE projection (
    one BIGINT PRIMARY KEY CHECK (one = 1),
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

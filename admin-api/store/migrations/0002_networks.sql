-- Card networks, and one table for the session keys of whoever has some.

CREATE TABLE networks (
    id          {id},
    tenant_id   BIGINT NOT NULL REFERENCES tenants (id),
    -- DE 33 of what it sends, and DE 32 of what is sent to it: unique, and ours.
    institution TEXT NOT NULL UNIQUE,
    acquirer_id TEXT NOT NULL,
    active      BOOLEAN NOT NULL,
    key_scheme  TEXT NOT NULL,
    zmk         TEXT NOT NULL,
    zmk_kcv     TEXT NOT NULL,
    account     BIGINT NOT NULL REFERENCES accounts (id),
    version     BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    modified_at BIGINT NOT NULL
);

-- Pairs of a PIN key and a MAC key under the LMK, which count as long as their holder has the master key that they were
-- exchanged under.
CREATE TABLE key_sessions (
    kind           TEXT NOT NULL CHECK (kind IN ('TERMINAL', 'NETWORK')),
    holder         BIGINT NOT NULL,
    master_key     TEXT NOT NULL,
    current_pin    TEXT,
    current_mac    TEXT,
    pending_pin    TEXT,
    pending_mac    TEXT,
    previous_pin   TEXT,
    previous_mac   TEXT,
    previous_until BIGINT,
    PRIMARY KEY (kind, holder)
);

INSERT INTO key_sessions (kind, holder, master_key, current_pin, current_mac, pending_pin, pending_mac, previous_pin,
                          previous_mac, previous_until)
SELECT 'TERMINAL', terminal, tmk, current_tpk, current_tak, pending_tpk, pending_tak, previous_tpk, previous_tak,
       previous_until
FROM terminal_sessions;

DROP TABLE terminal_sessions;

-- Networks are noted too. Every start loads the directory whole, so what was noted before is not needed.
DROP TABLE directory_changes;

CREATE TABLE directory_changes (
    position {id},
    kind     TEXT NOT NULL CHECK (kind IN ('CARD', 'TERMINAL', 'NETWORK')),
    row_id   BIGINT NOT NULL
);

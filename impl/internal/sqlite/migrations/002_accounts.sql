-- +goose Up

ALTER TABLE customers ADD COLUMN language TEXT; -- BCP 47; NULL: not told
-- What the customer changed since creation: a JSON object of names of fields and
-- times. A field that is not in it stands as whoever created the customer said.
ALTER TABLE customers ADD COLUMN changed_fields TEXT NOT NULL DEFAULT '{}';

CREATE TABLE credentials (
    customer_id     INTEGER PRIMARY KEY REFERENCES customers (id),
    password_hash   TEXT    NOT NULL, -- argon2id, as a PHC string
    password_set_at INTEGER NOT NULL,
    totp_secret     BLOB,    -- encrypted; NULL: no second factor
    totp_since      INTEGER, -- NULL: none, or not confirmed yet
    totp_last_step  INTEGER NOT NULL DEFAULT 0 -- the last time step used (RFC 6238)
) STRICT;

CREATE TABLE recovery_codes (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    hash        BLOB    NOT NULL, -- SHA-256; the row goes when the code is used
    PRIMARY KEY (customer_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id          TEXT    NOT NULL PRIMARY KEY, -- names it to its customer; no secret
    hash        BLOB    NOT NULL UNIQUE, -- SHA-256 of the token in the cookie
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    created_at  INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL, -- whatever happens
    ip          TEXT    NOT NULL,
    user_agent  TEXT    NOT NULL
) STRICT;

CREATE INDEX sessions_customer ON sessions (customer_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Links in e-mails. The e-mail holds no token until it is written: the token is
-- derived from the id by the key that key_id names.
CREATE TABLE links (
    id          TEXT    NOT NULL PRIMARY KEY REFERENCES outbox (id), -- of the e-mail
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    kind        TEXT    NOT NULL,
    hash        BLOB    NOT NULL UNIQUE, -- SHA-256 of the token
    key_id      INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    used_at     INTEGER
) STRICT;

CREATE INDEX links_customer ON links (customer_id, kind, created_at);

-- Sign-ups and recoveries as they came. They are answered when they are stored,
-- before anyone looks whether the address is known, and so alike.
CREATE TABLE requests (
    id         TEXT    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    email      TEXT    NOT NULL,
    email_key  TEXT    NOT NULL,
    first_name TEXT,
    last_name  TEXT,
    language   TEXT,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX requests_created ON requests (created_at);

ALTER TABLE outbox ADD COLUMN failed_at INTEGER; -- given up: not tried again by itself

CREATE TABLE outbox_attempts (
    message_id TEXT    NOT NULL REFERENCES outbox (id),
    attempt    INTEGER NOT NULL, -- from 1
    started_at INTEGER NOT NULL,
    ended_at   INTEGER, -- NULL: under way, or its worker died
    error      TEXT,    -- NULL: sent, if it ended
    PRIMARY KEY (message_id, attempt)
) STRICT, WITHOUT ROWID;

-- Keys of the keyset that data in this database depends on.
CREATE TABLE keyset_keys (
    id         INTEGER PRIMARY KEY,
    first_seen INTEGER NOT NULL
) STRICT;

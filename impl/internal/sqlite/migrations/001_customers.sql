-- +goose Up

-- Times are microseconds since 1970-01-01T00:00:00Z, flags are 0 or 1.

CREATE TABLE partners (
    id         INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    partner_id INTEGER NOT NULL REFERENCES partners (id),
    hash       BLOB    NOT NULL UNIQUE, -- SHA-256 of the key
    last4      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE INDEX api_keys_partner ON api_keys (partner_id);

CREATE TABLE customers (
    id                        INTEGER PRIMARY KEY AUTOINCREMENT,
    partner_id                INTEGER REFERENCES partners (id), -- NULL: signed up alone
    email                     TEXT    NOT NULL, -- as given
    email_key                 TEXT    NOT NULL UNIQUE, -- what equal addresses have in common
    username                  TEXT    NOT NULL,
    first_name                TEXT,
    middle_name               TEXT,
    last_name                 TEXT,
    company_name              TEXT,
    gender                    TEXT,
    date_of_birth             TEXT,
    status                    INTEGER NOT NULL,
    customer_group            INTEGER NOT NULL,
    subscribed_to_news_letter INTEGER NOT NULL,
    email_verified            INTEGER NOT NULL,
    phone                     TEXT,
    phone_verified            INTEGER NOT NULL,
    is_company                INTEGER NOT NULL,
    notes                     TEXT,
    address_line1             TEXT, -- NULL: no address
    address_line2             TEXT,
    address_city              TEXT,
    address_state             TEXT,
    address_country           TEXT,
    address_post_code         TEXT,
    last_login_at             INTEGER,
    last_login_ip             TEXT,
    last_login_host           TEXT,
    created_at                INTEGER NOT NULL,
    updated_at                INTEGER NOT NULL,
    deleted_at                INTEGER,
    reason_for_deletion       TEXT
) STRICT;

CREATE TABLE idempotency_keys (
    partner_id  INTEGER NOT NULL REFERENCES partners (id),
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL, -- of the request
    customer    TEXT    NOT NULL, -- as created, in JSON: the answer to a repetition
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (partner_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

CREATE TABLE outbox (
    id           TEXT    NOT NULL PRIMARY KEY, -- of the Message-ID
    customer_id  INTEGER NOT NULL REFERENCES customers (id),
    kind         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    due_at       INTEGER, -- when to try next, or when a lease ends; NULL: sent
    attempts     INTEGER NOT NULL,
    last_error   TEXT,
    sent_at      INTEGER
) STRICT;

CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_customer ON outbox (customer_id);

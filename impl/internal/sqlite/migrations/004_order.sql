-- +goose Up

-- Every customer adds a row to each of these tables. Rows are now kept in the
-- order in which they are added, in one tree instead of two or three. The index
-- of hashes is gone: each of its rows was on a page of its own, so that it cost
-- more the more customers there were. Tokens have the id of their e-mail instead;
-- for those that were sent before, the index is kept.

CREATE TABLE links_next (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    kind        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    id          TEXT    NOT NULL, -- of the e-mail, in outbox
    hash        BLOB    NOT NULL, -- SHA-256 of the token
    key_id      INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    used_at     INTEGER,
    without_id  INTEGER NOT NULL DEFAULT 0, -- 1: the token has no id
    PRIMARY KEY (customer_id, kind, created_at, id)
) STRICT, WITHOUT ROWID;

INSERT INTO links_next (customer_id, kind, created_at, id, hash, key_id, expires_at, used_at, without_id)
SELECT customer_id, kind, created_at, id, hash, key_id, expires_at, used_at, 1 FROM links;

DROP TABLE links;
ALTER TABLE links_next RENAME TO links;
CREATE UNIQUE INDEX links_without_id ON links (hash) WHERE without_id = 1;

CREATE TABLE outbox_next (
    id           TEXT    NOT NULL PRIMARY KEY, -- of the Message-ID
    customer_id  INTEGER NOT NULL REFERENCES customers (id),
    kind         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    due_at       INTEGER, -- when to try next, or when a lease ends; NULL: sent, or given up
    attempts     INTEGER NOT NULL,
    last_error   TEXT,
    sent_at      INTEGER,
    failed_at    INTEGER -- given up: not tried again by itself
) STRICT, WITHOUT ROWID;

INSERT INTO outbox_next (id, customer_id, kind, created_at, due_at, attempts, last_error, sent_at, failed_at)
SELECT id, customer_id, kind, created_at, due_at, attempts, last_error, sent_at, failed_at FROM outbox;

CREATE TABLE outbox_attempts_next (
    message_id TEXT    NOT NULL REFERENCES outbox_next (id),
    attempt    INTEGER NOT NULL, -- from 1
    started_at INTEGER NOT NULL,
    ended_at   INTEGER, -- NULL: under way, or its worker died
    error      TEXT,    -- NULL: sent, if it ended
    PRIMARY KEY (message_id, attempt)
) STRICT, WITHOUT ROWID;

INSERT INTO outbox_attempts_next SELECT message_id, attempt, started_at, ended_at, error FROM outbox_attempts;

DROP TABLE outbox_attempts;
DROP TABLE outbox;
ALTER TABLE outbox_next RENAME TO outbox;
ALTER TABLE outbox_attempts_next RENAME TO outbox_attempts;
CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_customer ON outbox (customer_id);

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
    sent_at     INTEGER, -- of the e-mail, as in outbox
    failed_at   INTEGER, -- of the e-mail, as in outbox
    without_id  INTEGER NOT NULL DEFAULT 0, -- 1: the token has no id
    PRIMARY KEY (customer_id, kind, created_at, id)
) STRICT, WITHOUT ROWID;

INSERT INTO links_next (customer_id, kind, created_at, id, hash, key_id, expires_at, used_at, sent_at, failed_at, without_id)
SELECT l.customer_id, l.kind, l.created_at, l.id, l.hash, l.key_id, l.expires_at, l.used_at, o.sent_at, o.failed_at, 1
FROM links l JOIN outbox o ON o.id = l.id;

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

-- Sign-ups that nobody has confirmed are looked for among all customers.
CREATE INDEX customers_unconfirmed ON customers (created_at) WHERE customer_group = 1 AND email_verified = 0;

-- What reading a customer would otherwise have to look up in two more tables.

-- +goose StatementBegin
CREATE TRIGGER outbox_outcome AFTER UPDATE OF sent_at, failed_at ON outbox BEGIN
    UPDATE links SET sent_at = NEW.sent_at, failed_at = NEW.failed_at WHERE customer_id = NEW.customer_id AND id = NEW.id;
END;
-- +goose StatementEnd

ALTER TABLE customers ADD COLUMN methods INTEGER NOT NULL DEFAULT 0; -- how many rows of disbursement_methods
UPDATE customers SET methods = (SELECT count(*) FROM disbursement_methods WHERE customer_id = customers.id)
WHERE id IN (SELECT customer_id FROM disbursement_methods);

-- +goose StatementBegin
CREATE TRIGGER method_added AFTER INSERT ON disbursement_methods BEGIN
    UPDATE customers SET methods = methods + 1 WHERE id = NEW.customer_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER method_removed AFTER DELETE ON disbursement_methods BEGIN
    UPDATE customers SET methods = methods - 1 WHERE id = OLD.customer_id;
END;
-- +goose StatementEnd

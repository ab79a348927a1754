-- +goose Up

CREATE TABLE disbursement_methods (
    id          TEXT    NOT NULL PRIMARY KEY, -- in the order in which they were added
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    type        TEXT    NOT NULL,
    is_default  INTEGER NOT NULL,
    usable      INTEGER NOT NULL,
    details     TEXT    NOT NULL, -- JSON: what is not secret
    warnings    TEXT    NOT NULL, -- JSON
    secret      BLOB    NOT NULL, -- encrypted, bound to customer_id and id
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX disbursement_methods_customer ON disbursement_methods (customer_id);
CREATE UNIQUE INDEX disbursement_methods_default ON disbursement_methods (customer_id) WHERE is_default = 1;

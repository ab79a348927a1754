package sqlite

import "database/sql"

// WriterForTest gives the connection that writes.
func (db *DB) WriterForTest() *sql.DB { return db.write }

// ReaderForTest gives the connections that read.
func (db *DB) ReaderForTest() *sql.DB { return db.read }

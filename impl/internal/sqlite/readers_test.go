package sqlite

import (
	"context"
	"errors"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl/internal/customer"
)

// endless is a query that nobody waits for.
const endless = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n`

// TestReadersBounded reads for longer than there is time: that ends in time, for
// those who wait for a connection too, and the connections are good afterwards.
func TestReadersBounded(t *testing.T) {
	t.Parallel()
	db := openForTest(t, t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	most := 2 * mostReaders
	ended := make(chan error)
	for range most {
		go func() {
			_, err := texts(db.read(ctx), endless)
			ended <- fail("read", err)
		}()
	}
	for range most {
		if err := <-ended; !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, customer.ErrUnavailable) {
			t.Error(err)
		}
	}
	for range most {
		if got, err := texts(db.read(t.Context()), `SELECT 'x'`); err != nil || len(got) != 1 {
			t.Errorf("afterwards: %v, %v", got, err)
		}
	}
}

// TestReadersChangeNothing checks that what only reads cannot write.
func TestReadersChangeNothing(t *testing.T) {
	t.Parallel()
	db := openForTest(t, t.TempDir())
	if _, err := texts(db.read(t.Context()), `DELETE FROM requests RETURNING id`); err == nil {
		t.Error("a reader wrote")
	}
}

// TestArguments checks that what does not fit is an error, and no other value.
func TestArguments(t *testing.T) {
	t.Parallel()
	db := openForTest(t, t.TempDir())
	var text string
	var number int
	var other float64
	for name, err := range map[string]error{
		"too few":        db.read(t.Context()).row(`SELECT ?`).Scan(&text),
		"too many":       db.read(t.Context()).row(`SELECT ?`, 1, 2).Scan(&text),
		"unknown type":   db.read(t.Context()).row(`SELECT ?`, 1.5).Scan(&text),
		"few columns":    db.read(t.Context()).row(`SELECT 1`).Scan(&number, &text),
		"many columns":   db.read(t.Context()).row(`SELECT 1, 2`).Scan(&number),
		"NULL":           db.read(t.Context()).row(`SELECT NULL`).Scan(&number),
		"other place":    db.read(t.Context()).row(`SELECT 1`).Scan(&other),
		"two statements": db.read(t.Context()).row(`SELECT 1; SELECT 2`).Scan(&number),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := db.read(t.Context()).row(`SELECT 1 WHERE 0`).Scan(&number); !errors.Is(err, errNone) {
		t.Errorf("no row: %v", err)
	}
}

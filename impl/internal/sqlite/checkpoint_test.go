package sqlite

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// journal tells how many pages are in the journal.
func journal(t *testing.T, db *DB) (pages int) {
	t.Helper()
	err := db.readers.use(t.Context(), func(c *conn) (err error) {
		pages, _, err = c.checkpoint("NOOP")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// TestCheckpoint writes without a pause: the journal begins anew again and again;
// while somebody reads, it grows, and nothing else happens.
func TestCheckpoint(t *testing.T) {
	t.Parallel()
	db := openForTest(t, t.TempDir())
	// In a job, for the writer reads it.
	if err := db.apart(t.Context(), func(*conn) error {
		db.checkpoints.at = 200
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("x", 10_000)
	rows := 0
	write := func(n int) (most int) {
		for range n {
			rows++
			if err := db.ExecForTest(t.Context(), insertRequest, strconv.Itoa(rows), "k", text, "", nil, nil, nil, 0); err != nil {
				t.Fatal(err)
			}
			most = max(most, journal(t, db))
		}
		return most
	}
	// Each writes some 6 pages.
	if most := write(1000); most < 200 || most > 2000 {
		t.Errorf("the journal had up to %d pages", most)
	}
	release, err := db.HoldForTest("BEGIN", `SELECT count(*) FROM requests`)
	if err != nil {
		t.Fatal(err)
	}
	if most := write(500); most < 2000 {
		t.Errorf("while somebody reads, the journal had up to %d pages", most)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		write(1)
		if pages := journal(t, db); pages < 200 {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("afterwards, the journal has %d pages", pages)
		}
	}
	if got, err := db.TextsForTest(t.Context(), `SELECT count(*) || ' of ' || sum(length(email)) FROM requests`); err != nil || got[0] != fmt.Sprintf("%d of %d", rows, rows*len(text)) {
		t.Errorf("%v, %v; want %d", got, err, rows)
	}
	if got, err := db.TextsForTest(t.Context(), `PRAGMA integrity_check`); err != nil || got[0] != "ok" {
		t.Errorf("%v, %v", got, err)
	}
}

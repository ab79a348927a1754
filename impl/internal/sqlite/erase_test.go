package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/partner"
	"cryptoexchange.com/escrow/impl/internal/sqlite"
)

// marked makes a customer who has a mark in everything, of a length of its own,
// and whose rows have moved.
func marked(t *testing.T, db *sqlite.DB, partnerID int64, mark string, more int) int64 {
	t.Helper()
	email, name := mark+"@example.com", mark+strings.Repeat("x", more)
	created, err := db.Create(t.Context(), customer.Creation{
		Customer: customer.Customer{PartnerID: &partnerID, Email: email, Status: customer.Active, FirstName: &name, CreatedAt: at, UpdatedAt: at},
		EmailKey: email,
		Message:  customer.Message{ID: "m-" + mark[4:], Kind: customer.KindIntroduction, Link: &customer.Link{Kind: account.LinkInvitation, Hash: [32]byte([]byte(strings.Repeat(mark, 8))), ExpiresAt: at}},
		Idempotency: &customer.Idempotency{
			PartnerID: partnerID, Key: mark[4:], Fingerprint: []byte{1}, ExpiresAt: at.Add(time.Hour),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	id := created.Customer.ID
	err = errors.Join(
		db.UpdateCustomer(t.Context(), id, func(c *customer.Customer) error {
			line := strings.Repeat(mark, 1+more%5)
			c.Address = &customer.Address{Line1: line, Line2: line, City: line, Country: "ES", PostCode: mark}
			return nil
		}),
		db.AddRequest(t.Context(), account.Request{ID: "r-" + mark[4:], Kind: account.RequestReset, Email: email, EmailKey: email, CreatedAt: at}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestEraseLeavesNothing checks that what is erased is gone from the files,
// however often its rows have moved between pages, and that what is not is left.
func TestEraseLeavesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	db := open(t, folder)
	defer db.Close()
	p, _, err := db.CreatePartner(t.Context(), "Shop", partner.NewKey{CreatedAt: at})
	if err != nil {
		t.Fatal(err)
	}
	const customers = 450
	mark := func(i int) string { return fmt.Sprintf("mark%04d", i) }
	ids := make([]int64, customers)
	for i := range ids {
		ids[i] = marked(t, db, p.ID, mark(i), i*37%1500)
	}
	// Of every hundred, one or two leave a copy in a gap unless the file is
	// written anew.
	isErased := func(i int) bool { return i >= 360 && i < 450 && i%3 == 0 }
	for i, id := range ids {
		if isErased(i) {
			if _, err := db.Erase(t.Context(), id, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	for i := range ids {
		if n := bytes.Count(all, []byte(mark(i))); (n == 0) != isErased(i) {
			t.Errorf("%s is there %d times; erased: %v", mark(i), n, isErased(i))
		}
	}
}

// TestEraseBusy has somebody who reads all the time: what was erased cannot be
// removed from the journal, which is said, and done the next time.
func TestEraseBusy(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	db := open(t, folder)
	defer db.Close()
	p, _, err := db.CreatePartner(t.Context(), "Shop", partner.NewKey{CreatedAt: at})
	if err != nil {
		t.Fatal(err)
	}
	id := marked(t, db, p.ID, "mark0001", 0)
	if err := db.SetBusyTimeoutForTest(t.Context(), 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	release, err := db.HoldForTest("BEGIN", `SELECT count(*) FROM customers`)
	if err != nil {
		t.Fatal(err)
	}
	if emails, err := db.Erase(t.Context(), id, at); !errors.Is(err, customer.ErrUnavailable) || len(emails) != 1 {
		t.Errorf("while somebody reads: %v, %v", emails, err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Erase(t.Context(), id, at); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	for _, name := range []string{"escrow.db", "escrow.db-wal"} {
		if content, err := os.ReadFile(filepath.Join(folder, name)); err != nil || bytes.Contains(content, []byte("mark0001")) {
			t.Errorf("%s: %v, or it has the mark", name, err)
		}
	}
}

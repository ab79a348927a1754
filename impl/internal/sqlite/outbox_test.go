package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/outbox"
	"cryptoexchange.com/escrow/impl/internal/sqlite"
)

var at = time.Date(2026, 11, 24, 10, 0, 0, 123456000, time.UTC)

// queue makes a customer with one message.
func queue(t *testing.T, db *sqlite.DB) {
	t.Helper()
	_, err := db.Create(t.Context(), customer.Creation{
		Customer: customer.Customer{Email: "a@example.com", CreatedAt: at}, EmailKey: "a@example.com",
		Message: customer.Message{ID: "m", Kind: "confirmation"},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// exec prepares what no method of the store writes yet.
func exec(t *testing.T, db *sqlite.DB, query string, args ...any) {
	t.Helper()
	if err := db.ExecForTest(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// TestAttempts checks that each attempt has a row with its outcome, and one
// whose worker died has none.
func TestAttempts(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	defer db.Close()
	queue(t, db)
	claim := func(now time.Time) {
		t.Helper()
		if got, err := db.Claim(t.Context(), now, now.Add(time.Second), 9); err != nil || len(got) != 1 {
			t.Fatalf("claimed %v, %v", got, err)
		}
	}
	second := at.Add(time.Second)
	claim(at) // its worker dies
	claim(second)
	if err := db.MarkFailed(t.Context(), outbox.Failure{ID: "m", Attempt: 2, At: second, Reason: "connect: timed out", RetryAt: &second}); err != nil {
		t.Fatal(err)
	}
	claim(second)
	if err := db.MarkSent(t.Context(), "m", 3, second.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	got, err := db.TextsForTest(t.Context(), `
SELECT attempt || ' ' || (started_at - ?1) || ' ' || coalesce(ended_at - ?1, 'no end') || ' ' || coalesce(error, 'no error')
FROM outbox_attempts WHERE message_id = 'm' ORDER BY attempt`, at.UnixMicro())
	want := []string{"1 0 no end no error", "2 1000000 1000000 connect: timed out", "3 1000000 2000000 no error"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

// TestClaimLink checks that a message comes with its link and its customer's
// language, if there are any.
func TestClaimLink(t *testing.T) {
	t.Parallel()
	const keyID = 4_000_000_000
	language := "es-MX"
	for _, want := range []*outbox.Link{nil, {KeyID: keyID, Kind: "sign_up", ExpiresAt: at.Add(time.Hour)}} {
		t.Run(fmt.Sprint(want != nil), func(t *testing.T) {
			t.Parallel()
			db := open(t, t.TempDir())
			defer db.Close()
			queue(t, db)
			if want != nil {
				exec(t, db, `UPDATE customers SET language = ?`, language)
				exec(t, db, `INSERT INTO links (id, customer_id, kind, hash, key_id, created_at, expires_at) VALUES ('m', 1, ?, x'00', ?, 0, ?)`,
					want.Kind, want.KeyID, want.ExpiresAt.UnixMicro())
			}
			got, err := db.Claim(t.Context(), at, at, 1)
			if err != nil || len(got) != 1 {
				t.Fatalf("claimed %v, %v", got, err)
			}
			if diff := cmp.Diff(want, got[0].Link); diff != "" {
				t.Errorf("link (-want +got)\n%s", diff)
			}
			if l := got[0].Language; (l != nil) != (want != nil) || l != nil && *l != language {
				t.Errorf("language %v", l)
			}
		})
	}
}

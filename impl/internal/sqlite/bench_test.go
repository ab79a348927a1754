package sqlite_test

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/partner"
	"cryptoexchange.com/escrow/impl/internal/sqlite"
)

// benchmarked opens a store with a partner and a key.
func benchmarked(b *testing.B) (*sqlite.DB, int64, partner.Secret) {
	b.Helper()
	db, err := sqlite.Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	p, secret, err := partner.NewService(db, time.Now).CreatePartner(b.Context(), "Shop")
	if err != nil {
		b.Fatal(err)
	}
	return db, p.ID, secret
}

// typical is a customer as partners send them.
func typical(partnerID int64, n int64) customer.Creation {
	text := func(s string) *string { return &s }
	email := "johny.smith." + strconv.FormatInt(n, 36) + "@example.com"
	now := time.Now().UTC()
	return customer.Creation{
		Customer: customer.Customer{
			PartnerID: &partnerID, Email: email, Username: email, Status: customer.Active, Group: customer.Introduced, EmailVerified: true,
			FirstName: text("Johny"), LastName: text("Smith"), Phone: text("+34911234567"), Language: text("es-ES"),
			Address:   &customer.Address{Line1: "Calle de Alcalá 1", City: "Madrid", Country: "ES", PostCode: "28014"},
			CreatedAt: now, UpdatedAt: now,
		},
		EmailKey:      email,
		SignUpsBefore: now.Add(-customer.SignUpValidity),
		Message: customer.Message{
			ID: uuid.Must(uuid.NewV7()).String(), Kind: customer.KindIntroduction,
			Link: &customer.Link{Kind: account.LinkInvitation, Hash: sha256.Sum256([]byte(email)), KeyID: 1, ExpiresAt: now.Add(time.Hour)},
		},
	}
}

// cpu reports the time that processors spend on each operation, besides that
// which passes: most of it is spent waiting for storage. Call what it returns at
// the end.
func cpu(b *testing.B) func() {
	spent := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	began := spent()
	return func() { b.ReportMetric(float64((spent()-began).Nanoseconds())/float64(b.N), "cpu-ns/op") }
}

// BenchmarkCreate has as many callers at once as its name says.
func BenchmarkCreate(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			db, id, _ := benchmarked(b)
			var n atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			defer cpu(b)()
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for {
						i := n.Add(1)
						if i > int64(b.N) {
							return
						}
						if _, err := db.Create(b.Context(), typical(id, i)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

func BenchmarkCustomer(b *testing.B) {
	db, id, _ := benchmarked(b)
	created, err := db.Create(b.Context(), typical(id, 1))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		if _, err := db.Customer(b.Context(), id, created.Customer.ID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	db, _, secret := benchmarked(b)
	s := partner.NewService(db, time.Now)
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		if _, err := s.Authenticate(b.Context(), secret.Reveal()); err != nil {
			b.Fatal(err)
		}
	}
}

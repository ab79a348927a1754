package phone_test

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"

	"cryptoexchange.com/escrow/impl/internal/phone"
)

func TestE164(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, number, country, want string
		err                         error
	}{
		{"documented example", "8885118600", "US", "+18885118600", nil},
		{"with the trunk prefix", "18885118600", "US", "+18885118600", nil},
		{"international", "+18885118600", "", "+18885118600", nil},
		{"international in another country", "+34 912 34 56 78", "US", "+34912345678", nil},
		{"punctuation", "(888) 511-8600", "US", "+18885118600", nil},
		{"national in Spain", "912 34 56 78", "ES", "+34912345678", nil},
		{"national without a country", "8885118600", "", "", phone.ErrNeedsCountry},
		{"too short", "123", "US", "", phone.ErrUnknown},
		{"unassigned", "+19995118600", "", "", phone.ErrUnknown},
		{"unknown calling code", "+999123456789", "", "", phone.ErrUnknown},
		{"extension", "+18885118600 ext. 5", "", "", phone.ErrUnknown},
		{"words", "call me", "US", "", phone.ErrUnknown},
		{"empty", "", "US", "", phone.ErrUnknown},
		{"country without a plan", "12345", "AQ", "", phone.ErrUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := phone.E164(tt.number, tt.country)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("E164(%q, %q) = %q, %v; want %q, %v", tt.number, tt.country, got, err, tt.want, tt.err)
			}
		})
	}
}

// FuzzE164 checks that whatever is accepted is E.164, and stands for itself.
func FuzzE164(f *testing.F) {
	f.Add("8885118600", "US")
	f.Add("+34 912 34 56 78", "")
	f.Fuzz(func(t *testing.T, number, country string) {
		got, err := phone.E164(number, country)
		if err != nil {
			return
		}
		if len(got) < 3 || len(got) > 16 || got[0] != '+' {
			t.Fatalf("E164(%q, %q) = %q", number, country, got)
		}
		if again, err := phone.E164(got, ""); err != nil || again != got {
			t.Errorf("E164(%q) = %q, %v", got, again, err)
		}
	})
}

// TestPlain holds the short way for numbers of ten digits to the long one.
func TestPlain(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	good := 0
	for range 50_000 {
		number, country := strconv.FormatUint(random.Uint64N(1e10), 10), []string{"US", "CA"}[random.IntN(2)]
		if _, is := phone.PlainForTest(number, country); !is {
			continue
		}
		got, err := phone.E164(number, country)
		want, wantErr := phone.ParseForTest(number, country)
		if got != want || !errors.Is(err, wantErr) {
			t.Fatalf("seed %d: %s in %s: %q, %v; want %q, %v", seed, number, country, got, err, want, wantErr)
		}
		if err == nil {
			good++
		}
	}
	if good < 1000 {
		t.Errorf("seed %d: only %d numbers were good", seed, good)
	}
}

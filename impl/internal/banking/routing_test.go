package banking_test

import (
	"strconv"
	"testing"

	"cryptoexchange.com/escrow/impl/internal/banking"
)

func TestCheckRoutingNumber(t *testing.T) {
	t.Parallel()
	tests := []struct {
		number string
		want   banking.Code
	}{
		{"021000021", ""}, // JPMorgan Chase, New York
		{"026009593", ""}, // Bank of America, New York
		{"121000248", ""}, // Wells Fargo, San Francisco
		{"256074974", ""}, // Navy Federal Credit Union: a thrift institution
		{"000000518", ""}, // United States Treasury
		{"123456789", banking.CodeRoutingNumberCheckDigit}, // the vendors' example
		{"290303030", banking.CodeRoutingNumberCheckDigit}, // likewise
		{"021000022", banking.CodeRoutingNumberCheckDigit},
		{"201000021", banking.CodeRoutingNumberPrefix},
		{"130000006", banking.CodeRoutingNumberPrefix},
		{"330000000", banking.CodeRoutingNumberPrefix},
		{"600000002", banking.CodeRoutingNumberPrefix},
		{"730000008", banking.CodeRoutingNumberPrefix},
		{"999999992", banking.CodeRoutingNumberPrefix},
		{"000000000", banking.CodeRoutingNumberForm},
		{"", banking.CodeRoutingNumberForm},
		{"02100002", banking.CodeRoutingNumberForm},
		{"0210000210", banking.CodeRoutingNumberForm},
		{"02100002A", banking.CodeRoutingNumberForm},
		{"021 000021", banking.CodeRoutingNumberForm},
		{" 21000021", banking.CodeRoutingNumberForm},
		{"-21000021", banking.CodeRoutingNumberForm},
		{"\u0660\u0662\u0661\u0660\u0660", banking.CodeRoutingNumberForm}, // Arabic digits
	}
	for _, tt := range tests {
		if got := code(banking.CheckRoutingNumber(tt.number)); got != tt.want {
			t.Errorf("CheckRoutingNumber(%q) = %q, want %q", tt.number, got, tt.want)
		}
	}
}

// TestRoutingPrefixes counts the first two digits that are given out.
func TestRoutingPrefixes(t *testing.T) {
	t.Parallel()
	got := 0
	for n := 100000000; n < 200000000; n += 1000000 {
		body := strconv.Itoa(n)[1:]
		for d := range 10 {
			if banking.CheckRoutingNumber(body+strconv.Itoa(d)) == nil {
				got++
			}
		}
	}
	// 00 is given out, and 000000000 is not.
	if want := 13 + 12 + 12 + 1 - 1; got != want {
		t.Errorf("%d prefixes, want %d", got, want)
	}
}

// TestRoutingCheckDigit: of the ten last digits one is right.
func TestRoutingCheckDigit(t *testing.T) {
	t.Parallel()
	r := newRandom(t, 4)
	for range 10000 {
		number := newRoutingNumber(r)
		for d := range 10 {
			typo := number[:8] + strconv.Itoa(d)
			if err := banking.CheckRoutingNumber(typo); (err == nil) != (typo == number) {
				t.Fatalf("CheckRoutingNumber(%q) = %v, and %q is right", typo, err, number)
			}
		}
	}
}

func FuzzCheckRoutingNumber(f *testing.F) {
	for _, seed := range []string{"021000021", "123456789", "000000000", "80000000", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		err := banking.CheckRoutingNumber(s)
		holdsNot(t, err, s)
		if err == nil && (len(s) != 9 || s == "000000000") {
			t.Errorf("%q is accepted", s)
		}
	})
}

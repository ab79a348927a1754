package banking_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/banking"
)

func TestCheckBIC(t *testing.T) {
	t.Parallel()
	tests := []struct {
		bic  string
		want banking.BIC
		code banking.Code
	}{
		{"DEUTDEFF", banking.BIC{Value: "DEUTDEFF", Country: "DE"}, ""},
		{"DEUTDEFF500", banking.BIC{Value: "DEUTDEFF500", Country: "DE"}, ""},
		{"deut de ff xxx", banking.BIC{Value: "DEUTDEFFXXX", Country: "DE"}, ""},
		{"NLPRXKPR", banking.BIC{Value: "NLPRXKPR", Country: "XK"}, ""}, // Kosovo
		{"E097AEXX", banking.BIC{Value: "E097AEXX", Country: "AE"}, ""}, // United Arab Emirates
		{"29292902", banking.BIC{}, banking.CodeBICForm},                // the vendors' example
		{"", banking.BIC{}, banking.CodeBICForm},
		{"DEUTDEF", banking.BIC{}, banking.CodeBICForm},
		{"DEUTDEFF5", banking.BIC{}, banking.CodeBICForm},
		{"DEUTDEFF50", banking.BIC{}, banking.CodeBICForm},
		{"DEUTDEFF5000", banking.BIC{}, banking.CodeBICForm},
		{"DEUT1EFF", banking.BIC{}, banking.CodeBICForm},
		{"DEUT-EFF", banking.BIC{}, banking.CodeBICForm},
		{"DEU\u00c9DEF", banking.BIC{}, banking.CodeBICForm},  // eight octets
		{"DEUTDEF\u017f", banking.BIC{}, banking.CodeBICForm}, // long s
		{"DEUTDDFF", banking.BIC{}, banking.CodeBICCountry},
		{"DEUTUKFF", banking.BIC{}, banking.CodeBICCountry},
		{"DEUTEUFF", banking.BIC{}, banking.CodeBICCountry},
	}
	for _, tt := range tests {
		got, err := banking.CheckBIC(tt.bic)
		if diff := cmp.Diff(tt.want, got); diff != "" || code(err) != tt.code {
			t.Errorf("CheckBIC(%q): %q, want %q; -want +got:\n%s", tt.bic, code(err), tt.code, diff)
		}
	}
}

// FuzzCheckBIC: what is accepted is its own electronic form.
func FuzzCheckBIC(f *testing.F) {
	for _, seed := range []string{"DEUTDEFF", "deut de ff 500", "E097AEXX", "29292902", "\u017f", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := banking.CheckBIC(s)
		holdsNot(t, err, s)
		if err != nil {
			return
		}
		again, err := banking.CheckBIC(got.Value)
		if diff := cmp.Diff(got, again); diff != "" || err != nil || got.Country != got.Value[4:6] {
			t.Errorf("CheckBIC(%q) = %+v, and again: %v\n%s", s, got, err, diff)
		}
	})
}

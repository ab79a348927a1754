package disbursement_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl/internal/disbursement"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func ach(holder, account string) disbursement.Draft {
	return disbursement.Draft{
		Type: disbursement.ACH, AccountName: holder, AccountType: "checking", Currency: "usd",
		RoutingNumber: "021000021", AccountNumber: account, BankName: "Bank of Coffee",
		BankAddress: &disbursement.Address{City: "New York", State: "NY"},
	}
}

// TestHolder checks whose names an account may bear without a warning.
func TestHolder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		account string
		names   []string
		differs bool
	}{
		{"Johny Smith", []string{"Johny", "Smith"}, false},
		{"SMITH, Johny K.", []string{"Johny", "Kanez", "Smith"}, false},
		{"Jose Garcia", []string{"José", "García"}, false},
		{"Mr Johny and Mrs Ana Smith", []string{"Johny", "Smith"}, false},
		{"John Smith", []string{"Johny", "Smith"}, true},
		{"Smith Ltd", []string{"Johny", "Smith"}, true},
		{"Johny", []string{"Johny"}, false},
		{"Anybody", nil, false}, // nothing is known to compare with
	}
	for _, tt := range tests {
		accepted, findings := disbursement.Accept(ach(tt.account, "000123456789"), disbursement.Terms{ID: "1", Holder: tt.names, Now: now})
		if len(findings) > 0 {
			t.Fatalf("%s: %v", tt.account, findings)
		}
		differs := slices.ContainsFunc(accepted.Method.Warnings, func(w disbursement.Warning) bool { return w.Code == disbursement.CodeNameDiffers })
		if differs != tt.differs || !accepted.Method.Usable {
			t.Errorf("%q for %q: differs %t, usable %t; want %t and usable", tt.account, tt.names, differs, accepted.Method.Usable, tt.differs)
		}
	}
}

// TestLast checks that the end that is shown never is most of a short number.
func TestLast(t *testing.T) {
	t.Parallel()
	for account, want := range map[string]string{"000123456789": "6789", "12345678": "5678", "1234567": "567", "1234": "34", "1": "", "1234 567-8": "5678", "12-": "2"} {
		accepted, findings := disbursement.Accept(ach("A", account), disbursement.Terms{ID: "1", Now: now})
		if len(findings) > 0 {
			t.Fatal(findings)
		}
		if got := accepted.Method.Details.AccountNumberLast; got != want {
			t.Errorf("of %s %q is shown, want %q", account, got, want)
		}
		if accepted.Secrets.AccountNumber != account {
			t.Errorf("the secret is %q", accepted.Secrets.AccountNumber)
		}
	}
}

// TestBlankAccount checks that spaces and hyphens alone are no account number,
// not even under lenient handling.
func TestBlankAccount(t *testing.T) {
	t.Parallel()
	for _, blank := range []string{"", " ", "-", "- -"} {
		wire := disbursement.Draft{
			Type: disbursement.Wire, AccountName: "A", Currency: "usd", RoutingNumber: "021000021", AccountNumber: blank, BankName: "B",
			BankAddress:        &disbursement.Address{City: "New York", State: "NY", Country: "US"},
			BeneficiaryAddress: &disbursement.Address{Line1: "1 Main Street", City: "New York", Country: "US"},
		}
		for want, draft := range map[string]disbursement.Draft{disbursement.CodeRequired: ach("A", blank), disbursement.CodeAccountRequired: wire} {
			_, findings := disbursement.Accept(draft, disbursement.Terms{ID: "1", Now: now, Lenient: true})
			if len(findings) != 1 || findings[0].Code != want || findings[0].Path[0] != "bank_account_number" {
				t.Errorf("%s, %q: %v, want one %s", draft.Type, blank, findings, want)
			}
		}
		wire.AccountNumber, wire.Intermediary = "1", &disbursement.Intermediary{BankName: "C", AccountNumber: blank}
		accepted, findings := disbursement.Accept(wire, disbursement.Terms{ID: "1", Now: now})
		if len(findings) > 0 || accepted.Secrets.IntermediaryAccountNumber != "" {
			t.Errorf("%q at the intermediary bank: %v", blank, findings)
		}
	}
}

// TestSecretsDoNotPrint checks that no verb prints a secret.
func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	s := disbursement.Secrets{AccountNumber: "000123456789"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, s); strings.Contains(text, "123456789") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
	if raw, err := s.Encode(); err != nil || string(raw) != `{"AccountNumber":"000123456789"}` {
		t.Errorf("encoded as %s, %v", raw, err)
	}
}

// TestLenient checks what leniency is for, and what it is not.
func TestLenient(t *testing.T) {
	t.Parallel()
	wrong := ach("A", "1")
	wrong.RoutingNumber = "123456789"
	missing := ach("A", "1")
	missing.BankName = ""
	phrase := disbursement.Draft{
		Type: disbursement.Wallet, Network: "ethereum", Asset: "ETH",
		WalletAddress: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", Memo: strings.Repeat("abandon ", 11) + "about",
	}
	key := phrase
	key.Memo, key.WalletAddress = "", "0x"+strings.Repeat("5a", 32)
	for name, tt := range map[string]struct {
		draft           disbursement.Draft
		strict, lenient int // findings
		usable          bool
	}{
		"right":   {ach("A", "1"), 0, 0, true},
		"wrong":   {wrong, 1, 0, false},
		"missing": {missing, 1, 1, false},
		"phrase":  {phrase, 1, 1, false},
		"key":     {key, 1, 1, false},
	} {
		_, strict := disbursement.Accept(tt.draft, disbursement.Terms{ID: "1", Now: now})
		accepted, lenient := disbursement.Accept(tt.draft, disbursement.Terms{ID: "1", Now: now, Lenient: true})
		if len(strict) != tt.strict || len(lenient) != tt.lenient || accepted.Method.Usable != tt.usable {
			t.Errorf("%s: %v, %v, usable %t", name, strict, lenient, accepted.Method.Usable)
		}
	}
}

// TestWalletRequirements checks that the form for each asset, filled in with its
// own examples, is accepted: no example is of another network, and no field is
// there to be refused.
func TestWalletRequirements(t *testing.T) {
	t.Parallel()
	for asset, memo := range map[string]bool{"BTC": false, "LTC": false, "ETH": false, "USDT": false, "SOL": false, "TRX": false, "XRP": true, "XLM": true, "USDC": true} {
		fields, _, ok := disbursement.Requirements(disbursement.Route{Type: disbursement.Wallet, Country: "DE", Currency: asset})
		if !ok {
			t.Fatalf("%s: there is no such route", asset)
		}
		d := disbursement.Draft{Type: disbursement.Wallet}
		hasMemo := false
		for _, f := range fields {
			switch f.Name {
			case "asset":
				d.Asset = f.Example
			case "network":
				d.Network = f.Example
				if !slices.Contains(f.Choices, f.Example) {
					t.Errorf("%s: the network %s is not among %v", asset, f.Example, f.Choices)
				}
			case "address":
				d.WalletAddress = f.Example
			case "memo":
				hasMemo = true
				if asset != "USDC" { // of which the first network has none
					d.Memo = f.Example
				}
			}
		}
		if _, findings := disbursement.Accept(d, disbursement.Terms{ID: "1", Now: now}); len(findings) > 0 || d.Asset != asset {
			t.Errorf("%s: %+v: %v", asset, d, findings)
		}
		if hasMemo != memo {
			t.Errorf("%s: memo %t, want %t", asset, hasMemo, memo)
		}
	}
}

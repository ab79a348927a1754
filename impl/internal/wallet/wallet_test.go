package wallet_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/wallet"
)

// coins are an asset for each network.
var coins = func() map[string]string {
	all := make(map[string]string)
	for _, n := range wallet.Networks() {
		all[n.Name] = n.Assets[0].Code
	}
	return all
}()

// addressCode gives the code for which an address is refused, empty if it is not.
func addressCode(network, address string) wallet.Code {
	_, err := wallet.Check(network, coins[network], address, "")
	for _, e := range wallet.AsErrors(err) {
		if e.Field == wallet.FieldAddress {
			return e.Code
		}
	}
	return ""
}

// codes gives field and code of everything that Check says.
func codes(warnings []wallet.Finding, err error) []string {
	var all []string
	for _, w := range warnings {
		all = append(all, "warning "+string(w.Field)+" "+string(w.Code))
	}
	for _, e := range wallet.AsErrors(err) {
		all = append(all, "error "+string(e.Field)+" "+string(e.Code))
	}
	return all
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const (
		btc = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
		xrp = "rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf"
		xlm = "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ"
		eth = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
		tag = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb" // of the genesis account, which is public
	)
	tests := []struct {
		name, network, asset, address, memo string
		want                                []string
	}{
		{"good", "bitcoin", "BTC", btc, "", nil},
		{"spaces around it", "bitcoin", "BTC", " \t" + btc + "\r\n", "", nil},
		{"unknown network", "dogecoin", "DOGE", btc, "", []string{"error network unknown_network"}},
		{"network in capitals", "Bitcoin", "BTC", btc, "", []string{"error network unknown_network"}},
		{"asset elsewhere", "bitcoin", "USDT", btc, "", []string{"error asset asset_not_on_network"}},
		{"USDC on Tron", "tron", "USDC", "TJEh7TX8sNj5uq4hXKyYdTrnGmeeG48top", "", []string{"error asset asset_not_on_network"}},
		{"asset in small letters", "bitcoin", "btc", btc, "", []string{"error asset asset_not_on_network"}},
		{
			"all wrong", "ethereum", "BTC", "0x", "1",
			[]string{"error asset asset_not_on_network", "error address address_form", "error memo memo_not_allowed"},
		},
		{"memo on Bitcoin", "bitcoin", "BTC", btc, "12345", []string{"error memo memo_not_allowed"}},
		{"no tag", "xrp_ledger", "XRP", xrp, "", []string{"warning memo memo_missing"}},
		{"tag", "xrp_ledger", "RLUSD", xrp, "12345", nil},
		{"tag 0", "xrp_ledger", "XRP", xrp, "0", nil},
		{"greatest tag", "xrp_ledger", "XRP", xrp, "4294967295", nil},
		{"too great a tag", "xrp_ledger", "XRP", xrp, "4294967296", []string{"error memo memo_form"}},
		{"longer tag", "xrp_ledger", "XRP", xrp, "42949672950", []string{"error memo memo_form"}},
		{"tag with zeros", "xrp_ledger", "XRP", xrp, "007", []string{"error memo memo_form"}},
		{"negative tag", "xrp_ledger", "XRP", xrp, "-1", []string{"error memo memo_form"}},
		{"tag with a sign", "xrp_ledger", "XRP", xrp, "+1", []string{"error memo memo_form"}},
		{"tag of words", "xrp_ledger", "XRP", xrp, "rent", []string{"error memo memo_form"}},
		{"tag in Arabic digits", "xrp_ledger", "XRP", xrp, "\u0661", []string{"error memo memo_form"}},
		{"secret as a tag", "xrp_ledger", "XRP", xrp, tag, []string{"error memo memo_is_secret_key"}},
		{"phrase as a memo", "ethereum", "ETH", eth, strings.Repeat("abandon ", 11) + "about", []string{"error memo memo_is_secret_key"}},
		{"no memo", "stellar", "XLM", xlm, "", []string{"warning memo memo_missing"}},
		{"memo text", "stellar", "USDC", xlm, "Account 12-AB", nil},
		{"memo id", "stellar", "XLM", xlm, "18446744073709551615", nil},
		{"longest memo", "stellar", "XLM", xlm, strings.Repeat("a", 28), nil},
		{"longest memo in Greek", "stellar", "XLM", xlm, strings.Repeat("\u03b1", 14), nil},
		{"too long a memo", "stellar", "XLM", xlm, strings.Repeat("a", 29), []string{"error memo memo_form"}},
		{"too long a memo in Greek", "stellar", "XLM", xlm, strings.Repeat("\u03b1", 15), []string{"error memo memo_form"}},
		{"memo with a line break", "stellar", "XLM", xlm, "12\n34", []string{"error memo memo_form"}},
		{"memo with a hidden character", "stellar", "XLM", xlm, "12\u200b34", []string{"error memo memo_form"}},
		{"memo with a space", "stellar", "XLM", xlm, "1234 ", []string{"error memo memo_form"}},
		{"memo of spaces", "stellar", "XLM", xlm, "  ", []string{"error memo memo_form"}},
		{"memo of no UTF-8", "stellar", "XLM", xlm, "a\xff", []string{"error memo memo_form"}},
		{
			"warnings beside errors", "solana", "BTC", "FVen3X669xLzsi6N2V91DoiyzHzg1uAgqiT8jZ9nS96Z", "",
			[]string{"warning address address_without_checksum", "error asset asset_not_on_network"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, codes(wallet.Check(tt.network, tt.asset, tt.address, tt.memo))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	_, err := wallet.Check("ethereum", "BTC", "0x", "1")
	var first *wallet.Error
	if !errors.As(err, &first) || first.Code != wallet.CodeAssetNotOnNetwork {
		t.Errorf("errors.As: %v", first)
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[1], "address: ") {
		t.Errorf("Error: %q", lines)
	}
	if got := wallet.AsErrors(errors.New("other")); got != nil {
		t.Errorf("AsErrors of another error: %v", got)
	}
	if _, err := wallet.Canonical("dogecoin", "D"); !errors.As(err, &first) || first.Code != wallet.CodeUnknownNetwork {
		t.Errorf("Canonical on an unknown network: %v", err)
	}
}

// TestNetworks holds the tables to the checks.
func TestNetworks(t *testing.T) {
	t.Parallel()
	names := make(map[string]bool)
	for _, n := range wallet.Networks() {
		if names[n.Name] || n.Label == "" || n.Hint == "" || len(n.Assets) == 0 || n.Assets[0].Token != "" {
			t.Errorf("%s: incomplete or twice", n.Name)
		}
		names[n.Name] = true
		warnings, err := wallet.Check(n.Name, n.Assets[0].Code, n.Example, n.Memo.Example)
		if n.Name == "solana" {
			warnings = slices.DeleteFunc(warnings, func(w wallet.Finding) bool { return w.Code == wallet.CodeAddressWithoutChecksum })
		}
		if err != nil || len(warnings) > 0 || !regexp.MustCompile(n.Pattern).MatchString(n.Example) {
			t.Errorf("%s: example %q: %v, %v", n.Name, n.Example, warnings, err)
		}
		if kept, err := wallet.Canonical(n.Name, n.Example); err != nil || kept != n.Example {
			t.Errorf("%s: Canonical(%q) = %q, %v", n.Name, n.Example, kept, err)
		}
		if (n.Memo.Rule == wallet.MemoNone) != (n.Memo.Pattern == "") || n.Memo.Pattern != "" && !regexp.MustCompile(n.Memo.Pattern).MatchString(n.Memo.Example) {
			t.Errorf("%s: memo %+v", n.Name, n.Memo)
		}
		codes := make(map[string]bool)
		for i, a := range n.Assets {
			if codes[a.Code] || i > 0 && a.Token == "" {
				t.Errorf("%s: %s is twice, or has no token", n.Name, a.Code)
			}
			codes[a.Code] = true
			// A token's address is good but for being that, checksum included.
			if a.Token != "" && (addressCode(n.Name, a.Token) != wallet.CodeAddressOfToken || !regexp.MustCompile(n.Pattern).MatchString(a.Token)) {
				t.Errorf("%s: token of %s: %v", n.Name, a.Code, addressCode(n.Name, a.Token))
			}
		}
	}
	wallet.Networks()[0].Assets[0].Code = "changed"
	if wallet.Networks()[0].Assets[0].Code == "changed" {
		t.Error("Networks gives the table itself away")
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, network, address, want string }{
		{"bech32 in capitals", "bitcoin", " BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"},
		{"base58", "bitcoin", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2\n", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"},
		{"with a checksum", "base", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"},
		{"small letters", "base", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"},
		{"capitals", "base", "0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := wallet.Canonical(tt.network, tt.address)
			if err != nil || got != tt.want {
				t.Errorf("Canonical = %q, %v; want %q", got, err, tt.want)
			}
			if diff := cmp.Diff(codes(wallet.Check(tt.network, coins[tt.network], tt.address, "")),
				codes(wallet.Check(tt.network, coins[tt.network], got, ""))); diff != "" {
				t.Errorf("the kept form is judged otherwise: %s", diff)
			}
		})
	}
}

// FuzzCheck checks that what is accepted has its network's form and one kept
// form, and that nothing that is said repeats what was given.
func FuzzCheck(f *testing.F) {
	for _, n := range wallet.Networks() {
		f.Add(n.Name, n.Example, n.Memo.Example)
		f.Add("bitcoin", n.Example, "")
	}
	for _, tt := range addressTests {
		f.Add(tt.network, tt.address, "")
	}
	patterns := make(map[string]*regexp.Regexp)
	for _, n := range wallet.Networks() {
		patterns[n.Name] = regexp.MustCompile(n.Pattern)
	}
	f.Fuzz(func(t *testing.T, network, address, memo string) {
		warnings, err := wallet.Check(network, coins[network], address, memo)
		for _, given := range []string{address, memo} {
			for _, w := range warnings {
				if len(given) >= 20 && strings.Contains(w.Detail, given) {
					t.Errorf("a warning repeats %q", given)
				}
			}
			if err != nil && len(given) >= 20 && strings.Contains(err.Error(), given) {
				t.Errorf("an error repeats %q", given)
			}
		}
		kept, canonicalErr := wallet.Canonical(network, address)
		if (canonicalErr == nil) != (coins[network] != "" && addressCode(network, address) == "") {
			t.Errorf("Canonical(%q, %q) = %q, %v, but Check gives %v", network, address, kept, canonicalErr, err)
		}
		if canonicalErr != nil {
			return
		}
		if !patterns[network].MatchString(kept) || !strings.EqualFold(kept, strings.TrimSpace(address)) {
			t.Errorf("Canonical(%q, %q) = %q", network, address, kept)
		}
		if again, err := wallet.Canonical(network, kept); err != nil || again != kept {
			t.Errorf("Canonical(%q, %q) = %q, %v", network, kept, again, err)
		}
	})
}

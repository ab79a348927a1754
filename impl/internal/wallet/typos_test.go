package wallet_test

import (
	"strings"
	"testing"

	"cryptoexchange.com/escrow/impl/internal/wallet"
)

// TestTypos makes one typo of each sort in 10000 addresses of each kind, and
// holds the share that is refused to what the package's comment says.
func TestTypos(t *testing.T) {
	t.Parallel()
	const values, least = 10000, 0.999
	for stream, kind := range kindsOfAddress {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			r := newRandom(t, uint64(stream))
			var substituted, transposed, warned int
			for range values {
				address := kind.make(r)
				if code := addressCode(kind.network, address); code != "" {
					t.Fatalf("%q is refused: %s", address, code)
				}
				typo := kind.substitute(r, address)
				if addressCode(kind.network, typo) != "" {
					substituted++
				} else if notAKey(kind.network, typo) {
					warned++
				}
				if addressCode(kind.network, kind.transpose(r, address)) != "" {
					transposed++
				}
			}
			t.Logf("%s: refused %.2f %% of substitutions, %.2f %% of transpositions", kind.name,
				100*float64(substituted)/values, 100*float64(transposed)/values)
			if kind.network == "solana" {
				t.Logf("another %.2f %% of substitutions carry the warning %s", 100*float64(warned)/values, wallet.CodeAddressNotAKey)
				return
			}
			if float64(substituted) < least*values || float64(transposed) < least*values {
				t.Errorf("fewer than %v %%", 100*least)
			}
		})
	}
}

func notAKey(network, address string) bool {
	return strings.Contains(strings.Join(codes(wallet.Check(network, coins[network], address, "")), " "), string(wallet.CodeAddressNotAKey))
}

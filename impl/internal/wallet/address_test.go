package wallet_test

import (
	"strings"
	"testing"

	"cryptoexchange.com/escrow/impl/internal/wallet"
)

const (
	good     = wallet.Code("")
	form     = wallet.CodeAddressForm
	checksum = wallet.CodeAddressChecksum
	kind     = wallet.CodeAddressKind
	testnet  = wallet.CodeAddressOfTestnet
	other    = wallet.CodeAddressOfOtherNetwork
	secret   = wallet.CodeAddressIsSecretKey
	nobody   = wallet.CodeAddressOfNobody
)

// addressTests are addresses of the documents that define the forms, and what
// people give in their place.
var addressTests = []struct {
	network, address string
	want             wallet.Code
}{
	// BIP 173 and BIP 350, valid; test networks and unassigned programs refused.
	{"bitcoin", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", good},
	{"bitcoin", "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3", good},
	{"bitcoin", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", good},
	{"bitcoin", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", testnet},
	{"bitcoin", "tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy", testnet},
	{"bitcoin", "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c", testnet},
	{"bitcoin", "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y", kind},
	{"bitcoin", "BC1SW50QGDZ25J", kind},
	{"bitcoin", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", kind},
	{"bitcoin", "bc1pfeessrawgf", kind}, // pay to anchor (BIP 433): anybody may spend it
	// BIP 173, addresses that BIP 350 made invalid.
	{"bitcoin", "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx", checksum},
	{"bitcoin", "BC1SW50QA3JX3S", checksum},
	{"bitcoin", "bc1zw508d6qejxtdg4y5r3zarvaryvg6kdaj", checksum},
	// BIP 350, invalid.
	{"bitcoin", "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut", form},
	{"bitcoin", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", checksum},
	{"bitcoin", "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf", testnet},
	{"bitcoin", "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL", checksum},
	{"bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", checksum},
	{"bitcoin", "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", form},
	{"bitcoin", "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", form},
	{"bitcoin", "bc1pw5dgrnzv", form},
	{"bitcoin", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav", form},
	{"bitcoin", "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", form},
	{"bitcoin", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf", form},
	{"bitcoin", "bc1gmk9yu", form},
	// BIP 173, invalid.
	{"bitcoin", "tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty", form},
	{"bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", checksum},
	{"bitcoin", "BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2", form},
	{"bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kV8f3t4", form}, // mixed case
	// Bitcoin wiki, "Address"; version 0x6f and 0xc4 of the same hashes.
	{"bitcoin", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", good},
	{"bitcoin", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", good},
	{"bitcoin", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3", checksum},
	{"bitcoin", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", testnet},
	{"bitcoin", "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc", testnet},
	{"bitcoin", "1111111111111111111114oLvT2", nobody},
	{"bitcoin", "bitcoin:1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", form},
	{"bitcoin", "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", other},
	{"bitcoin", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", other},

	{"litecoin", "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", good},
	{"litecoin", "LdhVys1Bw8Rx5EwquiUdx1DyWJF2xtXPmQ", good},
	{"litecoin", "MS1kPMTjQV9DVLGvXWw9QhAJVaHAjHh81o", good},
	{"litecoin", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", kind},
	{"litecoin", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLz", checksum},
	{"litecoin", "ltcmweb1" + strings.Repeat("q", 117), kind},
	{"litecoin", "tltc1qw508d6qejxtdg4y5r3zarvary0c5xw7klfsuq0", testnet},
	{"litecoin", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", testnet},
	{"litecoin", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", other},
	{"litecoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", other},

	// EIP-55: mixed, all capitals, all small letters. All but the first group
	// carry a warning, see TestWarnings.
	{"ethereum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", good},
	{"polygon", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", good},
	{"bsc", "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", good},
	{"avalanche_c", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb", good},
	{"ethereum", "0x52908400098527886E0F7030069857D2E4169EE7", good},
	{"ethereum", "0x8617E340B3D01FA5F11F306F4090FD50E238070D", good},
	{"ethereum", "0xde709f2102306220921060314715629080e2fb77", good},
	{"ethereum", "0x27b1fdb04752bbc536007a920d24acb045561c26", good},
	{"ethereum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed", checksum},
	{"ethereum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe", form},
	{"ethereum", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", form},
	{"ethereum", "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", form},
	{"ethereum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg", form},
	{"ethereum", "0x0000000000000000000000000000000000000000", nobody},
	{"base", "0x000000000000000000000000000000000000dEaD", nobody},
	{"base", "0x0000000000000000000000000000000000000001", nobody},
	{"ethereum", "0xdac17f958d2ee523a2206206994597c13d831ec7", wallet.CodeAddressOfToken},
	{"polygon", "0xdac17f958d2ee523a2206206994597c13d831ec7", good}, // not USDT there
	{"ethereum", "vitalik.eth", form},

	{"tron", "TJEh7TX8sNj5uq4hXKyYdTrnGmeeG48top", good},
	{"tron", "TJEh7TX8sNj5uq4hXKyYdTrnGmeeG48toq", checksum},
	{"tron", "415aaeb6053f3e94c9b9a09f33669435e7ef1beaed", kind},
	{"tron", "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb", nobody},
	{"tron", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", other},
	{"ethereum", "TJEh7TX8sNj5uq4hXKyYdTrnGmeeG48top", other},

	{"solana", "FVen3X669xLzsi6N2V91DoiyzHzg1uAgqiT8jZ9nS96Z", good},
	{"solana", "11111111111111111111111111111111", nobody}, // the System Program
	{"solana", "1111111111111111111111111111111", form},
	{"solana", "FVen3X669xLzsi6N2V91DoiyzHzg1uAgqiT8jZ9nS", form},
	{"solana", "FVen3X669xLzsi6N2V91DoiyzHzg1uAgqiT8jZ9nS960", form},
	{"solana", "TJEh7TX8sNj5uq4hXKyYdTrnGmeeG48top", other},

	// README of ripple-address-codec.
	{"xrp_ledger", "rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf", good},
	{"xrp_ledger", "XVLhHMPHU98es4dbozjVtdWzVrDjtV18pX8yuPT7y4xaEHi", kind},
	{"xrp_ledger", "T7oKJ3q7s94kDH6tpkBowhetT1JKfcfdSCmAXbS75iATyLD", testnet},
	{"xrp_ledger", "XVLhHMPHU98es4dbozjVtdWzVrDjtV18pX8yuPT7y4xaEHj", form},
	{"xrp_ledger", "rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpF", checksum},
	{"xrp_ledger", "rrrrrrrrrrrrrrrrrrrrrhoLvTp", nobody}, // ACCOUNT_ZERO and ACCOUNT_ONE
	{"xrp_ledger", "rrrrrrrrrrrrrrrrrrrrBZbvji", nobody},
	{"xrp_ledger", "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ", other},

	// SEP-23: the valid ones of other types, and the invalid ones.
	{"stellar", "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ", good},
	{"stellar", "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUQ", kind},
	{"stellar", "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVAAAAAAAAAAAAAJLK", kind},
	{"stellar", "PA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAQACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB6IBZGM", kind},
	{"stellar", "CA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUWDA", kind},
	{"stellar", "LA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUPJN", kind},
	{"stellar", "BAAD6DBUX6J22DMZOHIEZTEQ64CVCHEDRKWZONFEUL5Q26QD7R76RGR4TU", kind},
	{"stellar", "GAAAAAAAACGC6", form},
	{"stellar", "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUR", form},
	{"stellar", "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZA", form},
	{"stellar", "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUACUSI", form},
	{"stellar", "G47QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVP2I", form},
	{"stellar", "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVAAAAAAAAAAAAAAV75I", form},
	{"stellar", "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUK===", form},
	{"stellar", "BAAD6DBUX6J22DMZOHIEZTEQ64CVCHEDRKWZONFEUL5Q26QD7R76RGR4TV", form},
	{"stellar", "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSG2", checksum},
	{"stellar", "ga7qynf7sowq3glr2bgmzehxaviRZA4KVWLTJJFC7MGXUA74P7UJVSGZ", form},
	{"stellar", "GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF", nobody},

	{"bitcoin", "", form},
	{"bitcoin", "   ", form},
	{"bitcoin", "call me", form},
	{"bitcoin", "bc1q\xff", form},
	{"bitcoin", strings.Repeat("1", 100000), form},
	{"litecoin", "\u0130bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", form},
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, tt := range addressTests {
		if got := addressCode(tt.network, tt.address); got != tt.want {
			t.Errorf("%s %q: %q, want %q", tt.network, tt.address, got, tt.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	tests := []struct{ network, address, want string }{
		{"ethereum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", ""},
		{"ethereum", "0x52908400098527886E0F7030069857D2E4169EE7", "address_without_checksum"},
		{"ethereum", "0x27b1fdb04752bbc536007a920d24acb045561c26", "address_without_checksum"},
		{"ethereum", "0x1234567890123456789012345678901234567890", "address_without_checksum"},
		{"solana", "FVen3X669xLzsi6N2V91DoiyzHzg1uAgqiT8jZ9nS96Z", "address_without_checksum"},
		// The Vote Program, which no key belongs to (Solana documentation).
		{"solana", "Vote111111111111111111111111111111111111111", "address_without_checksum address_not_a_key"},
		{"tron", "TJEh7TX8sNj5uq4hXKyYdTrnGmeeG48top", ""},
	}
	for _, tt := range tests {
		warnings, err := wallet.Check(tt.network, coins[tt.network], tt.address, "")
		got := make([]string, len(warnings))
		for i, w := range warnings {
			got[i] = string(w.Code)
		}
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("%s %q: %q, %v; want %q", tt.network, tt.address, got, err, tt.want)
		}
	}
}

// TestSecrets checks that secret keys are told on every network. The keys are
// published ones.
func TestSecrets(t *testing.T) {
	t.Parallel()
	for _, key := range []string{
		"5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",                                                             // Bitcoin wiki, "Wallet import format"
		"KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617",                                                            // the same, compressed
		"KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP9861",                                                             // with a character missing
		"6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg",                                                      // BIP 38
		"xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi", // BIP 32
		"0C28FCA386C7A227600B2FE50B7CAE11EC86D3BF1FBE471BE89827E19D72AA1D",                                                // Bitcoin wiki
		"0x0c28fca386c7a227600b2fe50b7cae11ec86d3bf1fbe471be89827e19d72aa1d",
		"snoPBrXtMeMyMHUVTgbuqAfg1SUTb",                                                            // XRPL documentation
		"sEdTM1uX8pu2do5XvTnutH6HsouMaM2",                                                          // README of ripple-keypairs
		"SBU2RRGLXH3E5CQHTD3ODLDF2BWDCYUSSBLLZ5GNW7JXHDIYKXZWHOKR",                                 // js-stellar-base
		"554872 394230 209376 323698 140250 387423 652803 258676",                                  // XLS-12
		"4rQanLxTFvdgtLsGirizXejgYXACawB5ShoZgvz4wwXi4jnii7XHSyUFJbvAk4ojRiEAHvzK6Qnjq7UyJFNpydeQ", // docs of solana-web3.js
		"[" + strings.Repeat("174, ", 63) + "2]",
		strings.Repeat("abandon ", 11) + "about", // BIP 39
		"1. letter 2. advice 3. cage 4. absurd 5. amount 6. doctor 7. acoustic 8. avoid 9. letter 10. advice 11. cage 12. above",
		"あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あおぞら",
	} {
		for network := range coins {
			_, err := wallet.Check(network, coins[network], "\n"+key+" ", "")
			if len(wallet.AsErrors(err)) != 1 || wallet.AsErrors(err)[0].Code != secret {
				t.Errorf("%s: %q: %v", network, key, err)
			} else if strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), "Never give a secret key to anybody") {
				t.Errorf("%s: %v", network, err)
			}
		}
	}
}

package wallet_test

import (
	"encoding/hex"
	"math/rand/v2"
	"strings"
)

// familyOfAddress is a network, or several with the same addresses.
type familyOfAddress struct {
	name     string
	networks []string
	kinds    []kindOfAddress
	// special are addresses that are valid in some way but not as ours are.
	special []func(*rand.Rand) string
}

var evmNetworks = []string{"ethereum", "polygon", "bsc", "arbitrum", "optimism", "base", "avalanche_c"}

var families = []familyOfAddress{
	{"bitcoin", []string{"bitcoin"}, kindsOf("bitcoin"), append(segwitSpecials("bc", "tb"), versions(bitcoinBase58, 0, 5, 0x6f, 0xc4, 0x30, 0x80)...)},
	{"litecoin", []string{"litecoin"}, kindsOf("litecoin"), append(segwitSpecials("ltc", "tltc"), versions(bitcoinBase58, 0x30, 0x32, 0x3a, 5, 0xb0)...)},
	{"evm", evmNetworks, kindsOf("ethereum"), []func(*rand.Rand) string{
		func(r *rand.Rand) string { return "0x" + hex.EncodeToString(octets(r, 20)) },
		func(r *rand.Rand) string { return "0x" + strings.ToUpper(hex.EncodeToString(octets(r, 20))) },
		func(r *rand.Rand) string { return hexAddress(octets(r, 20))[2:] },
		func(r *rand.Rand) string { return "0X" + hexAddress(octets(r, 20))[2:] },
		func(r *rand.Rand) string { return hexAddress(octets(r, 19+r.IntN(3))) },
		func(*rand.Rand) string { return hexAddress(make([]byte, 20)) },
	}},
	{"tron", []string{"tron"}, kindsOf("tron"), append(versions(bitcoinBase58, 0x41, 0xa0, 0), func(r *rand.Rand) string {
		return "41" + hex.EncodeToString(octets(r, 20))
	})},
	{"solana", []string{"solana"}, kindsOf("solana"), []func(*rand.Rand) string{
		func(r *rand.Rand) string { return base58Of(octets(r, 28+r.IntN(8))) },
		func(r *rand.Rand) string { return base58Of(append(make([]byte, 1+r.IntN(32)), octets(r, 32)...)[:32]) },
		func(*rand.Rand) string { return base58Of(make([]byte, 32)) },
	}},
	{"xrp_ledger", []string{"xrp_ledger"}, kindsOf("xrp_ledger"), append(versions(rippleBase58, 0, 0x21, 0x1c), func(r *rand.Rand) string {
		prefix := [][]byte{{0x05, 0x44}, {0x04, 0x93}}[r.IntN(2)]
		return base58Check(rippleBase58, prefix, append(octets(r, 20), 1, 1, 2, 3, 4, 0, 0, 0, 0))
	}, func(r *rand.Rand) string {
		return base58Check(rippleBase58, []byte{0}, append(make([]byte, 1+r.IntN(20)), octets(r, 20)...)[:20])
	})},
	{"stellar", []string{"stellar"}, kindsOf("stellar"), []func(*rand.Rand) string{
		func(r *rand.Rand) string { return strkey(12<<3, octets(r, 40)) },
		func(r *rand.Rand) string {
			return strkey([]byte{6<<3 | 7, 18 << 3, 19 << 3, 23 << 3, 2 << 3}[r.IntN(5)], octets(r, 32))
		},
		func(r *rand.Rand) string { return strkey(6<<3, octets(r, 30+r.IntN(5))) },
		func(*rand.Rand) string { return strkey(6<<3, make([]byte, 32)) },
	}},
}

func kindsOf(network string) []kindOfAddress {
	var all []kindOfAddress
	for _, k := range kindsOfAddress {
		if k.network == network {
			all = append(all, k)
		}
	}
	return all
}

// versions are base58check of these versions, of a hash of a length that may be
// wrong, and of one that is all zeros.
func versions(alphabet string, list ...byte) []func(*rand.Rand) string {
	return []func(*rand.Rand) string{
		func(r *rand.Rand) string {
			return base58Check(alphabet, []byte{list[r.IntN(len(list))]}, octets(r, 20))
		},
		func(r *rand.Rand) string { return base58Check(alphabet, list[:1], octets(r, 18+r.IntN(4))) },
		func(*rand.Rand) string { return base58Check(alphabet, list[:1], make([]byte, 20)) },
	}
}

func segwitSpecials(hrp, testHRP string) []func(*rand.Rand) string {
	return []func(*rand.Rand) string{
		func(r *rand.Rand) string { return segwit(hrp, byte(r.IntN(32)), octets(r, 2+r.IntN(39)), false) },
		func(r *rand.Rand) string { return segwit(hrp, byte(r.IntN(2)), octets(r, 32), true) },
		func(r *rand.Rand) string { return segwit(testHRP, byte(r.IntN(2)), octets(r, 32), false) },
		func(r *rand.Rand) string { return strings.ToUpper(segwit(hrp, 0, octets(r, 20), false)) },
		func(*rand.Rand) string { return segwit(hrp, 0, make([]byte, 20), false) },
	}
}

// mutate makes something of a valid address that most often is none.
func (f familyOfAddress) mutate(r *rand.Rand) string {
	k := f.kinds[r.IntN(len(f.kinds))]
	s := k.make(r)
	i := r.IntN(len(s))
	switch r.IntN(9) {
	case 0:
		return k.substitute(r, s)
	case 1:
		return k.transpose(r, s)
	case 2: // of any printable character
		return s[:i] + string(rune('!'+r.IntN('~'-'!'+1))) + s[i+1:]
	case 3: // the case of one letter
		return s[:i] + strings.Map(swapCase, s[i:i+1]) + s[i+1:]
	case 4:
		return []string{strings.ToLower(s), strings.ToUpper(s), strings.Map(swapCase, s)}[r.IntN(3)]
	case 5:
		return s[:i] + s[i+1:]
	case 6:
		return s[:i] + string(k.alphabet[r.IntN(len(k.alphabet))]) + s[i:]
	case 7:
		other := kindsOfAddress[r.IntN(len(kindsOfAddress))]
		return other.make(r)
	default:
		return f.special[r.IntN(len(f.special))](r)
	}
}

func swapCase(c rune) rune {
	switch {
	case c >= 'a' && c <= 'z':
		return c - 'a' + 'A'
	case c >= 'A' && c <= 'Z':
		return c - 'A' + 'a'
	default:
		return c
	}
}

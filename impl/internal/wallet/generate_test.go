package wallet_test

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/bech32"
	"github.com/mr-tron/base58"
	"golang.org/x/crypto/sha3"
)

// seed of all that is generated here; it is printed by the tests that use it.
const seed = 20261125

func newRandom(t *testing.T, stream uint64) *rand.Rand {
	t.Helper()
	t.Logf("seed %d, stream %d", seed, stream)
	return rand.New(rand.NewPCG(seed, stream))
}

const (
	bitcoinBase58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	rippleBase58  = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
	bech32Letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	base32Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	hexLetters    = "0123456789abcdefABCDEF"
)

func octets(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func base58Check(alphabet string, version []byte, payload []byte) string {
	body := append(append([]byte{}, version...), payload...)
	first := sha256.Sum256(body)
	second := sha256.Sum256(first[:])
	return base58.EncodeAlphabet(append(body, second[:4]...), base58.NewAlphabet(alphabet))
}

// segwit encodes as BIP 350 says, or the other way round.
func segwit(hrp string, version byte, program []byte, wrong bool) string {
	data, err := bech32.ConvertBits(program, 8, 5, true)
	if err != nil {
		panic(err)
	}
	encode := bech32.EncodeM
	if (version == 0) != wrong {
		encode = bech32.Encode
	}
	s, err := encode(hrp, append([]byte{version}, data...))
	if err != nil {
		panic(err)
	}
	return s
}

func hexAddress(key []byte) string {
	small := hex.EncodeToString(key)
	hash := sha3.NewLegacyKeccak256()
	hash.Write([]byte(small))
	sum := hash.Sum(nil)
	mixed := []byte(small)
	for i, c := range mixed {
		nibble := sum[i/2] >> 4
		if i%2 == 1 {
			nibble = sum[i/2] & 15
		}
		if c >= 'a' && nibble > 7 {
			mixed[i] -= 32
		}
	}
	return "0x" + string(mixed)
}

func strkey(version byte, content []byte) string {
	body := append([]byte{version}, content...)
	var crc uint16
	for _, octet := range body { // bit by bit, most significant first
		for bit := 7; bit >= 0; bit-- {
			top := crc>>15 ^ uint16(octet>>bit&1)
			crc = crc<<1 ^ top*0x1021
		}
	}
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(binary.LittleEndian.AppendUint16(body, crc))
}

// kindOfAddress is a way of writing addresses that has a check of its own.
type kindOfAddress struct {
	name, network string
	alphabet      string
	prefix        int // characters that are not of the alphabet
	make          func(*rand.Rand) string
}

var kindsOfAddress = []kindOfAddress{
	{"base58check of Bitcoin", "bitcoin", bitcoinBase58, 0, func(r *rand.Rand) string {
		return base58Check(bitcoinBase58, []byte{[]byte{0x00, 0x05}[r.IntN(2)]}, octets(r, 20))
	}},
	{"bech32 of Bitcoin", "bitcoin", bech32Letters, 3, func(r *rand.Rand) string {
		return segwit("bc", 0, octets(r, []int{20, 32}[r.IntN(2)]), false)
	}},
	{"bech32m of Bitcoin", "bitcoin", bech32Letters, 3, func(r *rand.Rand) string { return segwit("bc", 1, octets(r, 32), false) }},
	{"base58check of Litecoin", "litecoin", bitcoinBase58, 0, func(r *rand.Rand) string {
		return base58Check(bitcoinBase58, []byte{[]byte{0x30, 0x32}[r.IntN(2)]}, octets(r, 20))
	}},
	{"bech32 of Litecoin", "litecoin", bech32Letters, 4, func(r *rand.Rand) string {
		return segwit("ltc", 0, octets(r, []int{20, 32}[r.IntN(2)]), false)
	}},
	{"bech32m of Litecoin", "litecoin", bech32Letters, 4, func(r *rand.Rand) string { return segwit("ltc", 1, octets(r, 32), false) }},
	{"EIP-55", "ethereum", hexLetters, 2, func(r *rand.Rand) string {
		for {
			if s := hexAddress(octets(r, 20)); strings.ContainsAny(s, "abcdef") && strings.ContainsAny(s, "ABCDEF") {
				return s
			}
		}
	}},
	{"base58check of Tron", "tron", bitcoinBase58, 0, func(r *rand.Rand) string {
		return base58Check(bitcoinBase58, []byte{0x41}, octets(r, 20))
	}},
	{"base58 of Solana", "solana", bitcoinBase58, 0, func(r *rand.Rand) string { return base58.Encode(octets(r, 32)) }},
	{"base58check of the XRP Ledger", "xrp_ledger", rippleBase58, 0, func(r *rand.Rand) string {
		return base58Check(rippleBase58, []byte{0}, octets(r, 20))
	}},
	{"CRC-16 of Stellar", "stellar", base32Letters, 0, func(r *rand.Rand) string { return strkey(6<<3, octets(r, 32)) }},
}

// substitute exchanges one character for another one of the alphabet.
func (k kindOfAddress) substitute(r *rand.Rand, s string) string {
	b := []byte(s)
	i := k.prefix + r.IntN(len(b)-k.prefix)
	for b[i] == s[i] {
		b[i] = k.alphabet[r.IntN(len(k.alphabet))]
	}
	return string(b)
}

// transpose swaps two neighbours that differ.
func (k kindOfAddress) transpose(r *rand.Rand, s string) string {
	b := []byte(s)
	for string(b) == s {
		i := k.prefix + r.IntN(len(b)-k.prefix-1)
		b[i], b[i+1] = b[i+1], b[i]
	}
	return string(b)
}

func base58Of(b []byte) string { return base58.Encode(b) }

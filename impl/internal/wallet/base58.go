package wallet

import (
	"bytes"
	"crypto/sha256"
	"math/big"
	"slices"

	"github.com/mr-tron/base58"
)

const (
	hashLength     = 20 // of RIPEMD-160, and of what Ethereum and Tron keep of Keccak-256
	checksumLength = 4
)

// rippleAlphabet is base58 in the order of the XRP Ledger (XRPL documentation,
// "base58 Encodings").
var rippleAlphabet = base58.NewAlphabet("rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz")

// base58Check takes the checksum off, the first octets of SHA-256 twice (Bitcoin
// wiki, "Base58Check encoding"). It returns nil if there is none that matches.
func base58Check(s string, alphabet *base58.Alphabet) []byte {
	raw, err := base58.DecodeAlphabet(s, alphabet)
	if err != nil || len(raw) <= checksumLength {
		return nil
	}
	body, sum := raw[:len(raw)-checksumLength], raw[len(raw)-checksumLength:]
	first := sha256.Sum256(body)
	second := sha256.Sum256(first[:])
	if !bytes.Equal(second[:checksumLength], sum) {
		return nil
	}
	return body
}

// readVersioned reads base58check of a version of one octet and a hash.
func readVersioned(address string, alphabet *base58.Alphabet, versions ...byte) (reading, fault) {
	body := base58Check(address, alphabet)
	switch {
	case body == nil:
		return reading{}, badChecksum
	case len(body) != 1+hashLength || !slices.Contains(versions, body[0]):
		return reading{}, fault{code: CodeAddressForm}
	}
	return reading{canonical: address, payload: body[1:]}, fault{}
}

// tron is base58check with version 0x41 (TRON documentation, "Account").
type tron struct{}

func (tron) read(address string) (reading, fault) {
	return readVersioned(address, base58.BTCAlphabet, 0x41)
}

func (tron) explain(address string) fault {
	if tronHex().MatchString(address) {
		return fault{CodeAddressKind, "This is an address in hexadecimal. Enter the same address in the form that begins with T, as your wallet shows it."}
	}
	return fault{}
}

// ripple is base58check in the alphabet of the XRP Ledger. A classic address has
// version 0 (XRPL documentation, "Addresses"); an X-address is two octets that
// name the network, the hash, a flag and 8 octets for the tag (XLS-5).
type ripple struct{}

const xAddressLength = 2 + hashLength + 1 + 8

var (
	xAddressMain = []byte{0x05, 0x44}
	xAddressTest = []byte{0x04, 0x93}
)

func (ripple) read(address string) (reading, fault) {
	return readVersioned(address, rippleAlphabet, 0)
}

func (ripple) explain(address string) fault {
	body := base58Check(address, rippleAlphabet)
	switch {
	case len(body) != xAddressLength:
		return fault{}
	case bytes.HasPrefix(body, xAddressTest):
		return onTestnet("the XRP Ledger")
	case bytes.HasPrefix(body, xAddressMain):
		return fault{CodeAddressKind, "This is an X-address, which holds an address and a destination tag in one. " +
			"Enter the address that begins with r, and the destination tag as the memo."}
	}
	return fault{}
}

// solana is base58 of 32 octets without a checksum (Solana documentation,
// "Accounts"): as a rule an Ed25519 public key, and else an address that a
// program has, which is chosen so that it is no point of the curve.
type solana struct{}

const solanaLength = 32

func (solana) read(address string) (reading, fault) {
	key, err := base58.Decode(address)
	if err != nil || len(key) != solanaLength {
		return reading{}, fault{code: CodeAddressForm}
	}
	warnings := []Finding{{FieldAddress, CodeAddressWithoutChecksum,
		"Addresses of Solana have no checksum, so a mistyped character cannot be noticed. Compare the whole address with the one in your wallet."}}
	if !onCurve(key) {
		warnings = append(warnings, Finding{FieldAddress, CodeAddressNotAKey,
			"This address is not the key of a wallet: it belongs to a program, or a character is mistyped. Make sure that you can receive at it."})
	}
	return reading{canonical: address, payload: key, warnings: warnings}, fault{}
}

func (solana) explain(string) fault { return fault{} }

// Of edwards25519 (RFC 8032 §5.1): the prime 2^255 - 19, and d = -121665/121666.
var (
	fieldPrime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	curveD     = new(big.Int).Mod(new(big.Int).Mul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), fieldPrime)), fieldPrime)
)

// onCurve tells whether a point with this y is on the curve. It is if
// (y^2 - 1) / (d y^2 + 1) has a root (RFC 8032 §5.1.3), and a quotient has one
// exactly if the product has.
func onCurve(key []byte) bool {
	bigEndian := slices.Clone(key)
	slices.Reverse(bigEndian)
	bigEndian[0] &= 0x7f // the sign of x
	y2 := new(big.Int).SetBytes(bigEndian)
	y2.Mul(y2, y2).Mod(y2, fieldPrime)
	u := new(big.Int).Sub(y2, big.NewInt(1))
	v := new(big.Int).Mul(curveD, y2)
	v.Add(v, big.NewInt(1))
	product := u.Mul(u, v)
	return big.Jacobi(product.Mod(product, fieldPrime), fieldPrime) >= 0
}

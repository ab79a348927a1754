package wallet

import (
	"slices"
	"strings"

	"github.com/btcsuite/btcd/btcutil/bech32"
	"github.com/mr-tron/base58"
)

// bitcoinLike is how Bitcoin and what was made from it write addresses:
// base58check of a version and a hash, and segwit addresses (BIP 173, BIP 350).
type bitcoinLike struct {
	label        string
	versions     []byte // of base58check
	testVersions []byte
	hrp          string // the human-readable part of segwit addresses
	testHRPs     []string
	// foreign is a version that another network has too, 0 for none.
	foreign       byte
	foreignDetail string
	// otherHRPs are those of addresses that cannot be paid to.
	otherHRPs map[string]string
}

// The constants are those of chainparams.cpp in Bitcoin Core, and of SLIP-173.
var bitcoin = &bitcoinLike{
	label:        "Bitcoin",
	versions:     []byte{0x00, 0x05},
	testVersions: []byte{0x6f, 0xc4},
	hrp:          "bc",
	testHRPs:     []string{"tb", "bcrt"},
}

// The constants are those of chainparams.cpp in Litecoin Core 0.21, which added
// version 0x32 for scripts in 2017 and keeps 0x05 for old wallets.
var litecoin = &bitcoinLike{
	label:        "Litecoin",
	versions:     []byte{0x30, 0x32},
	testVersions: []byte{0x6f, 0xc4, 0x3a},
	hrp:          "ltc",
	testHRPs:     []string{"tltc", "rltc", "tmweb"},
	foreign:      0x05,
	foreignDetail: "This address begins with 3, as those of Bitcoin do, so it cannot be told whether it is of Litecoin. " +
		"Enter the same address in the form that begins with M, or one that begins with ltc1.",
	otherHRPs: map[string]string{
		"ltcmweb": "This is an address of MWEB, Litecoin's private part, which cannot be paid to from here. Enter an address that begins with ltc1, L or M.",
	},
}

func (b *bitcoinLike) read(address string) (reading, fault) {
	if isPrefixFold(address, b.hrp+"1") {
		return b.readSegwit(address)
	}
	read, why := readVersioned(address, base58.BTCAlphabet, b.versions...)
	if why.code == CodeAddressForm && b.foreign != 0 {
		if _, other := readVersioned(address, base58.BTCAlphabet, b.foreign); other.code == "" {
			return reading{}, fault{CodeAddressKind, b.foreignDetail}
		}
	}
	return read, why
}

// readSegwit decodes as BIP 350 says: bech32 for version 0, bech32m for others.
func (b *bitcoinLike) readSegwit(address string) (reading, fault) {
	hrp, data, encoding, err := bech32.DecodeGeneric(address)
	switch {
	case err != nil:
		// All but the checksum is right: the pattern has one case, the alphabet
		// and the human-readable part.
		return reading{}, badChecksum
	case hrp != b.hrp || len(data) == 0 || data[0] > 16:
		return reading{}, fault{code: CodeAddressForm}
	}
	version := data[0]
	if (version == 0) != (encoding == bech32.Version0) {
		return reading{}, badChecksum
	}
	program, err := bech32.ConvertBits(data[1:], 5, 8, false)
	if err != nil || len(program) < 2 || len(program) > 40 {
		return reading{}, fault{code: CodeAddressForm}
	}
	switch {
	case version == 0 && len(program) != 20 && len(program) != 32: // BIP 141
		return reading{}, fault{code: CodeAddressForm}
	case version == 1 && len(program) != 32, version > 1: // BIP 341 gives rules to 32 octets only
		return reading{}, fault{CodeAddressKind, "Addresses of this kind are not in use on " + b.label +
			" yet; anybody could take what is sent to one. Enter another address of your wallet."}
	}
	return reading{canonical: strings.ToLower(address), payload: program}, fault{}
}

func (b *bitcoinLike) explain(address string) fault {
	for _, hrp := range b.testHRPs {
		if isPrefixFold(address, hrp+"1") {
			return onTestnet(b.label)
		}
	}
	for hrp, detail := range b.otherHRPs {
		if isPrefixFold(address, hrp+"1") {
			return fault{CodeAddressKind, detail}
		}
	}
	if body := base58Check(address, base58.BTCAlphabet); len(body) == 1+hashLength && slices.Contains(b.testVersions, body[0]) {
		return onTestnet(b.label)
	}
	return fault{}
}

func isPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

package wallet

import (
	"encoding/hex"
	"strings"

	"golang.org/x/crypto/sha3"
)

// evm is how Ethereum and networks like it write addresses: 0x and 20 octets in
// hexadecimal. Capitals and small letters are a checksum (EIP-55); an address in
// one case carries none. The checksums of EIP-1191, which depend on the network,
// are of none of the networks here.
type evm struct{}

const evmPrefix = "0x"

func (evm) read(address string) (reading, fault) {
	digits := strings.TrimPrefix(address, evmPrefix)
	payload, err := hex.DecodeString(digits)
	if err != nil {
		return reading{}, fault{code: CodeAddressForm}
	}
	small := strings.ToLower(digits)
	if digits == small || digits == strings.ToUpper(digits) {
		return reading{canonical: evmPrefix + small, payload: payload, warnings: []Finding{{FieldAddress, CodeAddressWithoutChecksum,
			"This address carries no checksum, so a mistyped character cannot be noticed. " +
				"Copy it from your wallet with its capitals and small letters, or compare the whole address."}}}, fault{}
	}
	if digits != eip55(small) {
		return reading{}, fault{CodeAddressChecksum, "The capitals and small letters of this address do not match the rest: " +
			"a character is probably mistyped. Copy the address from your wallet instead of typing it."}
	}
	return reading{canonical: address, payload: payload}, fault{}
}

// eip55 makes a capital of each letter where the Keccak-256 of the address in
// small letters has a hexadecimal digit of 8 or more.
func eip55(small string) string {
	hash := sha3.NewLegacyKeccak256()
	hash.Write([]byte(small)) // never fails
	sum := hex.EncodeToString(hash.Sum(nil))
	mixed := []byte(small)
	for i, c := range mixed {
		if c >= 'a' && sum[i] >= '8' {
			mixed[i] = c - 'a' + 'A'
		}
	}
	return string(mixed)
}

func (evm) explain(string) fault { return fault{} }

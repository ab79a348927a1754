package wallet

import (
	"encoding/base32"
	"encoding/binary"
)

// stellar is a strkey (SEP-23): base32 of a version, the content and a CRC-16.
// Of its types only an account's Ed25519 key is paid to.
type stellar struct{}

const (
	strkeyAccount = 6 << 3
	strkeyMuxed   = 12 << 3
	crcLength     = 2
	accountLength = 1 + 32 // of a version and a key
	muxedLength   = accountLength + 8
)

// strkeyKinds are the other types (SEP-23, version 1.3.0), with what is said
// about them. Secret keys (18 << 3) have a sentence of their own.
var strkeyKinds = map[byte]string{
	strkeyMuxed: "This is a muxed address, which holds an account and a number in one. Enter the address that begins with G, and the number as the memo.",
	2 << 3:      "This is the address of a contract. Enter the address of an account, which begins with G.",
	1 << 3:      notAnAccount, 11 << 3: notAnAccount, 15 << 3: notAnAccount, 19 << 3: notAnAccount, 23 << 3: notAnAccount,
}

const notAnAccount = "This is not the address of an account. Enter the address of an account, which begins with G."

// strkey gives version and content, nil if it is none with a checksum that
// matches.
func strkey(s string) []byte {
	encoding := base32.StdEncoding.WithPadding(base32.NoPadding)
	raw, err := encoding.DecodeString(s)
	// Encoding it again tells unused bits and lengths that decoders let through.
	if err != nil || len(raw) <= crcLength || encoding.EncodeToString(raw) != s {
		return nil
	}
	body, sum := raw[:len(raw)-crcLength], raw[len(raw)-crcLength:]
	if crc16(body) != binary.LittleEndian.Uint16(sum) {
		return nil
	}
	return body
}

// crc16 is CRC-16/XMODEM: x^16 + x^12 + x^5 + 1, from 0.
func crc16(data []byte) uint16 {
	var crc uint16
	for _, octet := range data {
		crc ^= uint16(octet) << 8
		for range 8 {
			carry := crc & 0x8000
			crc <<= 1
			if carry != 0 {
				crc ^= 0x1021
			}
		}
	}
	return crc
}

func (stellar) read(address string) (reading, fault) {
	body := strkey(address)
	switch {
	case body == nil:
		return reading{}, badChecksum
	case len(body) != accountLength || body[0] != strkeyAccount:
		return reading{}, fault{code: CodeAddressForm}
	}
	return reading{canonical: address, payload: body[1:]}, fault{}
}

func (stellar) explain(address string) fault {
	body := strkey(address)
	if body == nil || body[0] == strkeyMuxed && len(body) != muxedLength {
		return fault{}
	}
	if detail, known := strkeyKinds[body[0]]; known {
		return fault{CodeAddressKind, detail}
	}
	return fault{}
}

package wallet

import (
	"regexp"
	"strings"
)

// maxAddress bounds in octets what is looked at as an address. The longest that
// is known by name, of Litecoin's MWEB, has 125.
const maxAddress = 128

// network is a [Network] with what it takes to read its addresses.
type network struct {
	Network
	form   func() *regexp.Regexp // of Pattern, which so cannot say anything else
	scheme scheme
	memo   memoCheck
	tokens map[string]string // codes of the assets, by the payload of Token
}

// scheme is how addresses are written. Networks with the same one share it.
type scheme interface {
	// read takes an address of the right form apart.
	read(address string) (reading, fault)
	// explain looks at what has not that form for what it may be instead.
	explain(address string) fault
}

// reading is what an address says.
type reading struct {
	canonical string
	payload   []byte // the key or hash
	warnings  []Finding
}

// fault is why an address is refused. The zero value stands for none.
type fault struct {
	code   Code
	detail string
}

func (n *network) read(given string) (reading, *Error) {
	address := strings.TrimSpace(given)
	read, why := n.parse(address)
	if why.code == "" {
		why = n.lost(read)
	}
	if why.code == CodeAddressForm {
		why = n.explain(address)
	}
	if why.code != "" {
		return reading{}, &Error{FieldAddress, why.code, why.detail}
	}
	return read, nil
}

func (n *network) parse(address string) (reading, fault) {
	if len(address) > maxAddress || !n.form().MatchString(address) {
		return reading{}, fault{code: CodeAddressForm}
	}
	return n.scheme.read(address)
}

// lost tells addresses from which money does not come back. Keys and hashes that
// begin with so many zeros do not occur: they are the address of all zeros, its
// neighbours, which networks give a meaning of their own (precompiled contracts,
// ACCOUNT_ONE of the XRP Ledger), and 0xdEaD, where tokens are burned.
func (n *network) lost(read reading) fault {
	if head := read.payload[:len(read.payload)-2]; strings.Trim(string(head), "\x00") == "" {
		return fault{CodeAddressOfNobody, "This address belongs to nobody; what is sent to it is lost. Enter the address at which your wallet receives."}
	}
	if code, known := n.tokens[string(read.payload)]; known {
		return fault{CodeAddressOfToken, "This is the address of the token " + code +
			" itself, not of a wallet; what is sent to it is lost. Enter the address at which your wallet receives."}
	}
	return fault{}
}

// explain says the most helpful thing about what has not the form of an address
// of this network. Secret keys come first: nothing else matters as much.
func (n *network) explain(address string) fault {
	if address == "" {
		return fault{CodeAddressForm, "Enter the address at which your wallet receives on " + n.Label + "."}
	}
	if what := secretKind(address); what != "" {
		return fault{CodeAddressIsSecretKey, secretDetail(what)}
	}
	if len(address) <= maxAddress {
		if why := n.scheme.explain(address); why.code != "" {
			return why
		}
		if other := n.other(address); other != nil {
			return fault{CodeAddressOfOtherNetwork, "This looks like an address of " + other.Label + ", not of " + n.Label +
				". Choose that network, or enter an address of " + n.Label + "."}
		}
	}
	return fault{CodeAddressForm, "This is not an address of " + n.Label + ", which " + n.Hint +
		". A character may be missing, added or mistyped; copy the address from your wallet, without anything around it."}
}

// other finds a network of another scheme whose address it is.
func (n *network) other(address string) *network {
	for _, candidate := range networks {
		if candidate.scheme == n.scheme {
			continue
		}
		if _, why := candidate.parse(address); why.code == "" {
			return candidate
		}
	}
	return nil
}

// badChecksum is the fault of an address in which something is mistyped.
var badChecksum = fault{CodeAddressChecksum,
	"The checksum of this address does not match: a character is probably mistyped. Copy the address from your wallet instead of typing it."}

func onTestnet(label string) fault {
	return fault{CodeAddressOfTestnet, "This is an address of a test network, where coins have no value. Enter an address of " + label + " itself."}
}

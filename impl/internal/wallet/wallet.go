package wallet

import (
	"errors"
	"slices"
	"strings"
)

// Field names what a finding is about.
type Field string

// The fields of a wallet.
const (
	FieldNetwork Field = "network"
	FieldAsset   Field = "asset"
	FieldAddress Field = "address"
	FieldMemo    Field = "memo"
)

// Code names a finding. Codes are stable: clients tell findings apart by them.
type Code string

// Codes of errors.
const (
	CodeUnknownNetwork    Code = "unknown_network"
	CodeAssetNotOnNetwork Code = "asset_not_on_network"
	// CodeAddressForm is for what has not the form of an address of the network.
	CodeAddressForm Code = "address_form"
	// CodeAddressChecksum is for what has the form, with a checksum that does not match.
	CodeAddressChecksum Code = "address_checksum"
	// CodeAddressOfTestnet is for addresses of the network's test networks.
	CodeAddressOfTestnet Code = "address_of_testnet"
	// CodeAddressOfOtherNetwork is for what is an address, of another network.
	CodeAddressOfOtherNetwork Code = "address_of_other_network"
	// CodeAddressKind is for addresses of the network that cannot be paid to.
	CodeAddressKind Code = "address_kind"
	// CodeAddressOfNobody is for the address whose key or hash is all zeros.
	CodeAddressOfNobody Code = "address_of_nobody"
	// CodeAddressOfToken is for the contract, mint or issuer of a token.
	CodeAddressOfToken     Code = "address_of_token"
	CodeAddressIsSecretKey Code = "address_is_secret_key" //nolint:gosec // G101 takes it for a credential
	CodeMemoNotAllowed     Code = "memo_not_allowed"
	CodeMemoForm           Code = "memo_form"
	CodeMemoIsSecretKey    Code = "memo_is_secret_key"
)

// Codes of warnings.
const (
	// CodeAddressWithoutChecksum is for addresses in which a typo shows nowhere.
	CodeAddressWithoutChecksum Code = "address_without_checksum"
	// CodeAddressNotAKey is for a Solana address that is no point of the curve.
	CodeAddressNotAKey Code = "address_not_a_key"
	CodeMemoMissing    Code = "memo_missing"
)

// Finding is what a check has to say about a field. Detail is one or two
// sentences for the person who gave the value, and never holds the value.
type Finding struct {
	Field  Field
	Code   Code
	Detail string
}

// Error is a finding for which a wallet is refused.
type Error Finding

func (e *Error) Error() string { return string(e.Field) + ": " + e.Detail }

// Errors are all findings for which a wallet is refused, at most one for each
// field. errors.As finds the first of them as an [*Error].
type Errors []*Error

func (e Errors) Error() string {
	details := make([]string, len(e))
	for i, one := range e {
		details[i] = one.Error()
	}
	return strings.Join(details, "\n")
}

// Unwrap gives the findings to the functions of package errors.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}

// Check judges an address of a network for an asset, with the memo that payments
// to it need (empty for none). Spaces around the address make no difference. The
// error is of type [Errors]; warnings are given with and without one.
func Check(network, asset, address, memo string) (warnings []Finding, err error) {
	n, failed := lookup(network)
	if failed != nil {
		return nil, Errors{failed}
	}
	var errs Errors
	if !slices.ContainsFunc(n.Assets, func(a Asset) bool { return a.Code == asset }) {
		errs = append(errs, assetError(n))
	}
	read, failed := n.read(address)
	if failed != nil {
		errs = append(errs, failed)
	}
	warnings = append(warnings, read.warnings...)
	memoWarnings, failed := n.checkMemo(memo)
	if failed != nil {
		errs = append(errs, failed)
	}
	warnings = append(warnings, memoWarnings...)
	if errs != nil {
		return warnings, errs
	}
	return warnings, nil
}

// Canonical gives the form of an address in which it is kept, see the package's
// comment. It returns an [*Error] for what [Check] refuses as an address.
func Canonical(network, address string) (string, error) {
	n, failed := lookup(network)
	if failed != nil {
		return "", failed
	}
	read, failed := n.read(address)
	if failed != nil {
		return "", failed
	}
	return read.canonical, nil
}

func lookup(name string) (*network, *Error) {
	i := slices.IndexFunc(networks, func(n *network) bool { return n.Name == name })
	if i < 0 {
		labels := make([]string, len(networks))
		for i, n := range networks {
			labels[i] = n.Name
		}
		return nil, &Error{FieldNetwork, CodeUnknownNetwork, "No such network. Choose one of " + strings.Join(labels, ", ") + "."}
	}
	return networks[i], nil
}

func assetError(n *network) *Error {
	codes := make([]string, len(n.Assets))
	for i, a := range n.Assets {
		codes[i] = a.Code
	}
	return &Error{FieldAsset, CodeAssetNotOnNetwork, "This asset cannot be paid out on " + n.Label + ", only " + strings.Join(codes, ", ") +
		". Choose another asset, or the network on which your wallet receives this one."}
}

// AsErrors gives the findings of an error of this package, none for others.
func AsErrors(err error) Errors {
	var all Errors
	if errors.As(err, &all) {
		return all
	}
	var one *Error
	if errors.As(err, &one) {
		return Errors{one}
	}
	return nil
}

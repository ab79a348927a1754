// Package disbursement knows where money can be sent to, and checks it before
// any is sent.
//
// # Three kinds
//
// A [Draft] describes a method as somebody gives it: an account that is reached
// by ACH, one that is reached by wire transfer, or a wallet. Which fields a kind
// has, which of them a route (a kind, a country, a currency) requires, and how
// each is checked is data, in requirements.go: [Requirements] tells it to those
// who draw a form, and [Accept] checks by it.
//
// # Findings and warnings
//
// A field that is missing, or two that do not go together, is always refused.
// What decides money (check digits, countries of codes, checksums of addresses)
// is refused too, unless the caller asks for leniency: then the finding becomes a
// [Warning], and the method is stored as not usable. What cannot be decided (an
// address without a checksum, a holder of another name) is a warning either way,
// and leaves the method usable.
//
// # What is secret
//
// Account numbers, IBANs, addresses of wallets and memos are [Secrets]. They
// leave [Accept] apart from the [Method], which has at most their last four
// characters, and are stored encrypted, bound to the customer and the method by
// a [Sealer].
package disbursement

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Type is a kind of method. Its text is that of the contract.
type Type string

// The kinds.
const (
	ACH    Type = "ach"
	Wire   Type = "wire_transfer"
	Wallet Type = "crypto_wallet"
)

// Most is how many methods a customer may have.
const Most = 10

// Address is a postal address. Any part may be empty.
type Address struct {
	Line1    string `json:",omitempty"`
	Line2    string `json:",omitempty"`
	City     string `json:",omitempty"`
	State    string `json:",omitempty"`
	Country  string `json:",omitempty"` // ISO 3166-1 alpha-2
	PostCode string `json:",omitempty"`
}

// Draft is a method as it is given. What a kind does not have is empty.
type Draft struct {
	Type               Type
	AccountName        string
	AccountType        string // checking or savings
	Currency           string // ISO 4217 in small letters; euro is eur
	RoutingNumber      string // ABA
	AccountNumber      string
	IBAN               string
	BIC                string
	BranchNumber       string
	RoutingCode        string // of a clearing system
	BankName           string
	BankAddress        *Address
	BeneficiaryAddress *Address
	Intermediary       *Intermediary
	Asset              string // ticker symbol
	Network            string
	WalletAddress      string
	Memo               string
}

// Intermediary is a bank that a transfer goes through.
type Intermediary struct {
	BankName      string
	BankAddress   *Address
	RoutingNumber string
	BIC           string
	AccountNumber string
}

// Details is what of a method is not secret, as stored.
type Details struct {
	AccountName        string              `json:",omitempty"`
	AccountType        string              `json:",omitempty"`
	Currency           string              `json:",omitempty"`
	RoutingNumber      string              `json:",omitempty"`
	AccountNumberLast  string              `json:",omitempty"` // at most four characters
	IBANLast           string              `json:",omitempty"`
	BIC                string              `json:",omitempty"`
	BranchNumber       string              `json:",omitempty"`
	RoutingCode        string              `json:",omitempty"`
	BankName           string              `json:",omitempty"`
	BankAddress        *Address            `json:",omitempty"`
	BeneficiaryAddress *Address            `json:",omitempty"`
	Intermediary       *MaskedIntermediary `json:",omitempty"`
	Asset              string              `json:",omitempty"`
	Network            string              `json:",omitempty"`
	AddressLast        string              `json:",omitempty"`
	HasMemo            bool                `json:",omitempty"`
}

// MaskedIntermediary is what of an [Intermediary] is not secret.
type MaskedIntermediary struct {
	BankName          string   `json:",omitempty"`
	BankAddress       *Address `json:",omitempty"`
	RoutingNumber     string   `json:",omitempty"`
	BIC               string   `json:",omitempty"`
	AccountNumberLast string   `json:",omitempty"`
}

// Secrets is what of a method is secret. It does not print itself.
type Secrets struct {
	AccountNumber             string `json:",omitempty"`
	IBAN                      string `json:",omitempty"`
	WalletAddress             string `json:",omitempty"`
	Memo                      string `json:",omitempty"`
	IntermediaryAccountNumber string `json:",omitempty"`
}

// String hides what is secret.
func (Secrets) String() string { return "secrets of a disbursement method" }

// GoString hides it from %#v too.
func (s Secrets) GoString() string { return s.String() }

// Encode gives the secrets as text, to be encrypted.
func (s Secrets) Encode() ([]byte, error) {
	type plain Secrets // without the methods that hide it
	b, err := json.Marshal(plain(s))
	if err != nil {
		return nil, fmt.Errorf("encode secrets: %w", err)
	}
	return b, nil
}

// Warning is something about a method that its owner should look at.
type Warning struct {
	Pointer string // RFC 6901, in the method
	Code    string // stable
	Detail  string // what is wrong and how to mend it; never holds the value
}

// Method is a method as stored, without its secrets.
type Method struct {
	ID        string
	Type      Type
	IsDefault bool
	Usable    bool // whether money can be sent there
	Details   Details
	Warnings  []Warning
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Sealer encrypts the secrets of a method, bound to it and to its customer.
type Sealer interface {
	Seal(s Secrets, customerID int64, methodID string) ([]byte, error)
}

// last gives the end of a value that may be shown: four characters, and never
// more than half of a short one.
func last(value string) string {
	const shown = 4
	runes := []rune(value)
	return string(runes[len(runes)-min(shown, len(runes)/2):])
}

// significant leaves out of an account number what only divides it.
func significant(number string) string {
	return strings.NewReplacer(" ", "", "-", "").Replace(number)
}

func (d *Draft) details() Details {
	out := Details{
		AccountName: d.AccountName, AccountType: d.AccountType, Currency: d.Currency,
		RoutingNumber: d.RoutingNumber, AccountNumberLast: last(significant(d.AccountNumber)), IBANLast: last(d.IBAN),
		BIC: d.BIC, BranchNumber: d.BranchNumber, RoutingCode: d.RoutingCode, BankName: d.BankName,
		BankAddress: d.BankAddress, BeneficiaryAddress: d.BeneficiaryAddress,
		Asset: d.Asset, Network: d.Network, AddressLast: last(d.WalletAddress), HasMemo: d.Memo != "",
	}
	if i := d.Intermediary; i != nil {
		out.Intermediary = &MaskedIntermediary{BankName: i.BankName, BankAddress: i.BankAddress, RoutingNumber: i.RoutingNumber, BIC: i.BIC, AccountNumberLast: last(significant(i.AccountNumber))}
	}
	return out
}

func (d *Draft) secrets() Secrets {
	s := Secrets{AccountNumber: d.AccountNumber, IBAN: d.IBAN, WalletAddress: d.WalletAddress, Memo: d.Memo}
	if d.Intermediary != nil {
		s.IntermediaryAccountNumber = d.Intermediary.AccountNumber
	}
	return s
}

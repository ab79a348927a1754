package disbursement

import (
	"slices"

	"cryptoexchange.com/escrow/impl/internal/banking"
	"cryptoexchange.com/escrow/impl/internal/country"
	"cryptoexchange.com/escrow/impl/internal/wallet"
)

// Route is what requirements depend on: a kind, the country of the bank, and
// the currency, or for a wallet the ticker symbol of what is sent.
type Route struct {
	Type     Type
	Country  string // ISO 3166-1 alpha-2
	Currency string
}

// Field is a field of a form for a method.
type Field struct {
	Name      string // of the property; of one inside an object, with dots
	Label     string // in English
	Required  bool
	Secret    bool // never shown again in full
	MinLength int  // characters
	MaxLength int
	Pattern   string // ECMA 262; empty if any text will do
	Example   string
	Choices   []string // empty if there is no list

	value   func(*Draft) string
	check   func(string) error // of what decides money; nil if there is none
	country bool
	text    bool   // read by people
	because string // why it is required; empty if that is plain
}

func (f *Field) missing() string {
	if f.because != "" {
		return f.because
	}
	return "This property is required."
}

const (
	usa = "US"
	usd = "usd"

	fieldMemo = "memo"
)

// currencies are those that wires are sent in.
var currencies = []string{"usd", "cad", "eur", "aud", "gbp"}

func (d *Draft) route() Route {
	r := Route{Type: d.Type, Currency: d.Currency}
	if d.BankAddress != nil {
		r.Country = d.BankAddress.Country
	}
	if d.Type == ACH {
		r.Country = usa
		if d.BankAddress != nil && d.BankAddress.Country != "" {
			r.Country = d.BankAddress.Country
		}
	}
	if d.Type == Wallet {
		r.Currency = d.Asset
	}
	return r
}

// supported tells whether money can be sent that way at all.
func (r Route) supported() bool {
	switch r.Type {
	case ACH:
		return r.Country == usa && r.Currency == usd
	case Wire:
		return slices.Contains(currencies, r.Currency)
	default:
		return true // package wallet knows which assets a network has
	}
}

// Requirements tells which fields a route needs, and groups of fields at least
// one of which must be given. The last result is false for a route that there
// is not.
func Requirements(r Route) (fields []Field, groups [][]string, ok bool) {
	if r.Currency == "euro" {
		r.Currency = "eur"
	}
	if !country.Exists(r.Country) || !r.supported() {
		return nil, nil, false
	}
	fields = fieldsOf(r)
	if r.Type == Wallet {
		networks := networksOf(r.Currency)
		if len(networks) == 0 {
			return nil, nil, false
		}
		fields = fitted(fields, r.Currency, networks)
	}
	return fields, oneOf(r.Type), true
}

func networksOf(asset string) []wallet.Network {
	return slices.DeleteFunc(wallet.Networks(), func(n wallet.Network) bool {
		return !slices.ContainsFunc(n.Assets, func(a wallet.Asset) bool { return a.Code == asset })
	})
}

// fitted makes the fields of a wallet those for an asset: with the networks that
// have it, an address of the first of them, and a memo only if one of them has
// memos.
func fitted(fields []Field, asset string, networks []wallet.Network) []Field {
	first := networks[0]
	withMemo := slices.IndexFunc(networks, func(n wallet.Network) bool { return n.Memo.Rule != wallet.MemoNone })
	for i := range fields {
		switch f := &fields[i]; f.Name {
		case "asset":
			f.Example = asset
		case "network":
			f.Example = first.Name
			for _, n := range networks {
				f.Choices = append(f.Choices, n.Name)
			}
		case "address":
			f.Example = first.Example
		case fieldMemo:
			if withMemo >= 0 {
				f.Example = networks[withMemo].Memo.Example
			}
		}
	}
	return slices.DeleteFunc(fields, func(f Field) bool { return f.Name == fieldMemo && withMemo < 0 })
}

func oneOf(t Type) [][]string {
	if t == Wire {
		return [][]string{{"bank_account_number", "bank_iban"}}
	}
	return nil
}

// Patterns, as the contract has them.
const (
	digitsPattern  = "^[0-9]{9}$"
	accountPattern = "^[0-9A-Za-z -]{1,34}$"
	codePattern    = "^[0-9A-Za-z ]{1,42}$"
	countryPattern = "^[A-Z]{2}$"
	assetPattern   = "^[A-Z0-9]{2,10}$"
	addressPattern = "^[0-9A-Za-z]{1,128}$"
)

func iban(s string) error { _, err := banking.CheckIBAN(s); return err }

func bic(s string) error { _, err := banking.CheckBIC(s); return err }

// fieldsOf lists the fields of a route in the order of a form. It makes them
// anew, for callers to change.
func fieldsOf(r Route) []Field {
	switch r.Type {
	case ACH:
		return achFields()
	case Wire:
		return wireFields(r)
	case Wallet:
		return walletFields()
	default:
		return nil
	}
}

func achFields() []Field {
	fields := []Field{
		holderField(),
		{Name: "account_type", Label: "Kind of account", Required: true, MinLength: 1, MaxLength: 20, Example: "checking", Choices: []string{"checking", "savings"}, value: func(d *Draft) string { return d.AccountType }},
		routingField("bank_aba_routing_number", true, func(d *Draft) string { return d.RoutingNumber }),
		accountField(true),
		bankField(),
		{Name: "currency", Label: "Currency", Required: true, MinLength: 3, MaxLength: 3, Example: usd, Choices: []string{usd}, value: func(d *Draft) string { return d.Currency }},
	}
	return append(fields, addressFields("bank_address", "of the bank", func(d *Draft) *Address { return d.BankAddress }, "city", "state")...)
}

func wireFields(r Route) []Field {
	inUSA := r.Country == usa
	routing := routingField("bank_aba_routing_number", inUSA, func(d *Draft) string { return d.RoutingNumber })
	routing.because = "A bank in the United States is reached by its ABA routing number: give it."
	swift := bicField("bank_swift_code", r.Country != "" && !inUSA, func(d *Draft) string { return d.BIC })
	swift.because = "A bank outside the United States is reached by its BIC (SWIFT code): give it."
	fields := []Field{
		holderField(),
		{Name: "currency", Label: "Currency", Required: true, MinLength: 3, MaxLength: 4, Example: "eur", Choices: currencies, value: func(d *Draft) string { return d.Currency }},
		accountField(false),
		{Name: "bank_iban", Label: "IBAN", Secret: true, MinLength: 1, MaxLength: 42, Pattern: codePattern, Example: "DE89 3704 0044 0532 0130 00", value: func(d *Draft) string { return d.IBAN }, check: iban},
		routing,
		swift,
		{Name: "bank_branch_number", Label: "Number of the branch", MinLength: 1, MaxLength: 35, Example: "9292932", value: func(d *Draft) string { return d.BranchNumber }, text: true},
		{Name: "international_routing_code", Label: "Code in a clearing system", MinLength: 1, MaxLength: 35, Example: "2901011", value: func(d *Draft) string { return d.RoutingCode }, text: true},
		bankField(),
	}
	fields = append(fields, addressFields("bank_address", "of the bank", func(d *Draft) *Address { return d.BankAddress }, "city", "country")...)
	fields = append(fields, addressFields("beneficiary_address", "of the holder", func(d *Draft) *Address { return d.BeneficiaryAddress }, "line1", "city", "country")...)
	return append(fields, intermediaryFields()...)
}

func intermediaryFields() []Field {
	of := func(get func(*Intermediary) string) func(*Draft) string {
		return func(d *Draft) string {
			if d.Intermediary == nil {
				return ""
			}
			return get(d.Intermediary)
		}
	}
	const prefix = "intermediary_bank."
	name := bankField()
	name.Name, name.Label, name.Required, name.value = prefix+name.Name, "Name of the intermediary bank", false, of(func(i *Intermediary) string { return i.BankName })
	account := accountField(false)
	account.Name, account.Label, account.value = prefix+account.Name, "Account at the intermediary bank", of(func(i *Intermediary) string { return i.AccountNumber })
	fields := []Field{
		name,
		routingField(prefix+"bank_aba_routing_number", false, of(func(i *Intermediary) string { return i.RoutingNumber })),
		bicField(prefix+"bank_swift_code", false, of(func(i *Intermediary) string { return i.BIC })),
		account,
	}
	return append(fields, addressFields(prefix+"bank_address", "of the intermediary bank", func(d *Draft) *Address {
		if d.Intermediary == nil {
			return nil
		}
		return d.Intermediary.BankAddress
	})...)
}

func walletFields() []Field {
	return []Field{
		{Name: "asset", Label: "Asset", Required: true, MinLength: 2, MaxLength: 10, Pattern: assetPattern, Example: "BTC", value: func(d *Draft) string { return d.Asset }},
		{Name: "network", Label: "Network", Required: true, MinLength: 1, MaxLength: 32, Example: "bitcoin", value: func(d *Draft) string { return d.Network }},
		{Name: "address", Label: "Address of the wallet", Required: true, Secret: true, MinLength: 1, MaxLength: 128, Pattern: addressPattern, Example: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", value: func(d *Draft) string { return d.WalletAddress }},
		{Name: fieldMemo, Label: "Destination tag or memo", Secret: true, MinLength: 1, MaxLength: 64, Example: "123456", value: func(d *Draft) string { return d.Memo }, text: true},
	}
}

func holderField() Field {
	return Field{Name: "account_name", Label: "Name of the holder", Required: true, MinLength: 1, MaxLength: 140, Example: "Johny Smith", value: func(d *Draft) string { return d.AccountName }, text: true}
}

func bankField() Field {
	return Field{Name: "bank_name", Label: "Name of the bank", Required: true, MinLength: 1, MaxLength: 140, Example: "Bank of Coffee", value: func(d *Draft) string { return d.BankName }, text: true}
}

func accountField(required bool) Field {
	return Field{Name: "bank_account_number", Label: "Account number", Required: required, Secret: true, MinLength: 1, MaxLength: 34, Pattern: accountPattern, Example: "000123456789", value: func(d *Draft) string { return d.AccountNumber }}
}

func routingField(name string, required bool, value func(*Draft) string) Field {
	return Field{Name: name, Label: "ABA routing number", Required: required, MinLength: 9, MaxLength: 9, Pattern: digitsPattern, Example: "021000021", value: value, check: banking.CheckRoutingNumber}
}

func bicField(name string, required bool, value func(*Draft) string) Field {
	return Field{Name: name, Label: "BIC (SWIFT code)", Required: required, MinLength: 1, MaxLength: 42, Pattern: codePattern, Example: "DEUTDEFF", value: value, check: bic}
}

// addressFields lists the fields of an address, of which some are required.
func addressFields(name, of string, get func(*Draft) *Address, required ...string) []Field {
	part := func(part, label, example string, most int, value func(*Address) string) Field {
		return Field{
			Name: name + "." + part, Label: label + " " + of, Required: slices.Contains(required, part),
			MinLength: 1, MaxLength: most, Example: example, text: true,
			value: func(d *Draft) string {
				if a := get(d); a != nil {
					return value(a)
				}
				return ""
			},
		}
	}
	fields := []Field{
		part("line1", "Street and number", "1 Main Street", 200, func(a *Address) string { return a.Line1 }),
		part("line2", "More of the address", "Floor 2", 200, func(a *Address) string { return a.Line2 }),
		part("city", "City", "New York", 100, func(a *Address) string { return a.City }),
		part("state", "State", "NY", 100, func(a *Address) string { return a.State }),
		part("country", "Country", "US", 2, func(a *Address) string { return a.Country }),
		part("post_code", "Post code", "10001", 20, func(a *Address) string { return a.PostCode }),
	}
	fields[4].MinLength, fields[4].Pattern, fields[4].country, fields[4].text = 2, countryPattern, true, false
	return fields
}

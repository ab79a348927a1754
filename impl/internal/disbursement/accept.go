package disbursement

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"cryptoexchange.com/escrow/impl/internal/banking"
	"cryptoexchange.com/escrow/impl/internal/country"
	"cryptoexchange.com/escrow/impl/internal/text"
	"cryptoexchange.com/escrow/impl/internal/wallet"
)

// Codes of a [Finding] of this package; those of checks are of the packages that
// check.
const (
	CodeRequired         = "required"
	CodeAccountRequired  = "account_required"
	CodeUnknownCountry   = "unknown_country"
	CodeUnsupportedRoute = "unsupported_route"
	CodeInvalidText      = "invalid_text"
	CodeNameDiffers      = "account_name_differs"
)

// Finding is one thing about a draft that cannot be accepted.
type Finding struct {
	Path   []string // names of properties, from the outside in
	Code   string   // stable
	Detail string   // what is wrong and how to mend it; never holds the value
}

// Accepted is a method that was accepted, with its secrets.
type Accepted struct {
	Method  Method
	Secrets Secrets
}

// Terms are what a draft is accepted on.
type Terms struct {
	ID      string    // of the method
	Holder  []string  // names of the customer, in order; empty if none is known
	Lenient bool      // findings about money become warnings
	Now     time.Time // when
}

// Accept turns a draft into a method, or says everything that speaks against it.
func Accept(d Draft, t Terms) (Accepted, []Finding) {
	d.normalise()
	a := acceptance{draft: &d, fields: fieldsOf(d.route())}
	a.structure()
	a.money()
	if len(a.refused) > 0 || len(a.doubts) > 0 && !t.Lenient {
		return Accepted{}, append(a.refused, a.doubts...)
	}
	a.holder(t.Holder)
	m := Method{ID: t.ID, Type: d.Type, Usable: len(a.doubts) == 0, Details: d.details(), CreatedAt: t.Now, UpdatedAt: t.Now}
	for _, f := range append(a.doubts, a.notes...) {
		m.Warnings = append(m.Warnings, Warning{Pointer: "/" + strings.Join(f.Path, "/"), Code: f.Code, Detail: f.Detail})
	}
	return Accepted{Method: m, Secrets: d.secrets()}, nil
}

// normalise gives fields the one form in which they are stored.
func (d *Draft) normalise() {
	if d.Currency == "euro" {
		d.Currency = "eur"
	}
	compact := func(s string) string { return strings.ToUpper(strings.ReplaceAll(s, " ", "")) }
	d.IBAN, d.BIC = compact(d.IBAN), compact(d.BIC)
	d.AccountNumber = orNone(d.AccountNumber)
	if d.Intermediary != nil {
		i := *d.Intermediary
		i.BIC, i.AccountNumber = compact(i.BIC), orNone(i.AccountNumber)
		d.Intermediary = &i
	}
	if d.Type != Wallet {
		return
	}
	// What has no canonical form is kept as it is, for the check to refuse.
	if canonical, err := wallet.Canonical(d.Network, d.WalletAddress); err == nil {
		d.WalletAddress = canonical
	}
}

// orNone gives an account number as it is, or nothing for spaces and hyphens
// alone, which are none.
func orNone(number string) string {
	if significant(number) == "" {
		return ""
	}
	return number
}

// acceptance collects what is found of a draft.
type acceptance struct {
	draft   *Draft
	fields  []Field   // of the draft's route
	refused []Finding // always refused
	doubts  []Finding // refused unless the caller asks for leniency
	notes   []Finding // warnings either way
}

func (a *acceptance) refuse(code, detail string, path ...string) {
	a.refused = append(a.refused, Finding{path, code, detail})
}

// structure looks for fields that are missing, or do not go together.
func (a *acceptance) structure() {
	d := a.draft
	if !d.route().supported() {
		a.refuse(CodeUnsupportedRoute, "There is no such route: ACH is for dollars in the United States.", "currency")
	}
	for _, f := range a.fields {
		value := f.value(d)
		path := strings.Split(f.Name, ".")
		switch {
		case value == "" && f.Required:
			a.refuse(CodeRequired, f.missing(), path...)
		case value != "" && f.text:
			if err := text.Check(value); err != nil {
				a.refuse(CodeInvalidText, "This text is not accepted: "+err.Error()+".", path...)
			}
		case value != "" && f.country && !country.Exists(value):
			a.refuse(CodeUnknownCountry, "This is not an ISO 3166-1 alpha-2 code of a country.", path...)
		}
	}
	for _, group := range oneOf(d.Type) {
		if !a.hasOneOf(group) {
			a.refuse(CodeAccountRequired, "Give "+strings.Join(group, " or ")+".", group[0])
		}
	}
}

func (a *acceptance) hasOneOf(names []string) bool {
	return slices.ContainsFunc(a.fields, func(f Field) bool {
		return slices.Contains(names, f.Name) && f.value(a.draft) != ""
	})
}

// money checks what decides where money goes.
func (a *acceptance) money() {
	d := a.draft
	for _, f := range a.fields {
		value := f.value(d)
		if f.check == nil || value == "" {
			continue
		}
		var bad *banking.Error
		if err := f.check(value); errors.As(err, &bad) {
			a.doubts = append(a.doubts, Finding{strings.Split(f.Name, "."), string(bad.Code), bad.Detail})
		}
	}
	if d.Type != Wallet {
		return
	}
	warnings, err := wallet.Check(d.Network, d.Asset, d.WalletAddress, d.Memo)
	for _, bad := range wallet.AsErrors(err) {
		found := Finding{[]string{string(bad.Field)}, string(bad.Code), bad.Detail}
		// Nobody asked for the key to somebody's coins, and it must not be kept.
		if bad.Code == wallet.CodeAddressIsSecretKey || bad.Code == wallet.CodeMemoIsSecretKey {
			a.refused = append(a.refused, found)
			continue
		}
		a.doubts = append(a.doubts, found)
	}
	for _, w := range warnings {
		a.notes = append(a.notes, Finding{[]string{string(w.Field)}, string(w.Code), w.Detail})
	}
}

// holder compares the name of the account with that of the customer: escrow pays
// nobody else. Names are compared by their letters, in any order and case, with
// or without accents and middle names.
func (a *acceptance) holder(names []string) {
	if a.draft.AccountName == "" || len(names) == 0 {
		return
	}
	given := words(a.draft.AccountName)
	first, lastName := words(names[0]), words(names[len(names)-1])
	if contains(given, first) && contains(given, lastName) {
		return
	}
	a.notes = append(a.notes, Finding{[]string{"account_name"}, CodeNameDiffers, "The holder of the account has another name than the customer. Money is sent only to the customer's own accounts; make sure that it is one."})
}

func words(name string) []string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		default:
			return ' '
		}
	}, norm.NFKD.String(name))
	return strings.Fields(plain)
}

func contains(all, some []string) bool {
	there := make(map[string]bool, len(all))
	for _, w := range all {
		there[w] = true
	}
	for _, w := range some {
		if !there[w] {
			return false
		}
	}
	return true
}

package httpapi

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/disbursement"
	"cryptoexchange.com/escrow/impl/internal/wallet"
)

// leaf is a property of a method that has a value of its own.
type leaf struct {
	schema   *openapi3.Schema
	required bool // so are the objects that it is in
}

// leaves lists the properties of an object by the names that fields have.
func leaves(s *openapi3.Schema, prefix string, required bool) map[string]leaf {
	all := make(map[string]leaf)
	for name, p := range s.Properties {
		must := required && slices.Contains(s.Required, name)
		if p.Value.Type.Is(openapi3.TypeObject) {
			maps.Copy(all, leaves(p.Value, prefix+name+".", must))
			continue
		}
		value := p.Value
		if len(value.OneOf) > 0 { // a text or a number: a form has the text
			value = value.OneOf[0].Value
		}
		all[prefix+name] = leaf{value, must}
	}
	return all
}

// routes are at least one of each kind of route, and what each requires beside
// what the contract does.
var routes = []struct {
	disbursement.Route
	schema string
	more   []string
}{
	{disbursement.Route{Type: disbursement.ACH, Country: "US", Currency: "usd"}, "NewAchMethod", nil},
	{disbursement.Route{Type: disbursement.Wire, Country: "US", Currency: "usd"}, "NewWireTransferMethod", []string{"bank_aba_routing_number"}},
	{disbursement.Route{Type: disbursement.Wire, Country: "DE", Currency: "euro"}, "NewWireTransferMethod", []string{"bank_swift_code"}},
	{disbursement.Route{Type: disbursement.Wallet, Country: "ES", Currency: "XRP"}, "NewCryptoWalletMethod", nil},
}

// TestRequirements compares what partners draw their forms from with what the
// contract accepts: every property has its field, of the same form.
func TestRequirements(t *testing.T) {
	t.Parallel()
	doc := document(t)
	for _, route := range routes {
		t.Run(string(route.Type)+" "+route.Country, func(t *testing.T) {
			t.Parallel()
			want := leaves(doc.Components.Schemas[route.schema].Value, "", true)
			delete(want, "type") // is the route
			fields, groups, ok := disbursement.Requirements(route.Route)
			if !ok {
				t.Fatal("there is no such route")
			}
			var more []string
			for i := range fields {
				f := &fields[i]
				p, known := want[f.Name]
				if !known {
					t.Errorf("%s is not in the contract, or comes twice", f.Name)
					continue
				}
				delete(want, f.Name)
				sameForm(t, f, p.schema)
				if f.Required && !p.required {
					more = append(more, f.Name)
				} else if f.Required != p.required {
					t.Errorf("%s is required by the contract, and not by the route", f.Name)
				}
			}
			if diff := cmp.Diff(route.more, more); diff != "" {
				t.Errorf("required beside (-want +got)\n%s", diff)
			}
			if len(want) > 0 {
				t.Errorf("without a field: %v", slices.Sorted(maps.Keys(want)))
			}
			named := func(name string) bool {
				return slices.ContainsFunc(fields, func(f disbursement.Field) bool { return f.Name == name })
			}
			if i := slices.IndexFunc(slices.Concat(groups...), func(name string) bool { return !named(name) }); i >= 0 {
				t.Errorf("the groups %v name what is no field", groups)
			}
		})
	}
}

// freeText is how the pattern of a property for people begins; a form need not
// know it.
const freeText = `^[^\x00-\x20`

// sameForm compares a field with the property that it is for. A value that the
// field allows must keep the contract; the least length may be that of the
// pattern.
func sameForm(t *testing.T, f *disbursement.Field, s *openapi3.Schema) {
	t.Helper()
	if len(s.Enum) > 0 {
		var known []string
		for _, v := range s.Enum {
			known = append(known, v.(string))
		}
		if len(f.Choices) == 0 || !containsAll(known, f.Choices) || !slices.Contains(known, f.Example) {
			t.Errorf("%s: choices %v, example %s; the contract has %v", f.Name, f.Choices, f.Example, known)
		}
		return
	}
	pattern := s.Pattern
	if strings.HasPrefix(pattern, freeText) {
		pattern = ""
	}
	if f.Pattern != pattern || s.MaxLength == nil || uint64(f.MaxLength) != *s.MaxLength || uint64(f.MinLength) < s.MinLength || len(f.Choices) > 0 {
		t.Errorf("%s: %d to %d characters, pattern %q; the contract has %d to %d, %q", f.Name, f.MinLength, f.MaxLength, f.Pattern, s.MinLength, *s.MaxLength, pattern)
	}
	if err := s.VisitJSON(f.Example); err != nil {
		t.Errorf("%s: its example breaks the contract: %v", f.Name, err)
	}
}

func containsAll(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// TestContractNetworks compares the networks of the contract with those that the
// service knows, and the currencies and patterns with what they can be.
func TestContractNetworks(t *testing.T) {
	t.Parallel()
	properties := document(t).Components.Schemas["NewCryptoWalletMethod"].Value.Properties
	var want, got []string
	for _, v := range properties["network"].Value.Enum {
		want = append(want, v.(string))
	}
	for _, n := range wallet.Networks() {
		got = append(got, n.Name)
		if err := properties["address"].Value.VisitJSON(n.Example); err != nil {
			t.Errorf("an address of %s breaks the contract: %v", n.Name, err)
		}
		for _, a := range n.Assets {
			if err := properties["asset"].Value.VisitJSON(a.Code); err != nil {
				t.Errorf("%s breaks the contract: %v", a.Code, err)
			}
			fields, _, ok := disbursement.Requirements(disbursement.Route{Type: disbursement.Wallet, Country: "ES", Currency: a.Code})
			if !ok || !slices.ContainsFunc(fields, func(f disbursement.Field) bool { return f.Name == "network" && slices.Contains(f.Choices, n.Name) }) {
				t.Errorf("%s on %s is not offered", a.Code, n.Name)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("networks of the contract and of the service (-contract +service)\n%s", diff)
	}
}

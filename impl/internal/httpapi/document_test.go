package httpapi

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/disbursement"
	"cryptoexchange.com/escrow/impl/internal/password"
)

// document reads the contract.
func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(spec.YAML)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestLimits compares the limits of the code with those of the contract: an
// answer that is larger would become a 500.
func TestLimits(t *testing.T) {
	t.Parallel()
	doc := document(t)
	schema := func(name string) *openapi3.Schema {
		t.Helper()
		s, ok := doc.Components.Schemas[name]
		if !ok {
			t.Fatalf("the contract has no %s", name)
		}
		return s.Value
	}
	property := func(name, property string) *openapi3.Schema {
		t.Helper()
		p, ok := schema(name).Properties[property]
		if !ok {
			t.Fatalf("%s has no %s", name, property)
		}
		return p.Value
	}
	items := func(name, array string) *uint64 { t.Helper(); return property(name, array).MaxItems }
	characters := func(name, text string) *uint64 { t.Helper(); return property(name, text).MaxLength }
	least := schema("NewPassword").MinLength
	longest := uint64(*doc.Components.Headers["Retry-After"].Value.Schema.Value.Max)
	for _, tt := range []struct {
		what string
		code uint64
		spec *uint64
	}{
		{"methods of a new customer", disbursement.Most, items("NewCustomer", "disbursement_methods")},
		{"methods of a customer", disbursement.Most, items("Customer", "disbursement_methods")},
		{"methods of one's own", disbursement.Most, items("DisbursementMethods", "disbursement_methods")},
		{"sessions", account.MaxSessions, items("Sessions", "sessions")},
		{"exported sessions", account.MaxSessions, items("Export", "sessions")},
		{"exported e-mails", account.MaxEmails, items("Export", "emails")},
		{"name of a browser", account.MaxUserAgent, characters("Session", "user_agent")},
		{"password", password.MaxLength, schema("Password").MaxLength},
		{"new password", password.MaxLength, schema("NewPassword").MaxLength},
		{"least of a new password", password.MinLengthSecondFactor, &least},
		{"faults", maxFaults, items("Problem", "errors")},
		{"pointer of a fault", maxPointer, characters("Fault", "pointer")},
		{"name in a fault", maxName, characters("Fault", "name")},
		{"detail of a fault", maxDetail, characters("Fault", "detail")},
		{"detail of a warning", maxDetail, characters("DisbursementWarning", "detail")},
		{"wait", longestWait, &longest},
	} {
		if tt.spec == nil || *tt.spec != tt.code {
			t.Errorf("%s: %d in the code, and not in the contract", tt.what, tt.code)
		}
	}
}

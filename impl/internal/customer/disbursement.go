package customer

import (
	"slices"
	"strconv"
	"time"

	"cryptoexchange.com/escrow/impl/internal/disbursement"
)

// fieldMethods is the property of a draft that has the methods.
const fieldMethods = "disbursement_methods"

// disburse gives a customer the disbursement methods of the draft, the first
// usable one of which is the default. It returns their secrets, or what speaks
// against them.
func (d *Draft) disburse(c *Customer, newID func() string, now time.Time) ([]disbursement.Secrets, []Finding) {
	var findings []Finding
	var secrets []disbursement.Secrets
	for i, method := range d.DisbursementMethods {
		accepted, found := disbursement.Accept(method, disbursement.Terms{ID: newID(), Holder: c.Names(), Lenient: d.Lenient, Now: now})
		findings = append(findings, FromDisbursement(found, fieldMethods, strconv.Itoa(i))...)
		c.DisbursementMethods = append(c.DisbursementMethods, accepted.Method)
		secrets = append(secrets, accepted.Secrets)
	}
	if len(findings) > 0 {
		return nil, findings
	}
	if len(c.DisbursementMethods) > 0 {
		usable := func(m disbursement.Method) bool { return m.Usable }
		c.DisbursementMethods[max(0, slices.IndexFunc(c.DisbursementMethods, usable))].IsDefault = true
	}
	return secrets, nil
}

// FromDisbursement makes findings about a disbursement method findings about
// the request that it stands in, at a place.
func FromDisbursement(findings []disbursement.Finding, place ...string) []Finding {
	var out []Finding
	for _, f := range findings {
		out = append(out, Finding{Path: slices.Concat(place, f.Path), Code: f.Code, Detail: f.Detail})
	}
	return out
}

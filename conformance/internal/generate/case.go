package generate

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// Case is a request that tries one clause.
//
// A Keeps case is valid by the document, which is not to say that there is the
// resource that its path names. An Either case must be answered in a way that is
// documented, and not with 5xx.
type Case struct {
	Variant
	Op *openapi.Operation
	// In is what is varied: body, query, path, header, cookie, or request.
	In string
	// Param is the name of the parameter that is varied, if it is one.
	Param string
	// Name is the same in every run: operation, In, the place in it, the keyword
	// and the side, as in createCustomer/body/address/country/maxLength/breaks.
	Name string
	// Draft is the request, made of what [Source.Draft] gives in Full mode. It has the
	// same unique values as those of the other cases: what is sent is better made
	// anew, by Apply.
	Draft *Draft
	// Plain tells that the request is a valid one like any: all that are plain are
	// the same, and one of them shows what all do.
	Plain bool

	build builder
}

// builder makes a case out of a valid request, which it does not change.
type builder func(s *Source, base *Draft) (*Draft, Variant, *Drop)

// errNoCase means that a case cannot be made of a base.
var errNoCase = errors.New("the case cannot be made of this request")

// Apply makes the case anew out of another valid request for the operation: one
// whose path names what is there, or with fresh unique values. What is varied is
// the same; what is around it is the base's.
func (c *Case) Apply(s *Source, base *Draft) (*Draft, error) {
	d, _, drop := c.build(s, base)
	if drop != nil {
		return nil, fmt.Errorf("%s: %w: %s", c.Name, errNoCase, drop.Why)
	}
	return d, nil
}

// proto is a case that is not made yet.
type proto struct {
	in, param string
	variant   Variant // what is known of it
	build     builder
}

// name is that of a case.
func (p *proto) name(op *openapi.Operation, place string) string {
	parts := []string{op.ID, p.in}
	if p.param != "" {
		parts = append(parts, p.param)
	}
	if place != "" {
		parts = append(parts, strings.TrimPrefix(place, "/"))
	}
	parts = append(parts, p.variant.Keyword, p.variant.Side.String())
	if p.variant.Label != "" {
		parts = append(parts, p.variant.Label)
	}
	return strings.Join(parts, "/")
}

// Cases makes those of an operation, in an order that depends on the document alone.
func (s *Source) Cases(op *openapi.Operation) []Case {
	cases, _ := s.CasesAndDrops(op)
	return cases
}

// CasesAndDrops also tells what could not be made, and why.
func (s *Source) CasesAndDrops(op *openapi.Operation) ([]Case, []Drop) {
	return s.CasesOf(op, func(string) bool { return true })
}

// CasesOf makes those of the clauses that are wanted, by pointer. They have the
// names that they have among all.
func (s *Source) CasesOf(op *openapi.Operation, wanted func(clause string) bool) ([]Case, []Drop) {
	var protos []*proto
	for _, p := range op.Parameters {
		if !s.reserved(p) {
			protos = append(protos, s.parameterCases(op, p)...)
		}
	}
	protos = append(protos, s.bodyCases(op)...)
	protos = append(protos, s.requestCases(op)...)

	base := s.Draft(op, Full)
	names := map[string]int{}
	var cases []Case
	var drops []Drop
	few := thin(protos, mostCases)
	for _, p := range protos {
		if s.Stop != nil && s.Stop() {
			break
		}
		name := p.name(op, p.variant.At)
		names[name]++
		if n := names[name]; n > 1 {
			name = fmt.Sprintf("%s-%d", name, n)
		}
		if !few[p] || !wanted(p.variant.Clause) {
			continue
		}
		d, v, drop := p.build(s, base)
		if drop != nil {
			drops = append(drops, *drop)
			continue
		}
		cases = append(cases, Case{
			Variant: v, Op: op, In: p.in, Param: p.param, Name: name, Draft: d,
			Plain: v.Side == Keeps && reflect.DeepEqual(d, base), build: p.build,
		})
	}
	return cases, drops
}

// simple makes a case of a variant that only needs a change of the request.
// Change tells why it cannot be made.
func simple(in, param string, v Variant, change func(s *Source, d *Draft) string) *proto {
	return &proto{in: in, param: param, variant: v, build: func(s *Source, base *Draft) (*Draft, Variant, *Drop) {
		d := base.Clone()
		if why := change(s, d); why != "" {
			return nil, Variant{}, &Drop{Clause: v.Clause, Keyword: v.Keyword, Side: v.Side, At: v.At, Label: v.Label, Why: why}
		}
		return d, v, nil
	}}
}

// strict tells whether the document says that it keeps a policy.
func (s *Source) strict(policy string) bool {
	if s.Doc == nil {
		return false
	}
	list, _ := s.Doc.Extensions[openapi.ExtStrict].([]any) // what is no list is none
	for _, v := range list {
		if v == policy {
			return true
		}
	}
	return false
}

// sideBy is Breaks if the document keeps the policy that refuses it.
func (s *Source) sideBy(policy string) Side {
	if s.strict(policy) {
		return Breaks
	}
	return Either
}

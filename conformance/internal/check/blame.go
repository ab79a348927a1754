package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// A valid request that is refused is held against a clause only if that clause can
// be what it was refused for: something else that is valid in the same place is not
// refused. Else the place is to blame, of which the server wants more than the
// document says.

// others is how many other values are tried in a place before it is said that none
// is taken.
const others = 6

// subject is the schema, or the parameter, that a case's clause is of: of a case of
// one alternative of a union, that alternative.
func (s *Session) subject(c generate.Case) string {
	for _, p := range c.Op.Parameters {
		if p.Name == c.Param && p.In == c.In && c.At == "" {
			return p.Pointer
		}
	}
	i := strings.LastIndex(c.Clause, "/"+c.Keyword)
	if i <= 0 {
		return above(c.Clause)
	}
	n := 0
	if _, err := fmt.Sscanf(c.Label, "alternative-%d", &n); err == nil {
		if union := s.Document.Places()[c.Clause[:i]]; union != nil {
			if all := slices.Concat(union.OneOf, union.AnyOf); n >= 1 && n <= len(all) {
				return all[n-1].Pointer
			}
		}
	}
	return c.Clause[:i]
}

// refusesMore says what else is refused as a case was, which keeps its clause; empty:
// nothing, so that the clause is to blame.
func (s *Session) refusesMore(ctx context.Context, c generate.Case, sig signature) string {
	switch {
	case slices.Contains([]string{"operation", "requestBody", "mediaType"}, c.Keyword):
		return ""
	case s.refusesAll(ctx, c, sig):
		return "every value of"
	case s.refusesPlainText(ctx, c, sig):
		return "ordinary text as"
	default:
		return ""
	}
}

// refusesAll tells whether what a clause is of is refused as a case was, whatever
// valid value it has.
func (s *Session) refusesAll(ctx context.Context, c generate.Case, sig signature) bool {
	of := s.subject(c)
	tried := 0
	for _, other := range s.cases(c.Op) {
		if other.Side != keeps || other.In != c.In || other.Param != c.Param || other.Name == c.Name {
			continue
		}
		if !strings.HasPrefix(other.Clause, of+"/") && (other.At != c.At || s.subject(other) != of) {
			continue
		}
		if tried++; tried > others {
			break
		}
		if signatureOf(s.sendCase(ctx, other)) != sig {
			return false
		}
	}
	return tried > 0
}

// refusesPlainText tells whether a place is refused as a case of unusual text was if
// the text is a usual one.
func (s *Session) refusesPlainText(ctx context.Context, c generate.Case, sig signature) bool {
	if !slices.Contains([]string{"K1", "K4", "L6"}, c.Class) || len(s.references(c.Op)) > 0 {
		return false
	}
	const usual = "conformance"
	c.Draft = c.Draft.Clone()
	switch {
	case strings.HasPrefix(c.In, "body"):
		if !putAt(c.Draft.Body, c.At, usual) || !s.keeps(bodySchema(c.Op), c.Draft.Body, openapi.Request) {
			return false
		}
	case c.At == "":
		i := slices.IndexFunc(c.Op.Parameters, func(p *openapi.Parameter) bool { return p.Name == c.Param && p.In == c.In })
		if i < 0 || !s.keeps(c.Op.Parameters[i].Schema, usual, openapi.Request) {
			return false
		}
		c.Draft.Values(c.In)[c.Param] = usual
	default:
		return false
	}
	return signatureOf(s.sendCase(ctx, c)) == sig
}

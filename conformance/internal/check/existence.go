package check

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// foreignAsAbsent: what is another's is answered as what is not there (J4). Two
// requests for what is not there show what of an answer differs from request to
// request; in the rest, the answer for what is another's must be the same.
func (s *Session) foreignAsAbsent(ctx context.Context, op *openapi.Operation, resource string) {
	t := s.mustMake(ctx, resource, Own)
	values := func(id any) map[string]any {
		all := map[string]any{}
		for name, value := range t.values {
			all[name] = value
		}
		all[parameter(resource)] = id
		return all
	}
	if p := parent(resource); p != "" && s.maker(p) != nil { // below a thing of one's own: else the parent is what is asked for
		if own, _ := s.makeThing(ctx, p, Other, nil); own != nil {
			for name, value := range own.values {
				t.values[name] = value
			}
		}
	}
	named := s.actions(resource)[0]
	if read := s.reader(resource); read != nil {
		named = read
	}
	var absent []*wire.Exchange
	for range 2 {
		absent = append(absent, s.Send(ctx, s.plain(op, values(s.fresh(named, parameter(resource)))), As(Other)))
	}
	foreign := s.Send(ctx, s.plain(op, values(t.values[parameter(resource)])), As(Other))
	if absent[0].Response == nil || absent[1].Response == nil || foreign.Response == nil || Status(absent[0]) != Status(absent[1]) {
		return
	}
	if Status(absent[0])/100 != 4 || Status(absent[0]) == http.StatusTooManyRequests || Status(foreign) == http.StatusTooManyRequests {
		s.Skip(fmt.Sprintf("%s answers %d to what is not there", op.ID, Status(absent[0])))
	}
	declared := s.strict(openapi.StrictExistence)
	clause := op.StatusPointer(itoa(Status(absent[0])))
	s.Coverage.Mark(clause, Judged)
	f := finding.Finding{
		Class: "J4", Severity: finding.Should, Pointer: clause,
		Sent:     "the id of a thing of another tenant, and ids of nothing",
		Expected: "the same answer: " + describe(absent[0]), Got: describe(foreign),
	}
	if declared {
		f.Severity = finding.Must
	}
	switch {
	case OK(foreign): // it is shown, or changed: other classes say so
		return
	case Status(foreign) != Status(absent[0]):
		if !declared {
			return
		}
		f.Claim = fmt.Sprintf("%s reveals by its status that a thing of another tenant exists.", op.ID)
	default:
		where := oracle(absent[0], absent[1], foreign)
		if where == "" {
			return
		}
		f.Claim = fmt.Sprintf("%s reveals by %s that a thing of another tenant exists.", op.ID, where)
	}
	s.found(f, op, absent[0], foreign)
}

// unsteady are headers that say nothing of the thing that was asked for.
var unsteady = regexp.MustCompile(`(?i)^(date|age|content-length|connection|keep-alive|set-cookie|server-timing|etag|last-modified|retry-after|.*rate-?limit.*|.*request-?id.*|.*trace.*|.*correlation.*|cf-ray|via|x-runtime|x-response-time)$`)

// oracle names what tells an answer from two others that are alike; empty if
// nothing does.
func oracle(a, b, other *wire.Exchange) string {
	first, second, third := headersOf(a), headersOf(b), headersOf(other)
	for _, name := range membersOf(first) {
		if second[name] == first[name] && third[name] != first[name] && !unsteady.MatchString(name) {
			return "its header " + name
		}
	}
	for _, name := range membersOf(third) {
		if first[name] == nil && second[name] == nil && !unsteady.MatchString(name) {
			return "its header " + name
		}
	}
	x, y, z := bodyOf(a), bodyOf(b), bodyOf(other)
	if x == nil && y == nil && z == nil {
		p, q, r := textOf(a), textOf(b), textOf(other)
		if p == q && p != r {
			return "its body"
		}
		return ""
	}
	if at := contrast(masked(a, x), masked(b, y), masked(other, z), ""); at != "" {
		return "its body at " + at
	}
	return ""
}

func headersOf(ex *wire.Exchange) map[string]any {
	all := map[string]any{}
	for _, field := range ex.Response.Header {
		name := strings.ToLower(field.Name)
		all[name] = ex.Response.Get(name)
	}
	return all
}

// textOf is a body without what the request named.
func textOf(ex *wire.Exchange) string {
	return strings.Join(strings.Fields(withoutTarget(ex, string(ex.Response.Body))), " ")
}

// withoutTarget takes out of a text what the request's path says.
func withoutTarget(ex *wire.Exchange, text string) string {
	path, _, _ := strings.Cut(ex.Request.Target, "?")
	text = strings.ReplaceAll(text, path, "…")
	for _, segment := range strings.Split(path, "/") {
		if len(segment) > 5 && strings.ContainsAny(segment, "0123456789") {
			text = strings.ReplaceAll(text, segment, "…")
		}
	}
	return text
}

// masked takes out of a body what the request's path says.
func masked(ex *wire.Exchange, v any) any {
	switch v := v.(type) {
	case map[string]any:
		all := map[string]any{}
		for name, member := range v {
			all[name] = masked(ex, member)
		}
		return all
	case []any:
		var all []any
		for _, item := range v {
			all = append(all, masked(ex, item))
		}
		return all
	case string:
		return withoutTarget(ex, v)
	case json.Number:
		if slices.Contains(strings.Split(ex.Request.Target, "/"), v.String()) {
			return "…"
		}
	}
	return v
}

// contrast finds where two values are the same and a third is not; empty if there
// is no such place.
func contrast(a, b, other any, at string) string {
	x, isObject := a.(map[string]any)
	y, both := b.(map[string]any)
	if !isObject || !both {
		if same(a, b) && !same(a, other) {
			return field(at)
		}
		return ""
	}
	z, all := other.(map[string]any)
	if !all {
		return field(at)
	}
	for _, name := range membersOf(x) {
		if _, has := y[name]; !has {
			continue
		}
		if _, has := z[name]; !has {
			return field(openapi.Join(at, name))
		}
		if found := contrast(x[name], y[name], z[name], openapi.Join(at, name)); found != "" {
			return found
		}
	}
	for _, name := range membersOf(z) {
		_, inFirst := x[name]
		_, inSecond := y[name]
		if !inFirst && !inSecond {
			return field(openapi.Join(at, name))
		}
	}
	return ""
}

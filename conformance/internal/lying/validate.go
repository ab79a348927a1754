package lying

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// fault is what is wrong with a part of a request.
type fault struct {
	pointer   string
	parameter string
	detail    string
}

// validation is the judgement of one value: what is wrong, while the value is
// made what is stored: with defaults, without what is read-only.
type validation struct {
	s      *Server
	faults []fault
}

func (v *validation) wrong(ptr, format string, args ...any) {
	v.faults = append(v.faults, fault{pointer: ptr, detail: fmt.Sprintf(format, args...)})
}

// value judges x, and gives what is kept of it.
func (v *validation) value(s *schema, x any, ptr string) any {
	if s.oneOf != nil {
		return v.union(s, x, ptr)
	}
	if x == nil {
		switch {
		case s.nullable:
			return nil
		case v.s.lies("E7", s.place+".null"):
			return sample(s)
		}
		v.wrong(ptr, "is null")
		return nil
	}
	x = v.coerce(s, x)
	if s.enum != nil && !v.listed(s, x) {
		v.wrong(ptr, "is none of the values that there are")
		return x
	}
	switch s.kind {
	case "string":
		return v.string(s, x, ptr)
	case "integer", "number":
		return v.number(s, x, ptr)
	case "boolean":
		if _, ok := x.(bool); !ok {
			v.wrong(ptr, "is no boolean")
		}
		return x
	case "array":
		return v.array(s, x, ptr)
	case "object":
		return v.object(s, x, ptr)
	}
	return x
}

// coerce takes what looks like a value for one, where the server lies.
func (v *validation) coerce(s *schema, x any) any {
	if !v.s.lies("E8", s.place+".type") {
		return x
	}
	t, isText := x.(string)
	_, isArray := x.([]any)
	switch s.kind {
	case "integer", "number":
		if isText && numeral.MatchString(t) {
			return json.Number(t)
		}
	case "boolean":
		if isText && (t == "true" || t == "false") {
			return t == "true"
		}
		if n, ok := x.(json.Number); ok && (n == "0" || n == "1") {
			return n == "1"
		}
	case "string":
		if n, ok := x.(json.Number); ok {
			return string(n)
		}
		if b, ok := x.(bool); ok {
			return strconv.FormatBool(b)
		}
	case "array":
		if !isArray && x != nil {
			return []any{x}
		}
	}
	return x
}

func (v *validation) listed(s *schema, x any) bool {
	for _, e := range s.enum {
		if e == x {
			return true
		}
		et, ok := e.(string)
		xt, is := x.(string)
		if ok && is && v.s.lies("E5", s.place+".enum") && v.s.lie.pick%2 == 1 && strings.EqualFold(et, xt) {
			return true
		}
	}
	_, is := x.(string)
	return is && v.s.lies("E5", s.place+".enum") && v.s.lie.pick%2 == 0
}

func (v *validation) string(s *schema, x any, ptr string) any {
	t, ok := x.(string)
	if !ok {
		v.wrong(ptr, "is no string")
		return x
	}
	n := utf8.RuneCountInString(t)
	if v.s.lies("E3", s.place+".maxLength") {
		n = len(t)
	}
	if s.maxLen >= 0 && n > s.maxLen {
		v.wrong(ptr, "is longer than %d", s.maxLen)
	}
	if n < s.minLen {
		v.wrong(ptr, "is shorter than %d", s.minLen)
	}
	if s.pattern != nil && !v.matches(s, t) {
		v.wrong(ptr, "does not match %s", s.pattern)
	}
	if s.format != "" && !formats[s.format](t) && !v.s.lies("E12", s.place+".format") {
		v.wrong(ptr, "is no %s", s.format)
	}
	return x
}

// matches judges a pattern: all of them are anchored at both ends.
func (v *validation) matches(s *schema, t string) bool {
	if s.pattern.MatchString(t) {
		return true
	}
	if !v.s.lies("E4", s.place+".pattern") {
		return false
	}
	p := s.pattern.String()
	switch v.s.lie.pick % 3 {
	case 0: // not at all
		return true
	case 1: // unanchored
		return regexp.MustCompile(strings.TrimSuffix(strings.TrimPrefix(p, "^"), "$")).MatchString(t)
	}
	// Not to the end, as where $ is taken for the end of a line and more.
	return regexp.MustCompile(strings.TrimSuffix(p, "$")).MatchString(t)
}

var numeral = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$`)

func (v *validation) number(s *schema, x any, ptr string) any {
	n, ok := x.(json.Number)
	if !ok {
		v.wrong(ptr, "is no %s", s.kind)
		return x
	}
	r, ok := new(big.Rat), numeral.MatchString(string(n))
	if ok {
		_, ok = r.SetString(string(n))
	}
	if !ok || len(n) > 400 {
		v.wrong(ptr, "is out of any range")
		return x
	}
	if s.kind == "integer" && !r.IsInt() {
		v.wrong(ptr, "is no integer")
		return x
	}
	if s.format == "int64" && !r.Num().IsInt64() {
		v.wrong(ptr, "is out of the range of int64")
	}
	v.bound(s, r, ptr, s.min, s.exMin, -1)
	v.bound(s, r, ptr, s.max, s.exMax, 1)
	if s.multiple != nil && !new(big.Rat).Quo(r, s.multiple).IsInt() && !v.s.lies("E11", s.place+".multipleOf") {
		v.wrong(ptr, "is no multiple of %s", s.multiple.FloatString(2))
	}
	if s.kind == "integer" {
		return json.Number(r.Num().String())
	}
	return n
}

// bound judges a bound: sign is 1 for the maximum, -1 for the minimum.
func (v *validation) bound(s *schema, r *big.Rat, ptr string, limit *big.Rat, exclusive bool, sign int) {
	if limit == nil {
		return
	}
	name := map[int]string{1: "maximum", -1: "minimum"}[sign]
	at := limit
	if v.s.lies("E1", s.place+"."+name) {
		if v.s.lie.pick%2 == 0 { // one more is taken
			at = new(big.Rat).Add(limit, big.NewRat(int64(sign), 1))
		} else { // the bound itself is not
			exclusive = true
		}
	}
	if v.s.lies("E2", s.place+"."+name) {
		exclusive = false
	}
	cmp := r.Cmp(at) * sign
	if cmp > 0 || cmp == 0 && exclusive {
		v.wrong(ptr, "is beyond the %s", name)
	}
}

func (v *validation) array(s *schema, x any, ptr string) any {
	a, ok := x.([]any)
	if !ok {
		v.wrong(ptr, "is no array")
		return x
	}
	if s.maxItems >= 0 && len(a) > s.maxItems && !v.s.lies("E10", s.place+".maxItems") {
		v.wrong(ptr, "has more than %d items", s.maxItems)
	}
	if len(a) < s.minItems && !v.s.lies("E10", s.place+".minItems") {
		v.wrong(ptr, "has less than %d items", s.minItems)
	}
	out := make([]any, len(a))
	seen := map[string]bool{}
	for i, e := range a {
		key := compact(e)
		if s.unique && seen[key] && !v.s.lies("E10", s.place+".uniqueItems") {
			v.wrong(ptr, "has an item twice")
		}
		seen[key] = true
		out[i] = v.value(s.items, e, ptr+"/"+strconv.Itoa(i))
	}
	return out
}

func (v *validation) object(s *schema, x any, ptr string) any {
	m, ok := x.(map[string]any)
	if !ok {
		v.wrong(ptr, "is no object")
		return x
	}
	if s.maxProps >= 0 && len(m) > s.maxProps && !v.s.lies("E10", s.place+".maxProperties") {
		v.wrong(ptr, "has more than %d properties", s.maxProps)
	}
	if len(m) < s.minProps && !v.s.lies("E10", s.place+".minProperties") {
		v.wrong(ptr, "has less than %d properties", s.minProps)
	}
	out := map[string]any{}
	for name, e := range m {
		p := s.props[name]
		at := ptr + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		switch {
		case p != nil && p.readOnly: // ignored
		case p != nil:
			out[name] = v.value(p, e, at)
		case s.additional != nil:
			out[name] = v.value(s.additional, e, at)
		case s.closed && !v.s.lies("E9", s.place+".additionalProperties"):
			v.wrong(at, "is not known")
		}
	}
	for _, name := range s.required {
		if _, ok := m[name]; ok || s.props[name].readOnly {
			continue
		}
		if v.s.lies("E6", s.place+".required."+name) {
			out[name] = sample(s.props[name])
			continue
		}
		v.wrong(ptr+"/"+name, "is missing")
	}
	for name, p := range s.props {
		if _, ok := m[name]; !ok && p.hasDefault {
			out[name] = v.defaultOf(p)
		}
	}
	return out
}

// defaultOf gives the default, or another valid value where the server lies.
func (v *validation) defaultOf(s *schema) any {
	if !v.s.lies("E15", s.place+".default") {
		return s.def
	}
	switch d := s.def.(type) {
	case bool:
		return !d
	case json.Number:
		if s.multiple != nil {
			return json.Number("10")
		}
		return json.Number("2")
	case []any:
		return []any{"zz"}
	case string:
		for _, e := range s.enum {
			if e != s.def {
				return e
			}
		}
	}
	return s.def
}

// union judges a value that is one of several, told apart by a property.
func (v *validation) union(s *schema, x any, ptr string) any {
	m, ok := x.(map[string]any)
	if !ok {
		if x == nil && v.s.lies("E7", s.place+".null") {
			return sample(s)
		}
		v.wrong(ptr, "is no object")
		return x
	}
	kind, ok := m[s.discriminator]
	if !ok {
		v.wrong(ptr+"/"+s.discriminator, "is missing")
		return x
	}
	branch := s.alternatives[text(kind)]
	if branch == nil {
		v.wrong(ptr+"/"+s.discriminator, "is none of the values that there are")
		return x
	}
	if v.s.lies("E13", s.place+".oneOf") {
		// Properties of other branches are let in and dropped, missing ones made up.
		out := map[string]any{}
		for name, p := range branch.props {
			if e, ok := m[name]; ok {
				out[name] = v.value(p, e, ptr+"/"+name)
			} else if slices.Contains(branch.required, name) {
				out[name] = sample(p)
			}
		}
		return out
	}
	return v.value(branch, x, ptr)
}

// samples are valid values of what has no simple one.
var samples = map[string]any{
	"Tag": "air", "Contact.phone": "+497541", "ProjectPatch.contact.phone": "+497541",
	"search.codes.item": "A1", "search.words.item": "ab", "Payment.amount": json.Number("1"), "Card.number": "4111111111111111",
	"Card.expires": "2031-05", "Transfer.account": "DE02120300000000202051", "Payment.secret": "correct horse",
	"LabelInput.color": "#00ff7f", "ReportInput.period": "2026-02",
	"Payment.method": map[string]any{"kind": "transfer", "account": "DE02120300000000202051", "express": false},
}

// sample makes a valid value.
func sample(s *schema) any {
	if v, ok := samples[s.place]; ok {
		return v
	}
	if s.enum != nil {
		return s.enum[0]
	}
	if s.hasDefault {
		return s.def
	}
	switch s.kind {
	case "integer", "number":
		return json.Number("1")
	case "boolean":
		return false
	case "array":
		if s.minItems > 0 {
			return []any{sample(s.items)}
		}
		return []any{}
	case "object":
		m := map[string]any{}
		for _, r := range s.required {
			m[r] = sample(s.props[r])
		}
		if s.minProps > 0 && len(m) == 0 {
			m["sample"] = "sample"
		}
		return m
	}
	return map[string]string{"date": "2026-01-31", "date-time": "2026-01-31T00:00:00Z", "email": "nemo@example.org",
		"uri": "https://example.org/", "ipv4": "192.0.2.1", "uuid": "4dc1d2f1-43c0-4f6b-9f2c-3f6a3c1e8d11", "": "sample"}[s.format]
}

// compact gives a value as JSON, with names in order.
func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

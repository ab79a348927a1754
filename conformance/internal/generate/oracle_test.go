package generate

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// oracle is a second judge, written for the tests alone: it shares no line with
// package schema, so that what both say of a value is hardly wrong.
type oracle struct {
	dir    openapi.Direction
	faults []string
}

func oracleFaults(s *openapi.Schema, v any, dir openapi.Direction) []string {
	o := &oracle{dir: dir}
	o.check(s, v)
	slices.Sort(o.faults)
	return slices.Compact(o.faults)
}

func (o *oracle) fault(s *openapi.Schema, tokens ...string) {
	o.faults = append(o.faults, openapi.Join(s.Pointer, tokens...))
}

func (o *oracle) ok(s *openapi.Schema, v any) bool {
	return len(oracleFaults(s, v, o.dir)) == 0
}

func (o *oracle) check(s *openapi.Schema, v any) {
	if s == nil {
		return
	}
	if v == nil && s.Nullable {
		return
	}
	kind := kindOf(v)
	if !s.Allows(kind) {
		o.fault(s, "type")
		return
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(e any) bool { return same(e, v) }) {
		o.fault(s, "enum")
	}
	if s.Const != nil && !same(*s.Const, v) {
		o.fault(s, "const")
	}
	switch v := v.(type) {
	case string:
		o.text(s, v)
	case json.Number:
		o.number(s, v)
	case []any:
		o.array(s, v)
	case map[string]any:
		o.object(s, v)
	}
	o.unions(s, v)
}

func same(a, b any) bool {
	if x, ok := a.(json.Number); ok {
		if y, ok := b.(json.Number); ok {
			p, _ := rational(x.String())
			q, _ := rational(y.String())
			return p.Cmp(q) == 0
		}
	}
	return string(mustJSON(a)) == string(mustJSON(b))
}

func (o *oracle) unions(s *openapi.Schema, v any) {
	for _, t := range s.AllOf {
		o.check(t, v)
	}
	if s.Not != nil && o.ok(s.Not, v) {
		o.fault(s, "not")
	}
	if len(s.AnyOf) > 0 && !slices.ContainsFunc(s.AnyOf, func(t *openapi.Schema) bool { return o.ok(t, v) }) {
		o.fault(s, "anyOf")
	}
	if len(s.OneOf) == 0 {
		return
	}
	if d := s.Discriminator; d != nil {
		m, _ := v.(map[string]any)
		name, _ := m[d.Property].(string)
		if t := d.Mapping[name]; t != nil {
			o.check(t, v)
			return
		}
		if m != nil && name != "" {
			o.fault(s, "discriminator")
			return
		}
	}
	n := 0
	for _, t := range s.OneOf {
		if o.ok(t, v) {
			n++
		}
	}
	if n != 1 {
		o.fault(s, "oneOf")
	}
}

func (o *oracle) text(s *openapi.Schema, v string) {
	n := int64(utf8.RuneCountInString(v))
	if s.MinLength != nil && n < *s.MinLength {
		o.fault(s, "minLength")
	}
	if s.MaxLength != nil && n > *s.MaxLength {
		o.fault(s, "maxLength")
	}
	if s.Pattern != "" {
		if ok, _ := regexp2.MustCompile(s.Pattern, regexp2.ECMAScript|regexp2.Unicode).MatchString(v); !ok {
			o.fault(s, "pattern")
		}
	}
	if check := oracleFormats[s.Format]; check != nil && !check(v) {
		o.fault(s, "format")
	}
}

var oracleFormats = map[string]func(string) bool{
	"email": func(v string) bool {
		a, err := mail.ParseAddress(v)
		return err == nil && a.Address == v && regexp.MustCompile(`^[^@]+@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9-]+$`).MatchString(v) && len(v) <= 254
	},
	"date":      func(v string) bool { _, err := time.Parse(time.DateOnly, v); return err == nil },
	"date-time": func(v string) bool { _, err := time.Parse(time.RFC3339, v); return err == nil },
	"uuid": func(v string) bool {
		return regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`).MatchString(v)
	},
	"uri": func(v string) bool {
		u, err := url.Parse(v)
		return err == nil && u.IsAbs() && !strings.ContainsAny(v, " <>\\\n")
	},
	"ipv4": func(v string) bool { a, err := netip.ParseAddr(v); return err == nil && a.Is4() },
	"ipv6": func(v string) bool { a, err := netip.ParseAddr(v); return err == nil && a.Is6() && a.Zone() == "" },
	"byte": func(v string) bool { _, err := base64.StdEncoding.DecodeString(v); return err == nil },
}

func (o *oracle) number(s *openapi.Schema, v json.Number) {
	r, _ := rational(v.String())
	bound := func(text string, open bool, sign int, keyword string) {
		if b, ok := rational(text); ok {
			if c := r.Cmp(b) * sign; c < 0 || c == 0 && open {
				o.fault(s, keyword)
			}
		}
	}
	bound(s.Minimum, s.ExclusiveMinimum, 1, s.MinimumKeyword)
	bound(s.Maximum, s.ExclusiveMaximum, -1, s.MaximumKeyword)
	if m, ok := rational(s.MultipleOf); ok && !new(big.Rat).Quo(r, m).IsInt() {
		o.fault(s, "multipleOf")
	}
	if low, high := formatBounds(s.Format); low != nil && (r.Cmp(low) < 0 || r.Cmp(high) > 0) {
		o.fault(s, "format")
	}
}

func (o *oracle) array(s *openapi.Schema, v []any) {
	n := int64(len(v))
	if s.MinItems != nil && n < *s.MinItems {
		o.fault(s, "minItems")
	}
	if s.MaxItems != nil && n > *s.MaxItems {
		o.fault(s, "maxItems")
	}
	for i, w := range v {
		if s.UniqueItems && slices.ContainsFunc(v[:i], func(x any) bool { return same(x, w) }) {
			o.fault(s, "uniqueItems")
		}
		if s.Items != nil {
			o.check(s.Items, w)
		}
	}
}

func (o *oracle) object(s *openapi.Schema, v map[string]any) {
	for i, name := range s.Required {
		p := s.Property(name)
		if _, ok := v[name]; !ok && (p == nil || !wrongWay(p, o.dir)) {
			o.fault(s, "required", strconv.Itoa(i))
		}
	}
	n := int64(len(v))
	if s.MinProperties != nil && n < *s.MinProperties {
		o.fault(s, "minProperties")
	}
	if s.MaxProperties != nil && n > *s.MaxProperties {
		o.fault(s, "maxProperties")
	}
	for name, need := range s.DependentRequired {
		if _, ok := v[name]; ok && slices.ContainsFunc(need, func(n string) bool { _, ok := v[n]; return !ok }) {
			o.fault(s, "dependentRequired", name)
		}
	}
	for _, name := range sortedNames(v) {
		w := v[name]
		i := slices.IndexFunc(s.Properties, func(p *openapi.Property) bool { return p.Name == name })
		switch {
		case i >= 0 && wrongWay(s.Properties[i].Schema, o.dir):
			o.fault(s.Properties[i].Schema, "readOnly")
		case i >= 0:
			o.check(s.Properties[i].Schema, w)
		case s.Closed:
			o.fault(s, "additionalProperties")
		case s.Additional != nil:
			o.check(s.Additional, w)
		}
	}
}

package check

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// What was written is compared with what is read where the document says that
// both are the same thing: properties of one name, at one place, in the schemas of
// the request and of the answer. A server may still keep a value in another form,
// and it is no lie if it does:
//
//   - a value that the answer's schema does not allow must be converted (the number
//     10203 to the string "10203"); only its numeric value is compared then;
//   - formats have forms of equal meaning: instants, addresses, UUIDs in capitals;
//   - text may be trimmed and normalised to NFC, unless the document says that it is
//     kept as it is: class K4 judges that, and not this file;
//   - codes (strings with a pattern and no format) may change their case, and lose
//     the spaces and hyphens between their groups;
//   - what the server manages is its own: ids, versions, timestamps;
//   - secrets are not given back.

// difference is a place where what was read is not what was written.
type difference struct {
	at      string // RFC 6901
	clause  string // pointer of the schema of the place, in the answer
	sent    any
	got     any
	missing bool // there is nothing at this place
}

// pair is a value, and the schema that it has been written or read with.
type pair struct {
	value  any
	schema *openapi.Schema
}

// secretive names are of values that a server does not give back as they are.
var secretive = regexp.MustCompile(`(?i)pass(word|phrase|code)|secret|token|credential|private|captcha|cvv|cvc|\bpin\b|^pin$|^otp$|^code$`)

// managed names are of values that a server may set against the client's will.
var managed = regexp.MustCompile(`(?i)^(_?id|uuid|_?etag|_?version|_?revision|_?rev|self|href|_?links?|(last_?)?(created|updated|modified|changed|deleted|seen|accessed)(_?(at|on|by|date|time))?)$`)

// masks are in place of what is left out of a value.
const masks = "*•…"

// unfaithful compares what was sent with what was read, by the properties that
// both schemas have.
func (r *Runner) unfaithful(sent, got pair) []difference {
	return r.differ("", "", r.unwrapped(sent, openapi.Request, got), got)
}

// unwrapped is what of a body is the thing that is read: a member of it, if the
// body is a wrapper around it, with a password for example.
func (r *Runner) unwrapped(sent pair, dir openapi.Direction, got pair) pair {
	object, ok := sent.value.(map[string]any)
	if !ok || sent.schema == nil || r.common(sent, dir, got) > 0 {
		return sent
	}
	for _, name := range membersOf(object) {
		inner := pair{object[name], r.propertyOf(sent.schema, object, name, dir)}
		if _, nested := inner.value.(map[string]any); nested && inner.schema != nil && r.common(inner, dir, got) > 1 {
			return inner
		}
	}
	return sent
}

// common counts the members of a body that what is read has, too.
func (r *Runner) common(sent pair, dir openapi.Direction, got pair) int {
	n := 0
	object, _ := sent.value.(map[string]any)
	for name := range object {
		if r.propertyOf(sent.schema, object, name, dir) != nil && r.propertyOf(got.schema, got.value, name, openapi.Answer) != nil {
			n++
		}
	}
	return n
}

// written are the names of what a body says of the thing that is read.
func (r *Runner) written(sent, got pair) []string {
	var names []string
	inner := r.unwrapped(sent, openapi.Request, got)
	object, _ := inner.value.(map[string]any)
	for _, name := range membersOf(object) {
		if p := r.propertyOf(inner.schema, object, name, openapi.Request); p != nil && !p.ReadOnly && !ours(name) {
			names = append(names, name)
		}
	}
	return names
}

func (r *Runner) differ(at, name string, sent, got pair) []difference {
	if sent.schema == nil || got.schema == nil {
		return nil
	}
	switch value := sent.value.(type) {
	case map[string]any:
		return r.differInObject(at, value, sent.schema, got)
	case []any:
		return r.differInArray(at, name, value, sent.schema, got)
	}
	if r.alike(name, sent, got) {
		return nil
	}
	return []difference{{at: at, clause: got.schema.Pointer, sent: sent.value, got: got.value}}
}

func (r *Runner) differInObject(at string, sent map[string]any, schema *openapi.Schema, got pair) []difference {
	object, ok := got.value.(map[string]any)
	if !ok {
		if got.value == nil && len(sent) == 0 || !r.keeps(got.schema, sent, openapi.Answer) && !got.schema.Allows("object") {
			return nil
		}
		return []difference{{at: at, clause: got.schema.Pointer, sent: sent, got: got.value}}
	}
	var all []difference
	for _, name := range membersOf(sent) {
		ws := r.propertyOf(schema, sent, name, openapi.Request)
		rs := r.propertyOf(got.schema, object, name, openapi.Answer)
		if ws == nil || rs == nil || ws.WriteOnly || rs.WriteOnly || ws.ReadOnly || ours(name) {
			continue
		}
		place := openapi.Join(at, name)
		value, has := object[name]
		switch {
		case has && value != nil:
			all = append(all, r.differ(place, name, pair{sent[name], ws}, pair{value, rs})...)
		case empty(sent[name]), secretive.MatchString(name), ws.Format == "password":
		default:
			all = append(all, difference{at: place, clause: rs.Pointer, sent: sent[name], got: value, missing: !has})
		}
	}
	return all
}

// ours tells whether a property is the server's to set, whatever a client wants.
func ours(name string) bool { return managed.MatchString(strings.ReplaceAll(name, "-", "_")) }

// empty tells whether a value is as good as none.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, member := range v {
			if !empty(member) {
				return false
			}
		}
		return true
	}
	return false
}

func (r *Runner) differInArray(at, name string, sent []any, schema *openapi.Schema, got pair) []difference {
	list, ok := got.value.([]any)
	if !ok {
		if got.value == nil && len(sent) == 0 || !got.schema.Allows("array") {
			return nil
		}
		return []difference{{at: at, clause: got.schema.Pointer, sent: sent, got: got.value}}
	}
	ws, rs := itemsOf(schema), itemsOf(got.schema)
	if len(list) != len(sent) {
		if !r.keeps(got.schema, got.value, openapi.Answer) {
			return nil // another check says so
		}
		return []difference{{at: at, clause: got.schema.Pointer, sent: sent, got: list}}
	}
	if ws == nil || rs == nil {
		return nil
	}
	var all []difference
	for i := range sent {
		all = append(all, r.differ(openapi.Join(at, itoa(i)), name, pair{sent[i], ws}, pair{list[i], rs})...)
	}
	if len(all) > 0 && r.permuted(name, sent, list, ws, rs) {
		return nil // a set, in another order
	}
	return all
}

// permuted tells whether two lists have the same items in different orders.
func (r *Runner) permuted(name string, sent, got []any, ws, rs *openapi.Schema) bool {
	left := slices.Clone(got)
	for _, v := range sent {
		i := slices.IndexFunc(left, func(w any) bool { return len(r.differ("", name, pair{v, ws}, pair{w, rs})) == 0 })
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return true
}

// alike tells whether a scalar came back, in a form of equal meaning.
func (r *Runner) alike(name string, sent, got pair) bool {
	if same(sent.value, got.value) || sent.value == nil {
		return true
	}
	if text, ok := got.value.(string); ok {
		hidden := secretive.MatchString(name) || sent.schema.Format == "password" || strings.ContainsAny(text, masks)
		if hidden {
			return true
		}
	}
	a, isNumber := rational(sent.value)
	b, isAlso := rational(got.value)
	if isNumber && isAlso {
		return a.Cmp(b) == 0 || rounded(a, b, sent.schema, got.schema)
	}
	if !r.keeps(got.schema, sent.value, openapi.Answer) {
		return true // it had to be converted, into what cannot be known
	}
	was, isText := sent.value.(string)
	is, isTextToo := got.value.(string)
	if !isText || !isTextToo {
		return false
	}
	return equalText(was, is, sent.schema, got.schema)
}

// same tells whether two values of JSON are equal; numbers by their value.
func same(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, has := y[k]
			if !has || !same(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !same(x[i], y[i]) {
				return false
			}
		}
		return true
	case json.Number:
		y, ok := b.(json.Number)
		if !ok {
			return false
		}
		p, _ := rational(x)
		q, _ := rational(y)
		return x == y || p != nil && q != nil && p.Cmp(q) == 0
	}
	return reflect.DeepEqual(a, b)
}

// rational is the value of a number, or of a string of digits.
func rational(v any) (*big.Rat, bool) {
	var text string
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	case int:
		text = itoa(v)
	default:
		return nil, false
	}
	if len(text) == 0 || len(text) > 64 || strings.Trim(text, "+-0123456789.eE") != "" {
		return nil, false
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 && len(text)-i > 5 {
		return nil, false // not worth the memory
	}
	return new(big.Rat).SetString(text)
}

// rounded tells whether two numbers are the same to the precision of their format.
func rounded(a, b *big.Rat, schemas ...*openapi.Schema) bool {
	for _, s := range schemas {
		switch s.Format {
		case "float":
			x, _ := a.Float32()
			y, _ := b.Float32()
			return x == y
		case "double":
			x, _ := a.Float64()
			y, _ := b.Float64()
			return x == y
		}
	}
	return false
}

// equalText tells whether two texts say the same, by their schemas.
func equalText(sent, got string, ws, rs *openapi.Schema) bool {
	tidy := func(s string) string { return norm.NFC.String(strings.TrimSpace(s)) }
	a, b := tidy(sent), tidy(got)
	if a == b {
		return true
	}
	format := ws.Format
	if format == "" {
		format = rs.Format
	}
	switch format {
	case "date-time":
		return sameInstant(a, b)
	case "email", "idn-email", "hostname", "idn-hostname": // small letters are the usual form, and of a host's name the same
		local, host, _ := strings.Cut(a, "@")
		return b == strings.ToLower(a) || b == local+"@"+strings.ToLower(host)
	case "uuid":
		return strings.EqualFold(a, b)
	case "uri", "url", "iri", "uri-reference", "iri-reference":
		return sameURL(a, b)
	case "ipv4", "ipv6", "ip":
		x, err := netip.ParseAddr(a)
		y, err2 := netip.ParseAddr(b)
		return err == nil && err2 == nil && x == y
	case "byte":
		return strings.TrimRight(a, "=") == strings.TrimRight(b, "=")
	case "", "iban", "bic", "phone":
		code := ws.Pattern != "" && !strings.Contains(ws.Pattern, `[^`)
		return code && strings.EqualFold(ungrouped(a), ungrouped(b))
	}
	return false
}

var grouping = strings.NewReplacer(" ", "", "-", "")

func ungrouped(s string) string { return grouping.Replace(s) }

// sameInstant compares moments, to the precision of the less precise one.
func sameInstant(a, b string) bool {
	x, err := time.Parse(time.RFC3339Nano, strings.ToUpper(a))
	y, err2 := time.Parse(time.RFC3339Nano, strings.ToUpper(b))
	if err != nil || err2 != nil {
		return false
	}
	unit := max(precision(a), precision(b))
	difference := x.Sub(y).Abs()
	return difference < unit
}

var fraction = regexp.MustCompile(`\.(\d+)`)

func precision(text string) time.Duration {
	unit := time.Second
	if m := fraction.FindStringSubmatch(text); m != nil {
		for range min(len(m[1]), 9) {
			unit /= 10
		}
	}
	return max(unit, time.Nanosecond)
}

func sameURL(a, b string) bool {
	x, err := url.Parse(a)
	y, err2 := url.Parse(b)
	if err != nil || err2 != nil {
		return false
	}
	return strings.EqualFold(x.Scheme, y.Scheme) && strings.EqualFold(x.Host, y.Host) &&
		strings.TrimSuffix(x.Path, "/") == strings.TrimSuffix(y.Path, "/") && x.RawQuery == y.RawQuery && x.Fragment == y.Fragment
}

// membersOf gives the names of an object's members, in order.
func membersOf(object map[string]any) []string {
	all := make([]string, 0, len(object))
	for name := range object {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// propertyOf is the schema of a property: of an object's schema, of those that it
// must keep as well, or of the alternative that the value keeps. Nil: the document
// does not name it.
func (r *Runner) propertyOf(schema *openapi.Schema, value any, name string, dir openapi.Direction) *openapi.Schema {
	return r.findProperty(schema, value, name, dir, 0)
}

func (r *Runner) findProperty(schema *openapi.Schema, value any, name string, dir openapi.Direction, depth int) *openapi.Schema {
	if schema == nil || depth > 8 {
		return nil
	}
	if p := schema.Property(name); p != nil {
		return p
	}
	parts := slices.Clone(schema.AllOf)
	for _, alternative := range slices.Concat(schema.OneOf, schema.AnyOf) {
		if r.keeps(alternative, value, dir) {
			parts = append(parts, alternative)
		}
	}
	for _, part := range parts {
		if p := r.findProperty(part, value, name, dir, depth+1); p != nil {
			return p
		}
	}
	return schema.Additional
}

// itemsOf is the schema of an array's items.
func itemsOf(schema *openapi.Schema) *openapi.Schema {
	if schema.Items != nil {
		return schema.Items
	}
	for _, s := range schema.AllOf {
		if items := itemsOf(s); items != nil {
			return items
		}
	}
	return nil
}

package generate

import (
	"math/rand/v2"
	"slices"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
)

// generation makes one value.
type generation struct {
	src  *Source
	rng  *rand.Rand
	dir  openapi.Direction
	mode Mode
	plan plan
	// fresh are places whose values must be no one else's, besides those whose
	// format says so.
	fresh map[string]bool
	// settled takes the hint as it is: it has been made fresh before.
	settled bool
	// prune leaves optional properties out that no valid value is found for.
	prune bool
}

func (s *Source) generation(label string, dir openapi.Direction, mode Mode) *generation {
	return &generation{src: s, rng: s.random(label), dir: dir, mode: mode}
}

// Valid gives a valid value of a schema, as it goes in a direction. It prefers
// examples and defaults where they are valid. Two calls differ in what is to be
// unique (e-mail addresses, UUIDs), and in nothing else. A schema that no value
// fits gets one that does not fit.
func (s *Source) Valid(m *openapi.Schema, dir openapi.Direction, mode Mode) any {
	if m == nil {
		return nil
	}
	g := s.generation(m.Pointer, dir, mode)
	v, _ := g.whole(m, nil)
	return v
}

// whole makes a valid value of a schema: as it is asked for or, if that is not
// valid, with less. There are faults if none is found.
func (g *generation) whole(m *openapi.Schema, hint *any) (any, []schema.Fault) {
	var first any
	var wrong []schema.Fault
	for i, try := range []struct {
		mode  Mode
		prune bool
		hint  *any
	}{{g.mode, false, hint}, {g.mode, true, hint}, {Minimal, false, hint}, {g.mode, true, nil}, {Minimal, true, nil}} {
		h := *g
		h.mode, h.prune = try.mode, try.prune
		v := h.value("", []*openapi.Schema{m}, try.hint, 0, 0)
		faults := g.src.faults(m, v, g.dir)
		if len(faults) == 0 {
			return v, nil
		}
		if i == 0 {
			first, wrong = v, faults
		}
	}
	return first, wrong
}

// fits tells whether a value is valid under all schemas.
func (g *generation) fits(whole []*openapi.Schema, value any) bool {
	for _, s := range whole {
		if len(g.src.faults(s, value, g.dir)) > 0 {
			return false
		}
	}
	return true
}

// value makes a value for a place. The hint is one that is preferred, if it is
// valid; salt makes the items of an array differ.
func (g *generation) value(at string, whole []*openapi.Schema, hint *any, depth, salt int) any {
	if hint == nil && salt == 0 {
		hint = g.example(whole)
	}
	sh := g.shape(at, whole, hint, depth)
	if hint != nil && *hint == nil && !g.needed(at) && g.fits(whole, nil) {
		return nil
	}
	switch sh.kind() {
	case "object":
		return g.object(at, sh, hint, depth)
	case "array":
		return g.array(at, sh, hint, depth)
	}
	if hint != nil && (g.settled || !g.isFresh(at, sh)) && g.fits(whole, *hint) {
		return *hint
	}
	return g.scalar(at, sh, salt)
}

// needed tells whether something inside of a place is planned.
func (g *generation) needed(at string) bool {
	return g.plan.present[at]
}

// example is the first valid example, or default, of some schemas. An example of
// an object or array is a hint even if it is not valid as a whole.
func (g *generation) example(whole []*openapi.Schema) *any {
	for _, s := range whole {
		list := slices.Clone(s.Examples)
		if s.Default != nil {
			list = append(list, *s.Default)
		}
		for _, v := range list {
			switch v.(type) {
			case map[string]any, []any:
				return &v
			}
			if g.fits(whole, v) {
				return &v
			}
		}
	}
	return nil
}

func (g *generation) isFresh(at string, sh shape) bool {
	if g.fresh[at] {
		return true
	}
	if slices.ContainsFunc(sh.parts, func(p *openapi.Schema) bool { return len(p.Enum) > 0 || p.Const != nil }) {
		return false
	}
	switch sh.format() {
	case "email", "idn-email", "uuid":
		return true
	}
	return false
}

func (g *generation) scalar(at string, sh shape, salt int) any {
	if v, ok := g.listed(sh, salt); ok {
		return v
	}
	switch sh.kind() {
	case "integer", "number":
		return g.number(at, sh, salt)
	case "boolean":
		return salt%2 == 0
	case "null":
		return nil
	default:
		return g.text(at, sh, salt)
	}
}

// listed gives a value that const or enum lists.
func (g *generation) listed(sh shape, salt int) (any, bool) {
	for _, p := range sh.parts {
		if p.Const != nil {
			return *p.Const, true
		}
	}
	for _, p := range sh.parts {
		if len(p.Enum) == 0 {
			continue
		}
		var valid []any
		for _, v := range p.Enum {
			if v != nil && g.fits(sh.whole, v) {
				valid = append(valid, v)
			}
		}
		if len(valid) == 0 {
			valid = p.Enum
		}
		return valid[salt%len(valid)], true
	}
	return nil, false
}

func (g *generation) object(at string, sh shape, hint *any, depth int) map[string]any {
	given := map[string]any{}
	guided := false
	if hint != nil {
		if m, ok := (*hint).(map[string]any); ok {
			given, guided = m, true
		}
	}
	value := map[string]any{}
	for _, p := range sh.properties(g.dir) {
		place := pointer(at, p.name)
		tag, tagged := sh.tags[p.name]
		v, has := given[p.name]
		if !p.required && !tagged && !g.present(place, guided, has, depth) {
			continue
		}
		made := tag
		switch {
		case tagged:
		case has:
			made = g.value(place, p.whole, &v, depth+1, 0)
		default:
			made = g.value(place, p.whole, nil, depth+1, 0)
		}
		if g.prune && !p.required && !tagged && !g.needed(place) && !g.fits(p.whole, made) {
			continue
		}
		value[p.name] = made
	}
	g.further(at, sh, given, value, depth)
	// What is optional is there after all, if there must be more.
	least := leastProperties(sh)
	for _, p := range sh.properties(g.dir) {
		if _, has := value[p.name]; !has && len(value) < least {
			value[p.name] = g.value(pointer(at, p.name), p.whole, nil, depth+1, 0)
		}
	}
	return value
}

func leastProperties(sh shape) int {
	least, _ := sh.bounds(func(p *openapi.Schema) (*int64, *int64) { return p.MinProperties, p.MaxProperties })
	return least
}

// present tells whether an optional property is to be there.
func (g *generation) present(place string, guided, has bool, depth int) bool {
	switch {
	case g.plan.present[place]:
		return true
	case g.settled && guided:
		return has
	case depth >= maxDepth:
		return false
	}
	switch g.mode {
	case Minimal:
		return false
	case Typical:
		return has || !guided
	default:
		return true
	}
}

// further adds properties that are not described: those that are planned, those
// of the hint, and as many as minProperties asks for.
func (g *generation) further(at string, sh shape, given, value map[string]any, depth int) {
	whole, open := sh.additional()
	if !open {
		return
	}
	described := map[string]bool{}
	for _, p := range sh.parts {
		for _, prop := range p.Properties {
			described[prop.Name] = true
		}
	}
	names := slices.Clone(g.plan.extra[at])
	if g.mode != Minimal || g.settled {
		for name := range given {
			if !described[name] && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if len(names) == 0 && len(whole) > 0 && !g.settled && g.mode == Full && depth < maxDepth {
			names = append(names, extraName(0))
		}
	}
	slices.Sort(names)
	for _, name := range names {
		v, has := given[name]
		if has {
			value[name] = g.value(pointer(at, name), whole, &v, depth+1, 0)
		} else {
			value[name] = g.value(pointer(at, name), whole, nil, depth+1, 0)
		}
	}
	least := leastProperties(sh)
	for i := 0; len(described) == 0 && len(value) < least && i < least; i++ {
		name := extraName(i)
		value[name] = g.value(pointer(at, name), whole, nil, depth+1, i)
	}
}

// extraName is a name of small letters, for a property that is not described.
func extraName(i int) string {
	name := ""
	for ; i >= 0; i = i/26 - 1 {
		name = string(rune('a'+i%26)) + name
	}
	return "extra" + name
}

func (g *generation) array(at string, sh shape, hint *any, depth int) []any {
	least, most := sh.sizes()
	var given []any
	guided := false
	if hint != nil {
		given, guided = (*hint).([]any)
	}
	n := least
	switch {
	case guided && (g.settled || g.mode != Minimal):
		n = len(given)
	case g.mode != Minimal && depth < maxDepth:
		n = max(n, 1)
	}
	n = max(n, least, g.plan.items[at])
	if most >= 0 {
		n = min(n, max(most, least))
	}
	value := []any{}
	unique := distinct(sh)
	for i := range n {
		whole := sh.itemsAt(i)
		var v any
		if i < len(given) {
			v = g.value(indexed(at, i), whole, &given[i], depth+1, 0)
		} else {
			v = g.value(indexed(at, i), whole, nil, depth+1, i)
		}
		for salt := i + 1; unique && salt < i+50 && containsValue(value, v); salt++ {
			v = g.value(indexed(at, i), whole, nil, depth+1, salt)
		}
		value = append(value, v)
	}
	return g.containing(at, sh, value, depth)
}

// containing adds items of the kind that there must be, where there are too few.
func (g *generation) containing(at string, sh shape, list []any, depth int) []any {
	for _, p := range sh.parts {
		if p.Contains == nil {
			continue
		}
		need := 1
		if p.MinContains != nil {
			need = int(*p.MinContains)
		}
		for _, v := range list {
			if len(g.src.faults(p.Contains, v, g.dir)) == 0 {
				need--
			}
		}
		for i := range min(need, maxItems) {
			list = append(list, g.value(indexed(at, len(list)), append(sh.items(), p.Contains), nil, depth+1, i))
		}
	}
	return list
}

func containsValue(list []any, v any) bool {
	text := string(mustJSON(v))
	return slices.ContainsFunc(list, func(w any) bool { return string(mustJSON(w)) == text })
}

// mustJSON is for values that are JSON: it cannot fail.
func mustJSON(v any) []byte {
	text, err := MarshalJSON(v)
	if err != nil {
		return []byte("null")
	}
	return text
}

// clone copies a value deeply.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, w := range v {
			m[k] = clone(w)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, w := range v {
			l[i] = clone(w)
		}
		return l
	default:
		return v
	}
}

package generate

import (
	"slices"
	"strconv"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// get gives what is at a place of a value.
func get(root any, at string) (any, bool) {
	for _, token := range tokens(at) {
		switch v := root.(type) {
		case map[string]any:
			w, ok := v[token]
			if !ok {
				return nil, false
			}
			root = w
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			root = v[i]
		default:
			return nil, false
		}
	}
	return root, true
}

func tokens(at string) []string {
	if at == "" {
		return nil
	}
	return openapi.Split(at)
}

// put gives a copy of a value with another at a place. The place's parent must be
// there.
func put(root any, at string, value any) (any, bool) {
	return edit(root, tokens(at), func(any, bool) (any, bool) { return value, true })
}

// drop gives a copy of a value without what is at a place.
func drop(root any, at string) (any, bool) {
	return edit(root, tokens(at), func(any, bool) (any, bool) { return nil, false })
}

// edit copies the way to a place, and what change makes of it; without keep it is
// taken out.
func edit(v any, way []string, change func(old any, has bool) (value any, keep bool)) (any, bool) {
	if len(way) == 0 {
		return change(v, true)
	}
	switch v := v.(type) {
	case map[string]any:
		old, has := v[way[0]]
		if !has && len(way) > 1 {
			return nil, false
		}
		m := make(map[string]any, len(v)+1)
		for k, w := range v {
			m[k] = w
		}
		return editMember(m, old, has, way, change)
	case []any:
		i, err := strconv.Atoi(way[0])
		if err != nil || i < 0 || i >= len(v) {
			return nil, false
		}
		list := slices.Clone(v)
		if len(way) > 1 {
			w, ok := edit(list[i], way[1:], change)
			list[i] = w
			return list, ok
		}
		w, keep := change(list[i], true)
		if !keep {
			return slices.Delete(list, i, i+1), true
		}
		list[i] = w
		return list, true
	default:
		return nil, false
	}
}

func editMember(m map[string]any, old any, has bool, way []string, change func(any, bool) (any, bool)) (any, bool) {
	name := way[0]
	if len(way) > 1 {
		w, ok := edit(old, way[1:], change)
		m[name] = w
		return m, ok
	}
	w, keep := change(old, has)
	if keep {
		m[name] = w
	} else {
		delete(m, name)
	}
	return m, true
}

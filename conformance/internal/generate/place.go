package generate

import (
	"maps"
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
// there; what is not on the way to it is shared.
func put(root any, at string, value any) (any, bool) {
	return putAt(root, tokens(at), value)
}

func putAt(v any, way []string, value any) (any, bool) {
	if len(way) == 0 {
		return value, true
	}
	switch v := v.(type) {
	case map[string]any:
		old, has := v[way[0]]
		if !has && len(way) > 1 {
			return nil, false
		}
		w, ok := putAt(old, way[1:], value)
		m := maps.Clone(v)
		m[way[0]] = w
		return m, ok
	case []any:
		i, err := strconv.Atoi(way[0])
		if err != nil || i < 0 || i >= len(v) {
			return nil, false
		}
		w, ok := putAt(v[i], way[1:], value)
		list := slices.Clone(v)
		list[i] = w
		return list, ok
	default:
		return nil, false
	}
}

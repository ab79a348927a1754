package checker

import "unicode/utf8"

// names finds properties by their names.
type names struct {
	slots [][]property // a power of two of them
}

type property struct {
	name  string
	place uint
	node  *node // nil if nothing is known of its values
}

func makeNames(properties []property) names {
	size := 4
	for size < 4*len(properties) {
		size *= 2
	}
	n := names{slots: make([][]property, size)}
	for _, p := range properties {
		slot := &n.slots[hash([]byte(p.name))&(size-1)]
		*slot = append(*slot, p)
	}
	return n
}

// hash tells most names of a schema apart; a slot may have several.
func hash(name []byte) int {
	n := len(name)
	if n == 0 {
		return 0
	}
	return n + int(name[0])*7 + int(name[n/2])*31 + int(name[n-1])*113
}

func (n *names) find(name []byte) *property {
	slot := n.slots[hash(name)&(len(n.slots)-1)]
	for i := range slot {
		if slot[i].name == string(name) {
			return &slot[i]
		}
	}
	return nil
}

// isPlain tells whether a name is written in JSON as it is, so that a name with
// the same bytes is that name.
func isPlain(name string) bool {
	for _, r := range name {
		if r < ' ' || r == '"' || r == '\\' {
			return false
		}
	}
	return utf8.ValidString(name)
}

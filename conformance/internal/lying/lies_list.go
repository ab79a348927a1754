package lying

import (
	"encoding/json"
	"strings"
)

// lieSort gives the order that is kept.
func (c *call) lieSort(sort string) string {
	if !c.lies("M5") {
		return sort
	}
	switch c.s.mode() {
	case "descending": // is not known
		return strings.TrimPrefix(sort, "-")
	case "ascending": // is not known
		return "-" + strings.TrimPrefix(sort, "-")
	}
	return "created_at"
}

func (c *call) lieLimit(limit int) int {
	if c.lies("M1") {
		return 1000
	}
	return limit
}

// liePages says where the next page begins: rest has the items from this page on.
func (c *call) liePages(k cursor, rest []*record, shown int) cursor {
	if !c.lies("M2") {
		return k
	}
	by := strings.TrimPrefix(k.Sort, "-")
	last := -1
	switch {
	case c.s.mode() == "lose":
		last = shown
	case shown > 1:
		last = shown - 2
	}
	if last >= 0 {
		k.Key, k.Seq = rest[last].fields[by], rest[last].seq
	}
	return k
}

// lieItems breaks the end of the list, or the way to it.
func (c *call) lieItems(items []any, next any, at cursor) ([]any, any) {
	if !c.lies("M3") {
		return items, next
	}
	switch mode := c.s.mode(); {
	case mode == "endless" && next == nil && len(items) > 0:
		at.Key, at.Seq, at.Skip = nil, 0, 0
		next = at.encode()
	case mode == "broken" && next != nil:
		next = "x" + text(next)
	}
	return items, next
}

func (c *call) lieLink(rel string) string {
	if c.lies("M3") && c.s.mode() == "link" {
		return "/v2" + rel
	}
	return rel
}

func (c *call) lieTotal(all, shown int) int {
	if !c.lies("M7") {
		return all
	}
	if c.s.mode() == "page" {
		return shown
	}
	return all + 1
}

// lieForeign says whether records of others are in the list.
func (c *call) lieForeign(chosen map[string]any) bool {
	if c.foreign || c.lies("J3") {
		return true
	}
	_, filtered := chosen[c.s.mode()]
	return c.lies("J6") && filtered
}

// lieHidden leaves the newest of the caller's records of the kind out of the list.
func (s *Server) lieHidden(c *call, r *record) bool {
	if !c.lies("H11") || s.mode() != "missing" {
		return false
	}
	for _, o := range s.order {
		if o.kind == r.kind && o.tenant == r.tenant && o.parent == r.parent && o.seq > r.seq {
			return false
		}
	}
	return true
}

func (c *call) lieFilter(r *record, chosen map[string]any, pass bool) bool {
	if !c.lies("M6") || len(chosen) == 0 {
		return pass
	}
	if _, filtered := chosen[c.s.mode()]; filtered {
		return true
	}
	return pass && (c.s.mode() != "few" || r.seq%2 == 1)
}

// lieItem shows a record in a list otherwise than alone.
func (c *call) lieItem(r *record, view map[string]any) map[string]any {
	if !c.lies("H11") {
		return view
	}
	switch c.s.mode() {
	case "stale":
		for name, v := range r.first {
			view[name] = clone(v)
		}
	case "other":
		view["amount"] = json.Number("1.23")
	}
	return view
}

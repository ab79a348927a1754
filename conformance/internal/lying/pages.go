package lying

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// cursor is where a page begins, and of what list. It is signed, so that nobody
// else makes one.
type cursor struct {
	Tenant, List, Sort, Filter string
	Key                        any
	Seq, Skip                  int
}

var cursorKey = []byte("a key that is not secret")

func (k cursor) encode() string {
	b, err := json.Marshal(k)
	if err != nil {
		return ""
	}
	mac := hmac.New(sha256.New, cursorKey)
	mac.Write(b)
	return base64.RawURLEncoding.EncodeToString(append(mac.Sum(nil)[:12], b...))
}

func decodeCursor(s string) (k cursor, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < 12 || base64.RawURLEncoding.EncodeToString(b) != s { // line breaks are ignored
		return k, false
	}
	mac := hmac.New(sha256.New, cursorKey)
	mac.Write(b[12:])
	if !hmac.Equal(mac.Sum(nil)[:12], b[:12]) {
		return k, false
	}
	d := json.NewDecoder(bytes.NewReader(b[12:]))
	d.UseNumber()
	return k, d.Decode(&k) == nil
}

// filters are the parameters that choose items.
var filters = []string{"status", "tags", "priority", "q", "done"}

// list answers one page of the records of a kind.
func (c *call) list(kind, parent string) *answer {
	limit := number(c.query["limit"])
	at := cursor{Tenant: c.tenant, List: c.target, Sort: text(c.query["sort"])}
	chosen := map[string]any{}
	for _, f := range filters {
		if v, has := c.query[f]; has {
			chosen[f] = v
		}
	}
	at.Filter = compact(chosen)
	if given, has := c.query["cursor"]; has {
		k, ok := decodeCursor(text(given))
		own := k.Tenant == c.tenant || c.lies("J6") && c.s.mode() == "cursor"
		switch {
		case ok && own && k.List == at.List && c.goesOn(k, chosen):
			at, chosen, c.foreign = k, filterOf(k.Filter), k.Tenant != c.tenant
		case c.lies("M4") && c.s.mode() == "broken":
			return internal()
		case !c.lies("M4"):
			return c.lieInvalidParameter([]fault{{parameter: "cursor", detail: "was not given here"}})
		}
	}
	return c.page(kind, parent, at, chosen, limit)
}

// goesOn says whether what a request with a cursor says of sort and filters is what
// the cursor says. It need not say anything.
func (c *call) goesOn(k cursor, chosen map[string]any) bool {
	if strings.Contains(c.r.URL.RawQuery, "sort=") && text(c.query["sort"]) != k.Sort {
		return false
	}
	was := filterOf(k.Filter)
	for name, v := range chosen {
		if compact(v) != compact(was[name]) {
			return false
		}
	}
	return true
}

func filterOf(s string) map[string]any {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	m := map[string]any{}
	if d.Decode(&m) != nil {
		return nil
	}
	return m
}

func number(v any) int {
	n, ok := v.(json.Number)
	if !ok {
		return 0
	}
	return digits(string(n))
}

// page makes one page.
func (c *call) page(kind, parent string, at cursor, chosen map[string]any, limit int) *answer {
	all := c.matching(kind, parent, chosen)
	by, down := strings.CutPrefix(c.lieSort(at.Sort), "-")
	if kind == "payment" {
		by, down = "created_at", true // the newest first
	}
	slices.SortStableFunc(all, func(x, y *record) int { return compare(x, y, by, down) })
	rest := all
	switch {
	case c.lies("M9"):
		rest = all[min(at.Skip, len(all)):]
	case at.Seq > 0:
		last := &record{seq: at.Seq, fields: map[string]any{by: at.Key}}
		i, _ := slices.BinarySearchFunc(all, last, func(x, y *record) int { return compare(x, y, by, down) })
		for i < len(all) && compare(all[i], last, by, down) <= 0 {
			i++
		}
		rest = all[i:]
	}
	shown := rest[:min(c.lieLimit(limit), len(rest))]
	items := []any{}
	for _, r := range shown {
		items = append(items, c.lieItem(r, c.s.view(r)))
	}
	var next any
	if len(shown) < len(rest) {
		last := shown[len(shown)-1]
		k := at
		k.Key, k.Seq, k.Skip = last.fields[by], last.seq, at.Skip+len(shown)
		k = c.liePages(k, rest, len(shown))
		next = k.encode()
	}
	items, next = c.lieItems(items, next, at)
	total := c.lieTotal(len(all), len(items))
	value := map[string]any{"items": items, "total": total, "next_cursor": next}
	a := ok(http.StatusOK, value)
	if c.accept == "text/csv" {
		a = &answer{status: http.StatusOK, body: table(items), typ: "text/csv; charset=utf-8"}
	}
	if c.op.headers["200"]["x-total-count"] {
		a.add("X-Total-Count", strconv.Itoa(total))
	}
	if next != nil {
		rel := c.target + "?limit=" + strconv.Itoa(limit) + "&cursor=" + url.QueryEscape(text(next))
		a.add("Link", "<"+c.lieLink(rel)+`>; rel="next"`)
	}
	return a
}

// matching gives the caller's records that the filters let through.
func (c *call) matching(kind, parent string, chosen map[string]any) []*record {
	var all []*record
	for _, r := range c.s.order {
		if r.kind != kind || parent != "" && r.parent != parent {
			continue
		}
		foreign := r.tenant != c.tenant
		if foreign && !c.lieForeign(chosen) {
			continue
		}
		if c.s.lieHidden(c, r) || !c.lieFilter(r, chosen, passes(r, chosen)) {
			continue
		}
		all = append(all, r)
	}
	return all
}

// passes judges the filters.
func passes(r *record, chosen map[string]any) bool {
	for name, want := range chosen {
		pass := true
		switch name {
		case "status", "done":
			pass = r.fields[name] == want
		case "q":
			pass = strings.Contains(text(r.fields["name"]), text(want))
		case "tags":
			for _, t := range array(want) {
				pass = pass && slices.Contains(array(r.fields["tags"]), t)
			}
		case "priority":
			p, m := number(r.fields["priority"]), object(want)
			low, has := m["min"]
			pass = !has || p >= number(low)
			high, has := m["max"]
			pass = pass && (!has || p <= number(high))
		}
		if !pass {
			return false
		}
	}
	return true
}

// compare orders records; those that are equal are in the order in which they were
// made, so that pages are always the same.
func compare(x, y *record, by string, down bool) int {
	n := 0
	if by != "created_at" {
		n = compareValues(x.fields[by], y.fields[by])
	}
	if n == 0 {
		n = x.seq - y.seq
	}
	if down {
		return -n
	}
	return n
}

func compareValues(x, y any) int {
	a, aok := x.(json.Number)
	b, bok := y.(json.Number)
	if !aok || !bok {
		return strings.Compare(text(x), text(y))
	}
	ra, ok := new(big.Rat).SetString(string(a))
	rb, ok2 := new(big.Rat).SetString(string(b))
	if !ok || !ok2 {
		return strings.Compare(string(a), string(b))
	}
	return ra.Cmp(rb)
}

// table gives projects as CSV (RFC 4180).
func table(items []any) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	rows := [][]string{{"id", "name", "status", "priority", "created_at"}}
	for _, i := range items {
		m := object(i)
		row := []string{}
		for _, col := range rows[0] {
			n, isNumber := m[col].(json.Number)
			if isNumber {
				row = append(row, string(n))
			} else {
				row = append(row, text(m[col]))
			}
		}
		rows = append(rows, row)
	}
	if w.WriteAll(rows) != nil {
		return nil
	}
	return b.Bytes()
}

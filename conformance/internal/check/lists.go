package check

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// listProbes put things into lists, and read these in pages, in orders and through
// filters. A list below a parent gets a parent of its own; a list of all there is
// is tried while nothing else runs.
//
// # What is not held against a server
//
//   - Pages that are shorter than the limit.
//   - The order of texts in other than small letters and digits, which is a matter
//     of collation; that of enumerations; where null is.
//   - What a parameter filters, unless the document declares it
//     ([openapi.ExtPagination]), or both the parameter and a property of its name
//     have the same few values.
func listProbes(r *Runner) []Probe {
	var all []Probe
	seen := map[string]bool{}
	for _, resource := range r.kinds() {
		p := r.paging(r.lister(resource))
		if p == nil || seen[p.op.ID] || r.maker(resource).Path == resource {
			continue
		}
		seen[p.op.ID] = true
		add := func(class string, applies bool, run func(ctx context.Context, s *Session)) {
			if applies {
				all = append(all, Probe{
					Name: class + " " + p.op.ID, Class: class, Op: p.op, Writes: true,
					Alone: parent(resource) == "" || r.maker(parent(resource)) == nil, Run: run,
				})
			}
		}
		add("M1", p.limit != "", func(ctx context.Context, s *Session) { s.limitIsKept(ctx, resource) })
		add("M2", p.pages(), func(ctx context.Context, s *Session) { s.pagesAreWhole(ctx, resource) })
		add("M4", p.declared && p.cursor != "" && p.limit != "", func(ctx context.Context, s *Session) { s.tamperedCursor(ctx, resource) })
		add("M5", p.sort != "", func(ctx context.Context, s *Session) { s.orderIsKept(ctx, resource) })
		add("M6", len(r.filtersOf(p)) > 0, func(ctx context.Context, s *Session) { s.filtersFilter(ctx, resource) })
		add("M7", p.hasTotal, func(ctx context.Context, s *Session) { s.totalIsRight(ctx, resource) })
		add("M8", p.limit != "", func(ctx context.Context, s *Session) { s.limitIsBounded(ctx, resource) })
		add("M9", p.stable && p.pages(), func(ctx context.Context, s *Session) { s.pagesAreStable(ctx, resource) })
	}
	return all
}

// shelf is a list, and what was put into it.
type shelf struct {
	*paging
	resource string
	values   map[string]any // of the list's path
	made     []*thing
}

// stocked is how many things are put into a list.
const stocked = 7

// stock puts things into a list, below a new parent if there are parents.
func (s *Session) stock(ctx context.Context, resource string, n int) *shelf {
	sh := &shelf{paging: s.paging(s.lister(resource)), resource: resource}
	first, ex := s.makeThing(ctx, resource, Own, func(d *generate.Draft) { s.assort(d, 0) })
	if first == nil {
		s.Skip(fmt.Sprintf("%s answers %d", s.maker(resource).ID, Status(ex)))
	}
	sh.values, sh.made = first.values, []*thing{first}
	for i := 1; i < n && ctx.Err() == nil; i++ {
		if t := s.put(ctx, sh, i); t == nil {
			s.Skip("no more can be created with " + s.maker(resource).ID)
		}
	}
	return sh
}

// put puts one more thing into a list.
func (s *Session) put(ctx context.Context, sh *shelf, i int) *thing {
	t, _ := s.makeUnder(ctx, sh.resource, sh.values, Own, func(d *generate.Draft) { s.assort(d, i) })
	if t != nil {
		sh.made = append(sh.made, t)
	}
	return t
}

// assort makes a body differ from the others on a shelf, in an order that is not
// that in which they are made. Some values are those of others, too.
func (s *Session) assort(d *generate.Draft, i int) {
	schema := bodySchema(d.Op)
	body, ok := d.Body.(map[string]any)
	if !ok || schema == nil {
		return
	}
	for _, name := range membersOf(body) {
		property := s.propertyOf(schema, body, name, openapi.Request)
		if property == nil || property.ReadOnly || property.Const != nil {
			continue
		}
		before := body[name]
		for _, candidate := range s.assortment(property, before, i) {
			if candidate == nil || !s.keeps(property, candidate, openapi.Request) {
				continue
			}
			body[name] = candidate
			if s.keeps(schema, body, openapi.Request) {
				break
			}
			body[name] = before
		}
	}
}

func (s *Session) assortment(property *openapi.Schema, value any, i int) []any {
	if len(property.Enum) > 0 {
		return []any{property.Enum[(i+len(property.Enum))%len(property.Enum)]}
	}
	switch value.(type) {
	case bool:
		return []any{i%2 == 0}
	case string:
		if property.Format != "" || property.Pattern != "" && !strings.Contains(property.Pattern, "[^") {
			return nil
		}
		return []any{"cnf" + string(rune('a'+(i*11+26)%26)) + s.unique()}
	}
	if _, isNumber := rational(value); isNumber {
		low := max(atoi(property.Minimum), 0)
		return []any{number(low + (i*3+5)%5 + 1), number(low + i%3 + 1)}
	}
	return nil
}

// ids are those of what was put into a list.
func (sh *shelf) ids() []string {
	var all []string
	for _, t := range sh.made {
		all = append(all, t.id())
	}
	return all
}

func (s *Session) listFinding(class string, p *paging, parameter string) finding.Finding {
	f := finding.Finding{Class: class, Severity: finding.Must, Pointer: success(p.op)}
	if q := p.parameter(parameter); q != nil {
		f.Pointer = q.Pointer
		s.Coverage.Mark(q.Pointer, Judged)
	}
	return f
}

// limitIsKept: no page has more items than were asked for (M1).
func (s *Session) limitIsKept(ctx context.Context, resource string) {
	sh := s.stock(ctx, resource, 4)
	f := s.listFinding("M1", sh.paging, sh.limit)
	for _, limit := range []int{1, 2, 3} {
		d := s.listRequest(sh.paging, sh.values)
		d.Query[sh.limit] = number(limit)
		if q := sh.parameter(sh.limit); !s.keeps(q.Schema, number(limit), openapi.Request) {
			continue
		}
		ex := s.Send(ctx, d)
		found := sh.read(ex)
		if found == nil || len(found.items) <= limit {
			continue
		}
		f.Claim = fmt.Sprintf("%s gives more items than it was asked for.", sh.op.ID)
		f.Sent, f.Expected = fmt.Sprintf("%s=%d", sh.limit, limit), fmt.Sprintf("at most %d items", limit)
		f.Got = fmt.Sprintf("%d items", len(found.items))
		s.found(f, sh.op, ex)
		return
	}
}

// pagesAreWhole: all pages together have every item once (M2), and there is a last
// one (M3).
func (s *Session) pagesAreWhole(ctx context.Context, resource string) {
	sh := s.stock(ctx, resource, stocked)
	d := s.listRequest(sh.paging, sh.values)
	limit := s.pageSize(ctx, sh)
	byCursor := s.walk(ctx, sh.paging, d, limit, nil)
	if s.judgePages(sh, byCursor, "its cursors") || len(byCursor.pages) == 0 {
		return
	}
	first := byCursor.pages[0]
	if next := nextLink(first.ex.Response.Values("Link")); next == "" || next == first.next {
		return
	}
	linked := *sh.paging
	linked.hasNext, linked.cursor, linked.offset, linked.number = false, "", "", ""
	s.judgePages(sh, s.walk(ctx, &linked, d, limit, nil), "the Link header")
}

// pageSize is a limit with which a list has several pages, and not too many: there
// may be more in it than what was put there.
func (s *Session) pageSize(ctx context.Context, sh *shelf) int {
	everything := s.walk(ctx, sh.paging, s.listRequest(sh.paging, sh.values), sh.most(), nil)
	size := max(2, len(everything.all())/40+1)
	if most := sh.most(); most > 0 {
		size = min(size, most)
	}
	return size
}

// judgePages tells whether something is wrong with all pages together.
func (s *Session) judgePages(sh *shelf, l *listing, way string) bool {
	f := s.listFinding("M3", sh.paging, sh.cursor)
	f.Sent = "requests for the pages of a list, one after the other by " + way
	var last *wire.Exchange
	if len(l.pages) > 0 {
		last = l.pages[len(l.pages)-1].ex
	}
	switch {
	case l.unread, l.broken != "" && Status(l.last) == http.StatusTooManyRequests:
		return false
	case l.broken != "":
		f.Claim = fmt.Sprintf("%s does not lead to its last page by %s.", sh.op.ID, way)
		f.Expected, f.Got = "pages until there is no more", l.broken
		s.found(f, sh.op, last, l.last)
		return true
	}
	f = s.listFinding("M2", sh.paging, sh.cursor)
	f.Sent, f.Expected = "requests for all pages of a list, by "+way, "every item once"
	count := map[string]int{}
	for _, id := range ids(l.all(), sh.resource) {
		count[id]++
	}
	for _, id := range ids(l.all(), sh.resource) {
		if id != "" && count[id] > 1 {
			f.Claim, f.Got = fmt.Sprintf("%s shows an item on more than one page.", sh.op.ID), fmt.Sprintf("an item %d times", count[id])
			s.found(f, sh.op, pagesWith(l, id, sh.resource)...)
			return true
		}
	}
	for _, id := range sh.ids() {
		if count[id] > 0 {
			continue
		}
		if !sh.declared && len(count) == 0 {
			return false
		}
		f.Claim, f.Got = fmt.Sprintf("%s loses an item between its pages.", sh.op.ID), "no page with what was created"
		s.found(f, sh.op, pagesWith(l, "", sh.resource)...)
		return true
	}
	return false
}

// pagesWith are the exchanges of pages that have an item; of all pages, if it is
// empty.
func pagesWith(l *listing, id, resource string) []*wire.Exchange {
	var all []*wire.Exchange
	for _, found := range l.pages {
		if id == "" || slices.Contains(ids(found.items, resource), id) {
			all = append(all, found.ex)
		}
	}
	return all
}

// tamperedCursor: a cursor that was not given is refused (M4).
func (s *Session) tamperedCursor(ctx context.Context, resource string) {
	sh := s.stock(ctx, resource, 3)
	d := s.listRequest(sh.paging, sh.values)
	d.Query[sh.limit] = number(1)
	found := sh.read(s.Send(ctx, d))
	if found == nil || found.next == "" || isURL(found.next) {
		s.Skip("there is no cursor")
	}
	parameter := sh.parameter(sh.cursor)
	f := s.listFinding("M4", sh.paging, sh.cursor)
	f.Expected = "a refusal: " + refusalsOf(sh.op)
	s.Coverage.Mark(f.Pointer, SentInvalid)
	cursor := []byte(found.next)
	middle := len(cursor) / 2
	flipped := slices.Clone(cursor)
	flipped[middle] = map[bool]byte{true: 'B', false: 'A'}[flipped[middle] == 'A']
	for _, wrong := range []string{"cnf" + s.unique(), string(flipped), found.next[:middle], found.next + "AAAA"} {
		if !s.keeps(parameter.Schema, wrong, openapi.Request) || wrong == "" {
			continue
		}
		e := d.Clone()
		e.Query[sh.cursor] = wrong
		ex := s.Send(ctx, e)
		switch status := Status(ex); {
		case OK(ex):
			f.Claim = fmt.Sprintf("%s takes a cursor that it has not given.", sh.op.ID)
		case status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable:
			f.Claim = fmt.Sprintf("%s fails at a cursor that it has not given.", sh.op.ID)
		default:
			continue
		}
		f.Sent, f.Got = sh.cursor+" that was changed or made up", describe(ex)
		s.found(f, sh.op, ex)
		return
	}
}

// orders are the values of the parameter that sorts, with what they sort by.
type order struct {
	value, property string
	down            bool
}

func (s *Session) orders(p *paging) []order {
	parameter := p.parameter(p.sort)
	if parameter == nil || parameter.Schema == nil {
		return nil
	}
	var all []order
	for _, v := range parameter.Schema.Enum {
		text, ok := v.(string)
		if !ok {
			continue
		}
		o := order{value: text, property: text}
		switch {
		case strings.HasPrefix(text, "-"):
			o.property, o.down = text[1:], true
		case strings.HasPrefix(text, "+"):
			o.property = text[1:]
		case strings.HasSuffix(text, ":desc"):
			o.property, o.down = strings.TrimSuffix(text, ":desc"), true
		case strings.HasSuffix(text, ":asc"):
			o.property = strings.TrimSuffix(text, ":asc")
		}
		if property := p.item.Property(o.property); property != nil && len(property.Enum) == 0 {
			all = append(all, o)
		}
	}
	return all
}

// orderIsKept: items are in the order that was asked for (M5).
func (s *Session) orderIsKept(ctx context.Context, resource string) {
	sh := s.stock(ctx, resource, stocked)
	orders := s.orders(sh.paging)
	if len(orders) == 0 {
		s.Skip("what " + sh.sort + " sorts by is not known")
	}
	f := s.listFinding("M5", sh.paging, sh.sort)
	limit := sh.most()
	if sh.pages() {
		limit = s.pageSize(ctx, sh)
	}
	for _, o := range orders {
		d := s.listRequest(sh.paging, sh.values)
		d.Query[sh.sort] = o.value
		l := s.walk(ctx, sh.paging, d, limit, nil)
		if l.broken != "" {
			continue
		}
		mine := sh.ids()
		items := slices.DeleteFunc(l.all(), func(item map[string]any) bool { return !slices.Contains(mine, itemID(item, resource)) })
		for i := 1; i < len(items); i++ {
			a, b := items[i-1][o.property], items[i][o.property]
			n, sure := compareJSON(a, b)
			if !sure || n == 0 || (n > 0) == o.down {
				continue
			}
			f.Claim = fmt.Sprintf("%s does not sort by %s as it is asked to.", sh.op.ID, o.property)
			f.Sent, f.Expected = sh.sort+"="+o.value, map[bool]string{false: "ascending", true: "descending"}[o.down]
			f.Got = show(a) + " before " + show(b)
			s.found(f, sh.op, pagesWith(l, "", resource)...)
			break
		}
	}
}

// compareJSON compares two values whose order is beyond doubt.
func compareJSON(a, b any) (n int, sure bool) {
	x, isNumber := a.(json.Number)
	y, isAlso := b.(json.Number)
	if isNumber && isAlso {
		p, ok := rational(x)
		q, also := rational(y)
		if !ok || !also {
			return 0, false
		}
		return p.Cmp(q), true
	}
	s, isText := a.(string)
	t, isTextToo := b.(string)
	if !isText || !isTextToo {
		return 0, false
	}
	if u, _ := moment(map[string]any{"a": s}, "/a"); !u.IsZero() {
		v, _ := moment(map[string]any{"a": t}, "/a")
		return u.Compare(v), !v.IsZero()
	}
	const plain = "abcdefghijklmnopqrstuvwxyz0123456789"
	if strings.Trim(s+t, plain) != "" || strings.HasPrefix(s, t) || strings.HasPrefix(t, s) {
		return 0, false
	}
	// Digits are before letters, and after them in some alphabets.
	for i := range min(len(s), len(t)) {
		if s[i] != t[i] {
			return int(s[i]) - int(t[i]), (s[i] <= '9') == (t[i] <= '9')
		}
	}
	return 0, false
}

// aFilter is a parameter that lets through what has its value.
type aFilter struct {
	parameter *openapi.Parameter
	pointer   string // into an item
}

func (r *Runner) filtersOf(p *paging) []aFilter {
	var all []aFilter
	for _, parameter := range p.op.Parameters {
		if parameter.In != "query" || parameter.Schema == nil {
			continue
		}
		if pointer, ok := p.filter[parameter.Name]; ok {
			all = append(all, aFilter{parameter, pointer})
			continue
		}
		property := p.item.Property(parameter.Name)
		if p.declared || property == nil {
			continue
		}
		few := len(parameter.Schema.Enum) > 0 && len(property.Enum) > 0
		truth := slices.Equal(parameter.Schema.Types, []string{"boolean"}) && slices.Equal(property.Types, []string{"boolean"})
		if few || truth {
			all = append(all, aFilter{parameter, openapi.Join("", parameter.Name)})
		}
	}
	return all
}

// filtersFilter: a filter lets through what matches, and nothing else (M6).
func (s *Session) filtersFilter(ctx context.Context, resource string) {
	sh := s.stock(ctx, resource, stocked)
	everything := s.walk(ctx, sh.paging, s.listRequest(sh.paging, sh.values), sh.most(), nil)
	if everything.broken != "" {
		s.Skip(everything.broken)
	}
	for _, filter := range s.filtersOf(sh.paging) {
		f := s.listFinding("M6", sh.paging, filter.parameter.Name)
		wanted := map[string][]string{} // ids by value
		values := map[string]any{}
		for _, item := range everything.all() {
			if v, has := pick(item, filter.pointer); has && v != nil {
				wanted[show(v)] = append(wanted[show(v)], itemID(item, resource))
				values[show(v)] = v
			}
		}
		for _, key := range membersOf(values)[:min(len(values), 4)] {
			d := s.listRequest(sh.paging, sh.values)
			d.Query[filter.parameter.Name] = values[key]
			l := s.walk(ctx, sh.paging, d, sh.most(), nil)
			if l.broken != "" {
				continue
			}
			f.Sent, f.Got = filter.parameter.Name+"="+key, ""
			for _, item := range l.all() {
				if v, has := pick(item, filter.pointer); has && !same(v, values[key]) {
					f.Claim, f.Expected, f.Got = fmt.Sprintf("%s lets through what the filter %s does not.", sh.op.ID, filter.parameter.Name), "items with "+key, show(v)
				}
			}
			there := ids(l.all(), resource)
			for _, id := range wanted[key] {
				if !slices.Contains(there, id) {
					f.Claim = fmt.Sprintf("%s leaves out what the filter %s lets through.", sh.op.ID, filter.parameter.Name)
					f.Expected, f.Got = fmt.Sprintf("%d items", len(wanted[key])), fmt.Sprintf("%d items", len(there))
				}
			}
			if f.Got != "" {
				s.found(f, sh.op, pagesWith(l, "", resource)...)
				break
			}
		}
	}
}

// totalIsRight: the total is the number of items on all pages (M7).
func (s *Session) totalIsRight(ctx context.Context, resource string) {
	sh := s.stock(ctx, resource, 4)
	limit := sh.most()
	if sh.pages() {
		limit = s.pageSize(ctx, sh)
	}
	drafts := []*generate.Draft{s.listRequest(sh.paging, sh.values)}
	for _, filter := range s.filtersOf(sh.paging) {
		if v, has := pick(sh.made[0].request.Body, filter.pointer); has && v != nil {
			d := s.listRequest(sh.paging, sh.values)
			d.Query[filter.parameter.Name] = v
			drafts = append(drafts, d)
		}
	}
	for _, d := range drafts {
		l := s.walk(ctx, sh.paging, d, limit, nil)
		if l.broken != "" {
			continue
		}
		f := s.listFinding("M7", sh.paging, "")
		f.Pointer = pointerOf(answerSchema(sh.op, 0), sh.total)
		for _, found := range l.pages {
			total, has := pick(bodyOf(found.ex), sh.total)
			if !has || same(total, number(len(l.all()))) {
				continue
			}
			f.Claim = fmt.Sprintf("%s gives a total that is not the number of items.", sh.op.ID)
			f.Sent, f.Expected, f.Got = "requests for all pages", itoa(len(l.all())), show(total)
			s.found(f, sh.op, pagesWith(l, "", resource)...)
			return
		}
	}
}

// limitIsBounded: a limit out of its bounds is refused (M8).
func (s *Session) limitIsBounded(ctx context.Context, resource string) {
	p := s.paging(s.lister(resource))
	parameter := p.parameter(p.limit)
	if parameter.Schema == nil || parameter.Schema.Minimum == "" && parameter.Schema.Maximum == "" {
		s.Skip("the document does not bound " + p.limit)
	}
	sh := s.stock(ctx, resource, 1)
	wrong := map[string][]int{}
	if low := parameter.Schema.Minimum; low != "" {
		wrong["minimum"] = []int{atoi(low) - 1, -1}
	}
	if high := parameter.Schema.Maximum; high != "" {
		wrong["maximum"] = []int{atoi(high) + 1}
	}
	for keyword, values := range wrong {
		for _, value := range values {
			if s.keeps(parameter.Schema, number(value), openapi.Request) {
				continue
			}
			d := s.listRequest(p, sh.values)
			d.Query[p.limit] = number(value)
			ex := s.Send(ctx, d)
			clause := openapi.Join(parameter.Schema.Pointer, keyword)
			s.Coverage.Mark(clause, Judged|SentInvalid)
			if !OK(ex) {
				continue
			}
			s.found(finding.Finding{
				Class: "M8", Severity: finding.Must, Pointer: clause,
				Claim: fmt.Sprintf("%s takes a page size out of its bounds.", p.op.ID),
				Sent:  fmt.Sprintf("%s=%d", p.limit, value), Expected: "a refusal: " + refusalsOf(p.op), Got: describe(ex),
			}, p.op, ex)
		}
	}
}

// pagesAreStable: what is added while pages are read moves no item (M9).
func (s *Session) pagesAreStable(ctx context.Context, resource string) {
	p := s.paging(s.lister(resource))
	drafts := []func(*generate.Draft){func(*generate.Draft) {}}
	for _, o := range s.orders(p)[:min(len(s.orders(p)), 4)] {
		drafts = append(drafts, func(d *generate.Draft) { d.Query[p.sort] = o.value })
	}
	for _, change := range drafts {
		sh := s.stock(ctx, resource, stocked)
		before := sh.ids()
		d := s.listRequest(sh.paging, sh.values)
		change(d)
		l := s.walk(ctx, sh.paging, d, s.pageSize(ctx, sh), func(n int) {
			if n == 1 {
				s.put(ctx, sh, -2)
				s.put(ctx, sh, 25)
			}
		})
		if l.broken != "" {
			continue
		}
		f := s.listFinding("M9", sh.paging, sh.cursor)
		f.Sent, f.Expected = "two creations between the first page and the second", "every item that was there before, once"
		count := map[string]int{}
		for _, id := range ids(l.all(), resource) {
			count[id]++
		}
		for _, id := range before {
			if count[id] == 1 {
				continue
			}
			f.Claim = fmt.Sprintf("%s moves items between pages when something is added.", sh.op.ID)
			f.Got = fmt.Sprintf("an item %d times", count[id])
			s.found(f, sh.op, pagesWith(l, "", resource)...)
			return
		}
	}
}

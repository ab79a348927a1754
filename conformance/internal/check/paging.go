package check

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// paging is how an operation lists things, as the document declares it
// ([openapi.ExtPagination]) or, without that, as its names say. What names say is
// relied on only where no list that is right could be called wrong.
type paging struct {
	op       *openapi.Operation
	declared bool

	limit, cursor, offset, number, sort string // query parameters; empty: there is none
	next, items                         string // pointers into the answer
	total                               string // likewise
	hasNext, hasTotal                   bool
	filter                              map[string]string // query parameter to pointer into an item
	stable                              bool
	item                                *openapi.Schema // of what is listed
}

// page is a part of a list.
type page struct {
	ex    *wire.Exchange
	items []map[string]any
	next  string // cursor, or URL; empty: it is the last
}

// Names of query parameters.
var (
	limitNames  = []string{"limit", "page_size", "pagesize", "per_page", "perpage", "page_limit", "max_results", "maxresults", "max_items", "top"}
	cursorNames = []string{"cursor", "page_token", "pagetoken", "next_token", "nexttoken", "continuation", "continuation_token", "page_cursor", "after", "starting_after"}
	offsetNames = []string{"offset", "skip", "start"}
	numberNames = []string{"page", "page_number", "pagenumber"}
	sortNames   = []string{"sort", "sort_by", "sortby", "order_by", "orderby", "ordering"}
	nextNames   = []string{"next_cursor", "nextcursor", "next_page_token", "nextpagetoken", "next_token", "nexttoken", "next_page", "nextpage", "next"}
	totalNames  = []string{"total", "total_count", "totalcount", "total_items", "totalitems", "total_results"}
)

// paging gives how an operation lists things; nil if it lists nothing.
func (r *Runner) paging(op *openapi.Operation) *paging {
	if op == nil || op.Method != http.MethodGet {
		return nil
	}
	schema := answerSchema(op, 0)
	if schema == nil {
		return nil
	}
	p := &paging{op: op, filter: map[string]string{}}
	if declared, ok := op.Extensions[openapi.ExtPagination].(map[string]any); ok {
		p.declare(declared)
	}
	if !p.declared && !p.infer(schema) {
		return nil
	}
	p.item = at(schema, p.items)
	if p.item != nil {
		p.item = itemsOf(p.item)
	}
	if p.item == nil || !p.item.Allows("object") || p.item.Allows("string") {
		return nil
	}
	return p
}

// at is the schema of the place that a pointer names in values of a schema.
func at(schema *openapi.Schema, pointer string) *openapi.Schema {
	for _, token := range openapi.Split(pointer) {
		if schema == nil {
			return nil
		}
		next := schema.Property(token)
		if next == nil {
			next = itemsOf(schema)
		}
		schema = next
	}
	return schema
}

func (p *paging) declare(x map[string]any) {
	text := func(name string) (string, bool) {
		s, ok := x[name].(string)
		return s, ok
	}
	p.declared = true
	p.limit, _ = text("limit")
	p.cursor, _ = text("cursor")
	p.sort, _ = text("sort")
	p.items, _ = text("items")
	p.next, p.hasNext = text("next")
	p.total, p.hasTotal = text("total")
	p.stable, _ = x["stable"].(bool)
	filters, _ := x["filter"].(map[string]any)
	for name, pointer := range filters {
		if s, ok := pointer.(string); ok {
			p.filter[name] = s
		}
	}
}

// infer reads names. It tells whether the answer is a list.
func (p *paging) infer(schema *openapi.Schema) bool {
	p.limit, p.cursor = p.query(limitNames), p.query(cursorNames)
	p.offset, p.number, p.sort = p.query(offsetNames), p.query(numberNames), p.query(sortNames)
	if schema.Allows("array") && itemsOf(schema) != nil {
		return true
	}
	var lists []string
	for _, property := range propertiesOf(schema, 0) {
		name := strings.ToLower(property.Name)
		switch {
		case property.Schema.Allows("array") && itemsOf(property.Schema) != nil && len(property.Schema.Types) > 0:
			lists = append(lists, openapi.Join("", property.Name))
		case slices.Contains(nextNames, name) && property.Schema.Allows("string"):
			p.next, p.hasNext = openapi.Join("", property.Name), true
		case slices.Contains(totalNames, name) && property.Schema.Allows("integer"):
			p.total, p.hasTotal = openapi.Join("", property.Name), true
		case name == "id":
			return false // a thing that has a list, and no list of things
		}
	}
	if len(lists) != 1 {
		return false
	}
	p.items = lists[0]
	return true
}

// query is the query parameter that has one of some names.
func (p *paging) query(names []string) string {
	for _, parameter := range p.op.Parameters {
		if parameter.In == "query" && slices.Contains(names, strings.ReplaceAll(strings.ToLower(parameter.Name), "-", "_")) {
			return parameter.Name
		}
	}
	return ""
}

// parameter is the query parameter of a name.
func (p *paging) parameter(name string) *openapi.Parameter {
	for _, parameter := range p.op.Parameters {
		if parameter.In == "query" && parameter.Name == name {
			return parameter
		}
	}
	return nil
}

// pages tells whether there is a way from a page to the next.
func (p *paging) pages() bool {
	return p.limit != "" && (p.cursor != "" || p.offset != "" || p.number != "")
}

// propertiesOf are the properties of a schema and of those that it must keep.
func propertiesOf(schema *openapi.Schema, depth int) []*openapi.Property {
	if schema == nil || depth > 8 {
		return nil
	}
	all := slices.Clone(schema.Properties)
	for _, s := range schema.AllOf {
		all = append(all, propertiesOf(s, depth+1)...)
	}
	return all
}

// read takes an answer apart; nil if it is no page.
func (p *paging) read(ex *wire.Exchange) *page {
	if !OK(ex) {
		return nil
	}
	body := bodyOf(ex)
	list, ok := pick(body, p.items)
	all, isList := list.([]any)
	if !ok || !isList {
		return nil
	}
	found := &page{ex: ex}
	for _, item := range all {
		if object, ok := item.(map[string]any); ok {
			found.items = append(found.items, object)
		}
	}
	if v, has := pick(body, p.next); p.hasNext && has {
		switch v := v.(type) {
		case string:
			found.next = v
		case json.Number:
			found.next = v.String()
		}
	}
	if found.next == "" {
		found.next = nextLink(ex.Response.Values("Link"))
	}
	return found
}

var linkValue = regexp.MustCompile(`<([^>]*)>([^<]*)`)

var relNext = regexp.MustCompile(`(?i);\s*rel\s*=\s*("([^"]*\s)?next(\s[^"]*)?"|next\b)`)

// nextLink is the target of a Link header with rel="next" (RFC 8288).
func nextLink(lines []string) string {
	for _, line := range lines {
		for _, m := range linkValue.FindAllStringSubmatch(line, -1) {
			if relNext.MatchString(m[2]) {
				return m[1]
			}
		}
	}
	return ""
}

// listing is a walk through the pages of a list.
type listing struct {
	*paging
	s       *Session
	draft   *generate.Draft
	options []Option
	pages   []*page
	// broken says why the walk did not end as it should; empty: it did.
	broken string
	unread bool // it was given up before that could be told
	last   *wire.Exchange
}

// all gives the items of all pages.
func (l *listing) all() []map[string]any {
	var items []map[string]any
	for _, p := range l.pages {
		items = append(items, p.items...)
	}
	return items
}

// request is the request for a list, without anything that is optional.
func (s *Session) listRequest(p *paging, values map[string]any) *generate.Draft {
	d := s.plain(p.op, values)
	d.HasBody = false
	return d
}

// Bounds of a walk, in pages.
const (
	maxPages  = 400
	mostStale = 4 // without anything new
)

// walk reads a list to its end. A limit of 0 is none; between is called before
// each further page.
func (s *Session) walk(ctx context.Context, p *paging, d *generate.Draft, limit int, between func(n int), options ...Option) *listing {
	l := &listing{paging: p, s: s, draft: d.Clone(), options: options}
	if limit > 0 && p.limit != "" {
		l.draft.Query[p.limit] = number(limit)
	}
	ex := s.Send(ctx, l.draft, options...)
	cursors, seen := map[string]bool{}, map[string]bool{}
	stale := 0 // pages in a row without anything new
	for n := 1; ; n++ {
		l.last = ex
		found := p.read(ex)
		if found == nil {
			l.broken = fmt.Sprintf("page %d is answered with %d", n, Status(ex))
			return l
		}
		l.pages = append(l.pages, found)
		if l.ends(found, limit) {
			return l
		}
		stale++
		for _, item := range found.items {
			if text := show(item); !seen[text] {
				seen[text], stale = true, 0
			}
		}
		switch {
		case ctx.Err() != nil:
			l.broken, l.unread = "time was up", true
			return l
		case found.next != "" && cursors[found.next]:
			l.broken = "the cursor of a page leads to a page that was there before"
			return l
		case stale >= mostStale:
			l.broken = fmt.Sprintf("%d pages in a row have nothing new", stale)
			return l
		case n >= maxPages:
			l.broken, l.unread = fmt.Sprintf("there are more than %d pages", n), true
			return l
		}
		cursors[found.next] = true
		if between != nil {
			between(n)
		}
		ex = l.advance(ctx, found, n, limit)
	}
}

// number is a number as drafts have them.
func number(n int) json.Number { return json.Number(itoa(n)) }

// ends tells whether a page is the last.
func (l *listing) ends(found *page, limit int) bool {
	if found.next != "" {
		return !isURL(found.next) && l.cursor == ""
	}
	if l.hasNext || l.cursor != "" {
		return true
	}
	counted := l.offset != "" || l.number != ""
	return !counted || len(found.items) == 0 || limit > 0 && len(found.items) < limit || limit == 0
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "/") || strings.Contains(s, "://") || strings.HasPrefix(s, "?")
}

// advance asks for the page after one.
func (l *listing) advance(ctx context.Context, found *page, n, limit int) *wire.Exchange {
	if isURL(found.next) {
		return l.s.sendTo(ctx, l.draft, found.ex.Request.Target, found.next, l.options...)
	}
	switch {
	case found.next != "":
		l.draft.Query[l.cursor] = found.next
	case l.offset != "":
		l.draft.Query[l.offset] = number(n * limit)
	default:
		first := 1
		if p := l.parameter(l.number); p != nil && p.Schema != nil && p.Schema.Minimum == "0" {
			first = 0
		}
		l.draft.Query[l.number] = number(first + n)
	}
	return l.s.Send(ctx, l.draft, l.options...)
}

// sendTo sends a request to a URL that an answer gave, which may be relative to
// that of the request (RFC 3986 5.2).
func (s *Session) sendTo(ctx context.Context, d *generate.Draft, base, reference string, options ...Option) *wire.Exchange {
	from, err := url.Parse(base)
	to, err2 := url.Parse(reference)
	if err != nil || err2 != nil || to.Host != "" && to.Host != s.Base.Host {
		return &wire.Exchange{Request: &wire.Request{Method: d.Op.Method, Target: reference}}
	}
	var o sending
	for _, option := range options {
		option(&o)
	}
	request, err := s.encode(d)
	if err != nil {
		return &wire.Exchange{Request: &wire.Request{Method: d.Op.Method, Target: reference}, Err: err}
	}
	request.Target = from.ResolveReference(to).RequestURI()
	s.authorize(request, d.Op, &o)
	return s.SendRaw(ctx, d.Op, request)
}

// itemID is what names an item of a list, as the resource's path would.
func itemID(item map[string]any, resource string) string {
	for _, name := range []string{parameter(resource), "id"} {
		if v, has := item[name]; has && scalar(v) {
			return fmt.Sprint(v)
		}
	}
	return ""
}

// ids are those of items, in order.
func ids(items []map[string]any, resource string) []string {
	all := make([]string, 0, len(items))
	for _, item := range items {
		all = append(all, itemID(item, resource))
	}
	return all
}

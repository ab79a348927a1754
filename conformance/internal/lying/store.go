package lying

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"time"
)

// record is a resource of any kind.
type record struct {
	id, kind, tenant, parent string
	seq, version, stars      int
	created, updated         time.Time
	fields, first            map[string]any // first: as they were at the beginning
	over                     map[string]any // what replaces what is computed, where the server lies
}

// state is what the server remembers.
type state struct {
	rng       *rand.Rand
	seq       int
	last      time.Time
	records   map[string]*record // by kind, tenant of labels, and id
	order     []*record
	gone      map[string]bool
	freed     map[string]string // the last id that was deleted, by kind
	replays   map[string]*replayed
	settings  map[string]map[string]any
	retention map[string]any
	hits      map[string][]time.Time
	sick      bool
}

func newState(seed uint64) state {
	return state{
		rng:     rand.New(rand.NewPCG(seed, uint64(time.Now().UnixNano()))), //nolint:gosec // ids need not be secret here
		records: map[string]*record{}, gone: map[string]bool{}, freed: map[string]string{},
		replays: map[string]*replayed{}, hits: map[string][]time.Time{},
		settings: map[string]map[string]any{
			"a": {"language": "en", "newsletter": true}, "b": {"language": "de", "newsletter": true},
		},
		retention: map[string]any{"a": json.Number("30"), "b": json.Number("90")},
	}
}

func now() time.Time { return time.Now().UTC() }

// stamp is how times are written: always equally long.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// tick gives the time, later each time.
func (s *Server) tick() time.Time {
	t := now().Truncate(time.Microsecond)
	if !t.After(s.last) {
		t = s.last.Add(time.Microsecond)
	}
	s.last = t
	return t
}

// newID makes a UUID of version 4.
func (s *Server) newID() string {
	b := make([]byte, 16)
	for i := range b {
		b[i] = byte(s.rng.Uint32())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// key is where a record is. Labels are named by who makes them, so each tenant has
// names of its own.
func key(kind, tenant, id string) string {
	if kind == "label" {
		return kind + "/" + tenant + "/" + id
	}
	return kind + "/" + id
}

// insert stores a new record.
func (s *Server) insert(c *call, kind, id, parent string) *record {
	t := s.tick()
	s.seq++
	if id == "" {
		id = s.newID()
	}
	r := &record{id: id, kind: kind, tenant: c.tenant, parent: parent, seq: s.seq, version: 1,
		created: t, updated: t, fields: object(c.body), over: map[string]any{}}
	s.lieInsert(c, r)
	s.lieStore(r)
	s.records[key(kind, c.tenant, r.id)] = r
	s.order = append(s.order, r)
	return r
}

// change stores other fields.
func (s *Server) change(r *record, fields map[string]any) {
	r.fields = fields
	r.version++
	r.updated = s.tick()
	s.lieChange(r)
	s.lieStore(r)
}

// lookup finds a record of the caller's; nil: there is none.
func (s *Server) lookup(c *call, kind, id string) *record {
	r := s.records[key(kind, c.tenant, id)]
	if r == nil || r.tenant != c.tenant && !s.lieTenant(c, r) {
		return nil
	}
	return r
}

// remove deletes a record, and what is below it.
func (s *Server) remove(r *record) {
	k := key(r.kind, r.tenant, r.id)
	s.gone[k] = true
	s.freed[r.kind] = r.id
	if s.lieRemove(r) {
		return
	}
	delete(s.records, k)
	kept := s.order[:0:0]
	for _, o := range s.order {
		switch {
		case o == r:
		case r.kind == "project" && o.kind == "task" && o.parent == r.id:
			delete(s.records, key(o.kind, o.tenant, o.id))
		default:
			kept = append(kept, o)
		}
	}
	s.order = kept
}

// etag is a strong validator: it changes with each change, and with nothing else.
func (s *Server) etag(r *record) string {
	if s.lieStale(r) {
		return `"00000000` + r.id[:8] + `"`
	}
	h := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %s", r.id, r.version, r.stars, stamp(r.updated)))
	return `"` + hex.EncodeToString(h[:8]) + `"`
}

// schemas of what is answered, by kind.
var answered = map[string]string{"project": "Project", "task": "Task", "comment": "Comment",
	"payment": "Payment", "label": "Label", "report": "Report"}

// view gives a record as it is answered: what its schema has, and null for what it
// must have but has not.
func (s *Server) view(r *record) map[string]any {
	sc := s.doc.schemas[answered[r.kind]]
	all := maps.Clone(r.fields)
	maps.Copy(all, map[string]any{"id": r.id, "project_id": r.parent, "stars": r.stars,
		"created_at": stamp(r.created), "updated_at": stamp(r.updated)})
	switch r.kind {
	case "comment":
		all["project_id"] = r.fields["project_id"]
		if all["project_id"] == nil {
			delete(all, "project_id")
		}
	case "report":
		all["state"] = s.progress(r)
	}
	maps.Copy(all, r.over)
	out := map[string]any{}
	for name, v := range all {
		if p := sc.props[name]; p != nil && !p.writeOnly {
			out[name] = clone(v)
		}
	}
	for _, name := range sc.required {
		if _, has := out[name]; !has && sc.props[name].nullable {
			out[name] = nil
		}
	}
	return out
}

// progress is how far a report is: a matter of time alone.
func (s *Server) progress(r *record) string {
	age := now().Sub(r.created)
	switch {
	case age < 100*time.Millisecond:
		return "queued"
	case age < 300*time.Millisecond || s.lies("O10", "forever"):
		return "running"
	}
	return "done"
}

// clone copies a value, so that faults made in answers stay there.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = clone(e)
		}
		return m
	case []any:
		a := make([]any, len(v))
		for i, e := range v {
			a[i] = clone(e)
		}
		return a
	}
	return v
}

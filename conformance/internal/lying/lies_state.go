package lying

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// lieInsert lets in what the server alone should set.
func (s *Server) lieInsert(c *call, r *record) {
	r.first = maps.Clone(r.fields)
	given := object(c.given)
	if c.lies("E14") {
		if v, has := given[s.mode()]; has {
			r.over[s.mode()] = v
		}
	}
	switch id := text(given["id"]); {
	case s.lies("H13", r.kind+"#set") && uuidForm.MatchString(id) && s.records[key(r.kind, "", id)] == nil:
		r.id = id
	case s.lies("H13", r.kind+"#reused") && s.freed[r.kind] != "":
		r.id = s.freed[r.kind]
		delete(s.freed, r.kind)
	}
}

// lieStore keeps other values than were written. Where depends on kind and
// property: place is kind.property.
func (s *Server) lieStore(r *record) {
	place, how, _ := strings.Cut(s.lie.place, "#")
	kind, name, ok := strings.Cut(place, ".")
	if s.lie.class == "K8" {
		if t, has := r.fields["executed_at"].(string); has {
			r.fields["executed_at"] = displaced(t, s.lie.place)
		}
		return
	}
	v, has := r.fields[name]
	if !ok || kind != r.kind || !has || v == nil {
		return
	}
	switch s.lie.class {
	case "H2":
		r.fields[name] = altered(name, v)
	case "K1":
		r.fields[name] = plainText(text(v))
	case "K4":
		r.fields[name] = tidied(text(v), how)
	case "K5":
		r.fields[name] = imprecise(name, v)
	}
}

// altered is what is kept of a value by H2.
func altered(name string, v any) any {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return v
		}
		return json.Number(strconv.FormatFloat(math.Floor(f), 'f', 0, 64))
	case map[string]any:
		out := map[string]any{}
		for k := range v {
			out[k] = ""
		}
		return out
	case string:
		if name == "author" {
			return strings.ToUpper(v)
		}
		r := []rune(v)
		return string(r[:min(len(r), 8)])
	}
	return v
}

// plainText loses what is beyond the Basic Multilingual Plane, joiners and marks.
func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r > 0xffff:
			return '?'
		case r == 0x200d || r >= 0x300 && r <= 0x36f:
			return -1
		}
		return r
	}, s)
}

var spaces = regexp.MustCompile(`\s+`)

func tidied(s, how string) string {
	out := s
	switch how {
	case "trim":
		out = strings.TrimSpace(s)
	case "nfc":
		out = norm.NFC.String(s)
	case "spaces":
		out = spaces.ReplaceAllString(s, " ")
	}
	if out == "" {
		return s
	}
	return out
}

func imprecise(name string, v any) any {
	n, ok := v.(json.Number)
	if !ok {
		return v
	}
	f, err := n.Float64()
	switch {
	case err != nil:
		return v
	case name == "serial":
		return rounded(n)
	case name == "amount": // in cents, cut off: 19.99 becomes 19.98
		return json.Number(strconv.FormatFloat(max(math.Floor(f*100), 1)/100, 'f', 2, 64))
	}
	return json.Number(strconv.FormatFloat(float64(float32(f)), 'f', -1, 64))
}

// displaced is a date-time that is another instant.
func displaced(t, how string) string {
	m := timeForm.FindStringSubmatch(t)
	if m == nil {
		return t
	}
	clock, fraction, zone := m[1]+"T"+m[2]+":"+m[3]+":"+m[4], m[5], m[6]
	switch how {
	case "offset":
		zone = "Z"
	case "fraction":
		fraction = ""
	case "zone":
		if len(zone) == 6 {
			zone = zone[:4] + "00"
		}
	}
	return clock + fraction + zone
}

// lieChange is for times that do not do what they should.
func (s *Server) lieChange(r *record) {
	switch {
	case s.lies("H14", r.kind+"#created"):
		r.created = r.updated
	case s.lies("H14", r.kind+"#frozen"):
		r.updated = r.created
	case s.lies("H14", r.kind+"#back"):
		r.updated = r.created.Add(-time.Duration(r.version) * time.Second)
	}
}

// lieTenant lets a tenant at what is another's.
func (s *Server) lieTenant(c *call, _ *record) bool {
	return c.lies("J1") || c.lies("J2") || c.lies("J5") || c.lies("J3")
}

// lieRemove says that nothing was deleted, or not everywhere.
func (s *Server) lieRemove(r *record) bool {
	if !s.lies("H3", r.kind) {
		return false
	}
	if r.kind == "task" { // it stays in the list
		delete(s.records, key(r.kind, r.tenant, r.id))
	}
	return true
}

// lieCreated says that something was made, and forgets it.
func (s *Server) lieCreated(r *record, view map[string]any) map[string]any {
	if s.lies("H1", r.kind) {
		delete(s.records, key(r.kind, r.tenant, r.id))
	}
	return view
}

// lieNotFound says that there is no such thing, or whose it is.
func (c *call) lieNotFound(kind, id string) *answer {
	a := notFound()
	r := c.s.records[key(kind, "", id)]
	if r == nil || r.tenant == c.tenant {
		return a
	}
	switch {
	case c.breaks("J4", "403"):
		return problem(http.StatusForbidden, "forbidden", "")
	case c.breaks("J4", "detail"):
		return problem(http.StatusNotFound, "not-found", "it belongs to somebody else")
	case c.lies("J4"):
		a.add("X-Owner", "other")
	case c.lies("J7"):
		names := []string{text(r.fields["name"]), text(r.fields["author"]), text(r.fields["payee"])}
		return problem(http.StatusNotFound, "not-found", "it belongs to the owner of "+strings.Join(names, ""))
	}
	return a
}

// lieRead changes what is read.
func (c *call) lieRead(r *record) {
	switch {
	case c.lies("H10") && r.kind == "label":
		r.fields["weight"] = json.Number(strconv.Itoa((number(r.fields["weight"]) + 10) % 110))
	case c.lies("H10") && r.kind == "task":
		r.fields["done"] = r.fields["done"] != true
	case c.lies("H10"):
		r.stars++
	case c.lies("N1") && c.s.mode() == "restless":
		r.version++
	}
}

// lieRefusedWrite writes what was refused.
func (c *call) lieRefusedWrite(r *record, fields map[string]any) {
	if c.lies("H5") {
		c.s.change(r, fields)
	}
}

// lieRace lets others in between a check and what it was for.
func (c *call) lieRace(r *record) *answer {
	switch {
	case c.lies("I7"):
		c.s.pause()
	case c.lies("I8"):
		c.s.pause()
		if c.s.records[key(r.kind, r.tenant, r.id)] == nil {
			return internal()
		}
	}
	return nil
}

// lieReplace gives what is stored by PUT.
func (c *call) lieReplace(r *record, body map[string]any) map[string]any {
	out := maps.Clone(body)
	switch {
	case c.lies("H6"):
		for k, v := range r.fields {
			if _, has := out[k]; !has {
				out[k] = v
			}
		}
	case c.lies("H7") && r.kind == "task" && compact(body) == compact(r.fields):
		out["done"] = out["done"] != true
	case c.lies("E14"):
		if v, has := object(c.given)[c.s.mode()]; has {
			r.over[c.s.mode()] = v
		}
	}
	return out
}

// lieMerged gives what is stored by PATCH.
func (c *call) lieMerged(merged any) any {
	if !c.lies("H8") || c.s.mode() != "absent" {
		return merged
	}
	out, patch := maps.Clone(object(merged)), object(c.body)
	for k := range out {
		if _, has := patch[k]; !has && !slices.Contains([]string{"name", "title", "done"}, k) {
			delete(out, k)
		}
	}
	return out
}

// lieSettings gives what is stored by PUT.
func (c *call) lieSettings(old, body map[string]any) map[string]any {
	out := maps.Clone(body)
	switch {
	case c.lies("H6"):
		if v, has := old["quiet_hours"]; has && out["quiet_hours"] == nil {
			out["quiet_hours"] = v
		}
	case c.lies("H7") && compact(old) == compact(body):
		out["newsletter"] = out["newsletter"] != true
	}
	return out
}

// lieLost says that there is no job.
func (c *call) lieLost() *answer { return c.lieNotFound("report", "") }

// lieStale says that the tag does not follow the record.
func (s *Server) lieStale(r *record) bool {
	return s.lie.class == "N1" && s.mode() == "stale" && (r.kind == "project") == strings.HasPrefix(s.lie.place, "getProject")
}

// modified gives the date of the last change.
func (c *call) modified(r *record) time.Time {
	if c.s.lie.class == "N5" && c.s.mode() == "frozen" {
		return r.created
	}
	return r.updated
}

// lieSince judges If-Modified-Since.
func (c *call) lieSince(_ *record, fresh bool) bool {
	if !c.lies("N5") {
		return fresh
	}
	switch c.s.mode() {
	case "always":
		return true
	case "ignored":
		return false
	}
	return fresh
}

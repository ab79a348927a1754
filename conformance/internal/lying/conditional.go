package lying

import (
	"maps"
	"net/http"
	"strings"
	"time"
)

// matches says whether a list of entity tags has the one (RFC 9110 8.8.3.2).
func matches(list, etag string, weak bool) bool {
	if strings.TrimSpace(list) == "*" {
		return true
	}
	for _, t := range strings.Split(list, ",") {
		t = strings.TrimSpace(t)
		if weak {
			t = strings.TrimPrefix(t, "W/")
		}
		if t == etag {
			return true
		}
	}
	return false
}

// ifMatch judges the precondition of a write; required says that there must be one.
func (c *call) ifMatch(r *record, required bool) *answer {
	list := text(c.header["If-Match"])
	if list == "" {
		if required && !c.lies("I6") {
			return problem(http.StatusPreconditionRequired, "precondition-required", "")
		}
		return nil
	}
	if !matches(list, c.s.etag(r), false) && !c.lies("I5") {
		return problem(http.StatusPreconditionFailed, "precondition-failed", "")
	}
	return nil
}

// notModified says that the caller has it already; nil: it has not. With tags, dates
// are ignored (RFC 9110 13.1.3).
func (c *call) notModified(r *record) *answer {
	fresh := false
	if list := text(c.header["If-None-Match"]); list != "" {
		fresh = matches(list, c.s.etag(r), true) && !c.lies("N2")
	} else if since, err := http.ParseTime(text(c.header["If-Modified-Since"])); err == nil {
		fresh = c.lieSince(r, !c.modified(r).Truncate(time.Second).After(since))
	}
	if !fresh {
		return nil
	}
	a := &answer{status: http.StatusNotModified}
	a.add("ETag", c.s.etag(r))
	return a
}

// replayed is the answer to the first request with an Idempotency-Key.
type replayed struct {
	request string // the body, as it was understood
	status  int
	header  []field
	value   any
}

// replay answers a request with the handler, or a repeated one as it was answered
// first. Only successes are remembered: what was refused may be tried again.
func (c *call) replay(handle func(*call) *answer) *answer {
	k := text(c.header[c.op.idempotent])
	if k == "" || c.op.idempotent == "" || c.lies("I1") {
		return c.handle(handle)
	}
	k = c.op.id + " " + c.target + " " + k
	if !c.lies("J8") {
		k = c.tenant + " " + k
	}
	request := compact(c.body)
	if old := c.s.replays[k]; old != nil {
		if old.request == request || c.lies("I2") && c.s.lie.pick%2 == 0 {
			return &answer{status: old.status, header: append([]field(nil), old.header...), value: clone(old.value), typ: typeJSON}
		}
		if !c.lies("I2") {
			return problem(http.StatusConflict, "conflict", "the Idempotency-Key was used with another body")
		}
	}
	if c.lies("I3") {
		c.s.pause()
	}
	a := c.handle(handle)
	if a.status < 300 {
		c.s.replays[k] = &replayed{request, a.status, append([]field(nil), a.header...), clone(a.value)}
	}
	return a
}

// handle calls the handler, and undoes nothing.
func (c *call) handle(handle func(*call) *answer) *answer {
	if c.tenant == "" && len(c.op.security) > 0 {
		c.tenant = "a"
	}
	return handle(c)
}

// merge applies a merge patch (RFC 7396).
func (c *call) merge(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	t, ok := target.(map[string]any)
	if !ok {
		t = map[string]any{}
	}
	out := maps.Clone(t)
	for k, v := range p {
		switch {
		case v == nil && c.lies("H8") && c.s.mode() == "null":
		case v == nil:
			delete(out, k)
		case c.lies("H8") && c.s.mode() == "nested":
			out[k] = v
		default:
			out[k] = c.merge(out[k], v)
		}
	}
	return out
}

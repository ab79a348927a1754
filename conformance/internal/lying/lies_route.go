package lying

import (
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"
)

var (
	encodedSlash = regexp.MustCompile(`(?i)%2f`)
	encodedHigh  = regexp.MustCompile(`(?i)%[89a-f][0-9a-f]`)
)

// lieRoute is for paths: what is served though it is not documented, and what the
// router breaks over.
func (c *call) lieRoute() *answer {
	place := c.s.lie.place
	switch c.s.lie.class {
	case "G5":
		if c.target == place && c.r.Method == http.MethodGet {
			return ok(http.StatusOK, map[string]any{"goroutines": 12, "uptime": 3600})
		}
	case "G6":
		c.target = c.respelled(place)
	case "G7":
		switch {
		case place == "slash" && encodedSlash.MatchString(c.target),
			place == "nul" && strings.Contains(c.target, "%00"),
			place == "unicode" && encodedHigh.MatchString(c.target):
			return internal()
		case place == "child":
			c.target = encodedSlash.ReplaceAllString(c.target, "/")
		}
	}
	return nil
}

// respelled takes another spelling of a path for the path.
func (c *call) respelled(how string) string {
	switch how {
	case "slash":
		if len(c.target) > 1 {
			return strings.TrimSuffix(c.target, "/")
		}
	case "case":
		return strings.ToLower(c.target)
	case "double":
		for strings.Contains(c.target, "//") {
			c.target = strings.ReplaceAll(c.target, "//", "/")
		}
	case "dots":
		return path.Clean(c.target)
	}
	return c.target
}

// lieMethod gives the method, or what a header wants it to be.
func (c *call) lieMethod() string {
	if c.s.lie.class == "G8" {
		if m := c.r.Header.Get(c.s.lie.place); m != "" {
			return strings.ToUpper(m)
		}
	}
	return c.r.Method
}

// lieAllow is for methods that are not documented, and OPTIONS.
func (c *call) lieAllow(ops []*operation, method string, a *answer) *answer {
	template, _, _ := strings.Cut(c.s.lie.place, "#")
	here := template == ops[0].path
	switch c.s.lie.class {
	case "B4":
		if here && a.status == http.StatusMethodNotAllowed {
			a.set("Allow", "")
		}
	case "B5":
		if m := c.s.mode(); here && a.status == http.StatusMethodNotAllowed {
			if left, ok := strings.CutPrefix(m, "-"); ok {
				a.set("Allow", strings.Replace(a.get("Allow"), left+", ", "", 1))
			} else {
				a.set("Allow", m+", "+a.get("Allow"))
			}
		}
	case "G1":
		if c.s.lie.place == method+" "+ops[0].path {
			return ok(http.StatusOK, map[string]any{"ok": true})
		}
	case "G4":
		switch {
		case !here || method != http.MethodOptions:
		case template == "/status":
			return internal()
		case template == "/projects":
			a.set("Allow", "GET, HEAD, OPTIONS")
		default:
			a.set("Allow", "PATCH, "+a.get("Allow"))
		}
	}
	return a
}

// lieOperation is for operations that are not there, or late.
func (c *call) lieOperation() *answer {
	switch {
	case c.lies("G2"):
		status := digits(c.s.mode())
		kind := map[int]string{501: "not-implemented", 404: "not-found", 405: "method"}[status]
		a := problem(status, kind, "")
		if status == http.StatusMethodNotAllowed {
			a.add("Allow", "GET, HEAD, OPTIONS")
		}
		return a
	case c.lies("O7"):
		c.s.wait(1500 * time.Millisecond)
	}
	return nil
}

// lieUnreadable is for requests that are no HTTP, too large or too short.
func (s *Server) lieUnreadable(c *call, a *answer) *answer {
	large := map[int]string{http.StatusRequestHeaderFieldsTooLarge: "header", http.StatusRequestURITooLong: "line"}[a.status]
	switch s.lie.class {
	case "O6":
		switch {
		case large != "" && s.lie.place == large+"#broken":
			return internal()
		case large != "" && s.lie.place == large+"#drop":
			a.drop = true
		}
	case "O3":
		if c.r != nil && c.r.ContentLength != 0 {
			a.hang = true
		}
	case "L5":
		return s.lieProblem(c, a)
	}
	return a
}

// unwell answers for a server that what came before was too much for.
func (s *Server) unwell(*call) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.sick {
		return nil
	}
	return problem(http.StatusServiceUnavailable, "internal", "")
}

// sicken is O13: after what was hostile nothing works any more.
func (s *Server) sicken(c *call, a *answer) {
	if s.lie.class != "O13" {
		return
	}
	hostile := false
	switch s.lie.place {
	case "malformed":
		hostile = c.op != nil && len(c.op.body) > 0 && a.status == http.StatusBadRequest
	case "large":
		hostile = a.status == http.StatusRequestEntityTooLarge
	case "header":
		hostile = a.status == http.StatusRequestHeaderFieldsTooLarge || a.status == http.StatusRequestURITooLong
	}
	if hostile {
		s.mu.Lock()
		s.sick = true
		s.mu.Unlock()
	}
}

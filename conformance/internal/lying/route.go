package lying

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// call is a request on its way to its answer.
type call struct {
	s        *Server
	r        *http.Request
	raw      []byte // the body
	tooLarge bool
	op       *operation
	head     bool // HEAD that is answered as GET is
	target   string
	path     map[string]string
	query    map[string]any
	header   map[string]any // parameters in header and cookie
	given    any            // the body as it was sent
	body     any            // the body as it is understood
	tenant   string         // empty: nobody
	low      bool           // without the role
	accept   string         // the type that was chosen
	foreign  bool           // a cursor of another tenant was taken
}

// lies says whether the class is broken in this operation. A place is an
// operation's id, and after # what about it.
func (c *call) lies(class string) bool {
	if c.s.lie.class != class || c.op == nil {
		return false
	}
	id, _, _ := strings.Cut(c.s.lie.place, "#")
	return id == c.op.id
}

// breaks says whether the class is broken in this operation, and in this way.
func (c *call) breaks(class, mode string) bool { return c.lies(class) && c.s.mode() == mode }

// mode is what of the operation is broken.
func (s *Server) mode() string {
	_, m, _ := strings.Cut(s.lie.place, "#")
	return m
}

// respond answers a request that could be read.
func (s *Server) respond(r *http.Request, body []byte, tooLarge bool) *answer {
	c := &call{s: s, r: r, raw: body, tooLarge: tooLarge}
	c.target, _, _ = strings.Cut(r.RequestURI, "?")
	if u := strings.Index(c.target, "://"); u > 0 && r.RequestURI[0] != '/' { // absolute form
		c.target = "/" + strings.Join(strings.Split(c.target[u+3:], "/")[1:], "/")
	}
	if a := s.unwell(c); a != nil {
		return a
	}
	a := c.route()
	a = s.lieAnswer(c, a)
	s.sicken(c, a)
	return a
}

// refuse answers a request that could not be read.
func (s *Server) refuse(q *incoming) *answer {
	a := q.answered
	c := &call{s: s, r: q.r}
	a = s.lieUnreadable(c, a)
	s.sicken(c, a)
	return a
}

// route finds the operation.
func (c *call) route() *answer {
	if a := c.lieRoute(); a != nil {
		return a
	}
	if c.r.Method == http.MethodOptions && c.r.RequestURI == "*" {
		return empty()
	}
	path, ops, bad := c.find(c.target)
	if bad {
		return problem(http.StatusBadRequest, "malformed", "the path is not encoded as it should be")
	}
	if len(ops) == 0 {
		return notFound()
	}
	c.path = path
	method := c.lieMethod()
	for _, op := range ops {
		if op.method == method {
			c.op = op
			c.head = method == http.MethodHead
			return c.operate()
		}
	}
	for _, op := range ops {
		if op.method == http.MethodGet && method == http.MethodHead {
			c.op, c.head = op, true
			return c.operate()
		}
	}
	var a *answer
	if method == http.MethodOptions {
		a = empty()
		a.add("Cache-Control", "no-store")
	} else {
		a = problem(http.StatusMethodNotAllowed, "method", "")
	}
	a.add("Allow", allow(ops))
	return c.lieAllow(ops, method, a)
}

// allow lists the methods of a path.
func allow(ops []*operation) string {
	methods := []string{}
	for _, op := range ops {
		methods = append(methods, op.method)
	}
	if slices.Contains(methods, http.MethodGet) && !slices.Contains(methods, http.MethodHead) {
		methods = append(methods, http.MethodHead)
	}
	return strings.Join(append(methods, http.MethodOptions), ", ")
}

// find gives the operations of a path as it is on the request line, and the
// parameters in it; bad says that its encoding is broken.
func (c *call) find(target string) (params map[string]string, ops []*operation, bad bool) {
	if !strings.HasPrefix(target, "/") {
		return nil, nil, false
	}
	segments := strings.Split(target[1:], "/")
	for i, seg := range segments {
		plain, err := url.PathUnescape(seg)
		if err != nil || !utf8.ValidString(plain) {
			return nil, nil, true
		}
		segments[i] = plain
	}
	for _, op := range c.s.doc.ops {
		if p, ok := op.match(segments); ok {
			params, ops = p, append(ops, op)
		}
	}
	return params, ops, false
}

func (op *operation) match(segments []string) (map[string]string, bool) {
	if len(segments) != len(op.segments) {
		return nil, false
	}
	params := map[string]string{}
	for i, seg := range op.segments {
		if strings.HasPrefix(seg, "{") {
			params[seg[1:len(seg)-1]] = segments[i]
		} else if seg != segments[i] {
			return nil, false
		}
	}
	return params, true
}

// operate does what comes before the handler of an operation: who asks, and is it
// what the contract says?
func (c *call) operate() *answer {
	if a := c.lieOperation(); a != nil {
		return a
	}
	checks := []func() *answer{c.authenticate, c.negotiate, c.parameters, c.readBody}
	if c.lies("F8") {
		checks = []func() *answer{c.negotiate, c.parameters, c.readBody, c.authenticate}
	}
	for _, check := range checks {
		if a := check(); a != nil {
			return a
		}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	a := c.replay(handlers[c.op.id])
	c.decorate(a)
	return a
}

// decorate adds what successes have in common.
func (c *call) decorate(a *answer) {
	declared := c.op.headers[statusKey(a.status)]
	if a.status < 400 {
		if declared["x-content-type-options"] {
			a.add("X-Content-Type-Options", "nosniff")
		}
		if a.get("Cache-Control") == "" {
			a.add("Cache-Control", "private, no-store")
		}
		if declared["vary"] {
			a.add("Vary", "Accept, Accept-Encoding")
		}
	}
}

func statusKey(status int) string {
	return string([]byte{byte('0' + status/100%10), byte('0' + status/10%10), byte('0' + status%10)})
}

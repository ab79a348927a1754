package lying

import (
	"bytes"
	"compress/gzip"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// offer is an element of Accept or of Accept-Encoding.
type offer struct {
	name string
	q    float64
}

// offers reads a list with weights (RFC 9110 12.4.2). What cannot be read is left
// out.
func offers(values []string) []offer {
	var list []offer
	for _, e := range strings.Split(strings.Join(values, ","), ",") {
		parts := strings.Split(e, ";")
		o := offer{name: strings.ToLower(strings.TrimSpace(parts[0])), q: 1}
		for _, p := range parts[1:] {
			k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
			if !strings.EqualFold(strings.TrimSpace(k), "q") {
				continue
			}
			q, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			if err != nil || q < 0 || q > 1 {
				q = 1
			}
			o.q = q
		}
		if o.name != "" {
			list = append(list, o)
		}
	}
	return list
}

// weight gives the weight of a media type: that of the most specific element.
func weight(list []offer, typ string) float64 {
	major, _, _ := strings.Cut(typ, "/")
	for _, pattern := range []string{typ, major + "/*", "*/*"} {
		for _, o := range list {
			if o.name == pattern {
				return o.q
			}
		}
	}
	return 0
}

// negotiate chooses the type of the answer (RFC 9110 12.5.1).
func (c *call) negotiate() *answer {
	if len(c.op.produces) == 0 {
		return nil
	}
	list := offers(c.r.Header["Accept"])
	if len(list) == 0 {
		list = []offer{{"*/*", 1}}
	}
	best := 0.0
	for _, t := range c.lieOffers(list) {
		if q := weight(list, t); q > best {
			c.accept, best = t, q
		}
	}
	if c.accept != "" {
		return nil
	}
	if c.lies("C3") {
		c.accept = c.op.produces[0]
		return nil
	}
	return problem(http.StatusNotAcceptable, "not-acceptable", strings.Join(c.op.produces, ", ")+" can be given")
}

// lieOffers gives the types that there are, or chooses wrongly.
func (c *call) lieOffers(list []offer) []string {
	types := c.op.produces
	if !c.lies("C4") {
		return types
	}
	switch c.s.mode() {
	case "q0": // q=0 is taken for nothing special
		for i := range list {
			if list[i].q == 0 {
				list[i].q = 0.5
			}
		}
	case "order": // the first that is there wins, whatever its weight
		for i := range list {
			list[i].q = 1 / float64(i+2)
		}
	case "wildcard": // * means nothing
		for i := range list {
			if strings.HasSuffix(list[i].name, "/*") {
				list[i].q = 0
			}
		}
	}
	return types
}

// compressed are operations whose answers are compressed for who can read that.
// None of them has an ETag, which would have to differ.
var compressed = []string{"listProjects", "search"}

// encoding applies the content coding.
func (c *call) encoding(a *answer) {
	if c.op == nil || !slices.Contains(compressed, c.op.id) || a.status != http.StatusOK {
		return
	}
	want := false
	list := offers(c.r.Header["Accept-Encoding"])
	for _, o := range list {
		if o.name == "*" {
			want = o.q > 0
		}
	}
	for _, o := range list {
		if o.name == "gzip" || o.name == "x-gzip" {
			want = o.q > 0
		}
	}
	mode := ""
	if c.lies("K6") {
		mode = c.s.mode()
	}
	if mode == "unasked" {
		want = true
	}
	if !want {
		return
	}
	a.encode()
	a.add("Content-Encoding", "gzip")
	if mode == "plain" {
		return
	}
	body := a.body
	if mode == "other" && len(body) > 0 {
		body = bytes.Replace(body, []byte(`":`), []byte(`" :`), 1)
		body = append([]byte("\n"), body...)
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(body)
	if e := w.Close(); err != nil || e != nil {
		return
	}
	a.body = b.Bytes()
}

// mediaType judges the type of the body.
func (c *call) mediaType() (string, *answer) {
	refused := problem(http.StatusUnsupportedMediaType, "media-type", "")
	if ce := c.r.Header.Get("Content-Encoding"); ce != "" && !strings.EqualFold(ce, "identity") {
		refused.add("Accept-Encoding", "identity") // RFC 9110 15.5.16
		return "", refused
	}
	value := c.r.Header.Get("Content-Type")
	t, params, err := mime.ParseMediaType(value)
	if err != nil || len(c.r.Header["Content-Type"]) > 1 {
		t = ""
	}
	if cs, ok := params["charset"]; ok && !strings.EqualFold(cs, "utf-8") {
		t = ""
	}
	if c.op.body[t] != nil {
		if c.breaks("C7", t) {
			return "", refused
		}
		return t, nil
	}
	if c.lies("C2") {
		if c.s.mode() == "broken" {
			return "", internal()
		}
		return typeJSON, nil
	}
	if c.lies("A5") && c.s.mode() == "media" {
		return "", problem(http.StatusBadRequest, "malformed", "the type is not read here")
	}
	return "", refused
}

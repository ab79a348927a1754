package wire

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Curl writes a command of a POSIX shell that sends the request to the server of
// base, byte by byte, and shows the answer. Secrets that mask knows are variables
// in it. Where curl would change the request, the command is printf and nc (or
// openssl, for https) instead.
func Curl(req *Request, base *url.URL, mask *Masker) string {
	c := command{req: req, base: base, mask: mask}
	if req.faithful() {
		return c.curl()
	}
	return c.raw()
}

// faithful says whether curl sends the request as it is. It puts Host first,
// sends no body with HEAD, and keeps to one Host and Content-Length.
func (r *Request) faithful() bool {
	if r.Raw != nil || r.CloseWrite || r.Method == "CONNECT" || r.Method == "HEAD" && len(r.Body) > 0 || !token(r.Method) {
		return false
	}
	if strings.ContainsAny(r.Target, "\t\n ") || r.Target == "" || !readable(r.Target) {
		return false
	}
	for i, f := range r.Header {
		if !token(f.Name) || strings.Contains(f.Value, "\n") || !readable(f.Value) || strings.TrimSpace(f.Value) != f.Value {
			return false
		}
		switch strings.ToLower(f.Name) {
		case "host":
			if i > 0 || f.Value == "" {
				return false
			}
		case "content-length", "transfer-encoding", "expect", "te", "connection", "upgrade":
			return false
		}
	}
	return true
}

type command struct {
	req  *Request
	base *url.URL
	mask *Masker
}

func (c command) curl() string {
	words := []string{"curl", "-isS"}
	if c.base.Scheme == "https" {
		words = append(words, "--http1.1")
	}
	words = append(words, c.method()...)
	words = append(words, c.target()...)
	header := c.req.Header
	if !has(header, "User-Agent") {
		first := []Field{{Name: "User-Agent", Value: DefaultUserAgent}}
		if len(header) > 0 && strings.EqualFold(header[0].Name, "Host") {
			first, header = []Field{header[0], first[0]}, header[1:]
		}
		header = append(first, header...)
	}
	for _, f := range header {
		pieces := []piece{{text: f.Name + ": "}}
		if f.Value == "" {
			pieces[0].text = f.Name + ";" // a colon would remove it
		}
		words = append(words, "-H", quote(append(pieces, c.mask.credential(f, c.req.Invented)...)))
	}
	if !has(header, "Accept") {
		words = append(words, "-H", "Accept:")
	}
	before := ""
	if c.req.addsLength() {
		if !has(header, "Content-Type") {
			words = append(words, "-H", "Content-Type:")
		}
		if len(c.req.Body) > 1<<10 { // curl would ask before
			words = append(words, "-H", "Expect:")
		}
		body := string(c.req.Body)
		pieces := c.mask.split(body)
		if readable(body) && len(body) <= 8<<10 && !strings.HasPrefix(body, "@") {
			words = append(words, "--data-binary", quote(pieces))
		} else {
			before = printing(pieces) + " | "
			words = append(words, "--data-binary", "@-")
		}
	}
	return before + strings.Join(words, " ")
}

func (c command) method() []string {
	switch {
	case c.req.Method == "HEAD":
		return []string{"--head"}
	case c.req.Method == "GET" && len(c.req.Body) == 0, c.req.Method == "POST":
		return nil
	}
	return []string{"-X", quote([]piece{{text: c.req.Method}})}
}

// target gives the URL, and what keeps curl from changing it.
func (c command) target() []string {
	root := c.base.Scheme + "://" + c.base.Host
	pieces := c.mask.split(c.req.Target)
	safe := strings.HasPrefix(c.req.Target, "/")
	for i := range len(c.req.Target) {
		b := c.req.Target[i]
		safe = safe && b > ' ' && b < 0x7f && strings.IndexByte("#\"<>\\^`", b) < 0
	}
	if !safe {
		return []string{"--request-target", quote(pieces), quote([]piece{{text: root + "/"}})}
	}
	var words []string
	if strings.Contains(c.req.Target, "/.") {
		words = append(words, "--path-as-is")
	}
	if strings.ContainsAny(c.req.Target, "[]{}") {
		words = append(words, "-g")
	}
	return append(words, quote(append([]piece{{text: root}}, pieces...)))
}

// raw sends what is printed. It waits a little before it ends, for some programs
// would stop to listen otherwise.
func (c command) raw() string {
	data := string(c.req.Bytes(c.base.Host, DefaultUserAgent))
	host := address(c.base)
	wait := "; sleep 2"
	if c.req.CloseWrite {
		wait = ""
	}
	printed := "{ " + printing(c.pieces(data)) + wait + "; } | "
	if c.base.Scheme == "https" {
		return printed + "openssl s_client -quiet -connect " + quote([]piece{{text: host}}) + " -servername " + quote([]piece{{text: c.base.Hostname()}})
	}
	port := host[strings.LastIndexByte(host, ':')+1:]
	nc := "nc "
	if c.req.CloseWrite {
		nc = "nc -N "
	}
	return printed + nc + quote([]piece{{text: c.base.Hostname()}}) + " " + port
}

// pieces splits a whole request: credentials of the header are found in its lines.
func (c command) pieces(data string) []piece {
	end := strings.Index(data, "\r\n\r\n")
	if end < 0 {
		end = len(data)
	}
	var all []piece
	for i, l := range strings.SplitAfter(data[:end], "\n") {
		text := strings.TrimRight(l, "\r\n")
		name, value, ok := strings.Cut(text, ":")
		if i == 0 || !ok || !sensitive.MatchString(name) {
			all = append(all, c.mask.split(l)...)
			continue
		}
		bare := strings.TrimLeft(value, " \t")
		all = append(all, piece{text: text[:len(text)-len(bare)]})
		all = append(all, c.mask.credential(Field{Name: name, Value: bare}, c.req.Invented)...)
		all = append(all, piece{text: l[len(text):]})
	}
	return append(all, c.mask.split(data[end:])...)
}

// readable says whether a text can stand in a command as it is: nothing of it is
// hidden from those who read it, and nothing commands their terminal.
func readable(s string) bool {
	for _, r := range s {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

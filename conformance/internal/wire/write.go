package wire

import (
	"bytes"
	"strconv"
	"strings"
)

// DefaultUserAgent is the User-Agent of requests that have none.
const DefaultUserAgent = "conformance"

func itoa(n int) string { return strconv.Itoa(n) }

// Bytes gives the request as it goes to the host, which may have a port. The
// order is that of curl, so that [Curl] can send the same: Host, User-Agent, the
// header of the request, Content-Length.
func (r *Request) Bytes(host, userAgent string) []byte {
	if r.Raw != nil {
		return r.Raw
	}
	var b bytes.Buffer
	b.WriteString(r.Method + " " + r.Target + " HTTP/1.1\r\n")
	header := r.Header
	switch {
	case !has(header, "Host"):
		b.WriteString("Host: " + host + "\r\n")
	case strings.EqualFold(header[0].Name, "Host"):
		b.WriteString(line(header[0]) + "\r\n")
		header = header[1:]
	}
	if !has(r.Header, "User-Agent") && userAgent != "" {
		b.WriteString("User-Agent: " + userAgent + "\r\n")
	}
	for _, f := range header {
		b.WriteString(line(f) + "\r\n")
	}
	if r.addsLength() {
		b.WriteString("Content-Length: " + itoa(len(r.Body)) + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(r.Body)
	return b.Bytes()
}

// line writes a header line as curl does: nothing follows the colon of an empty
// value.
func line(f Field) string {
	if f.Value == "" {
		return f.Name + ":"
	}
	return f.Name + ": " + f.Value
}

// addsLength: with a body, and without one if the method expects some (RFC 9110
// 8.6).
func (r *Request) addsLength() bool {
	if has(r.Header, "Content-Length") || has(r.Header, "Transfer-Encoding") {
		return false
	}
	return len(r.Body) > 0 || r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH"
}

// plain says whether a server and this client are sure to agree where the request
// ends. Others get a connection of their own.
func (r *Request) plain() bool {
	if r.Raw != nil || r.CloseWrite || r.Stream || r.Method == "CONNECT" || has(r.Header, "Transfer-Encoding") || has(r.Header, "Expect") || has(r.Header, "Upgrade") {
		return false
	}
	if l := values(r.Header, "Content-Length"); len(l) > 1 || len(l) == 1 && l[0] != itoa(len(r.Body)) {
		return false
	}
	if !token(r.Method) || strings.ContainsAny(r.Target, " \r\n\t\x00") {
		return false
	}
	for _, f := range r.Header {
		if !token(f.Name) || strings.ContainsAny(f.Value, "\r\n\x00") {
			return false
		}
	}
	return true
}

func has(header []Field, name string) bool { return len(values(header, name)) > 0 }

// token is RFC 9110 5.6.2.
func token(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// names says whether a list of tokens, such as Connection's, has one.
func names(list, token string) bool {
	for e := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.Trim(e, " \t"), token) {
			return true
		}
	}
	return false
}

package check

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// framing judges where the answer ends, and bodies where there may be none (RFC
// 9112 6).
func (v *verdict) framing() {
	status, a := v.answer.Status, v.answer
	lengths, coding := a.Values("Content-Length"), a.Get("Transfer-Encoding")
	bad := func(rfc, claim, expected, got string) {
		v.add(finding.Finding{Class: "B8", Severity: finding.Must, RFC: rfc, Claim: claim, Expected: expected, Got: got})
	}
	extra := fmt.Sprintf("%d bytes: %s", len(a.Extra), clip(a.Extra))
	switch {
	case len(a.Extra) == 0 || unusual(v.ex.Request):
	case v.head:
		bad("RFC 9110 9.3.2", "The answer to HEAD has a body.", "no body", extra)
	case status == http.StatusNotModified:
		v.add(finding.Finding{Class: "N3", Severity: finding.Must, RFC: "RFC 9110 15.4.5", Claim: "304 comes with a body.", Expected: "no body", Got: extra})
	case status == http.StatusNoContent:
		bad("RFC 9110 15.3.5", "204 comes with a body.", "no body", extra)
	default:
		bad("RFC 9112 6.3", "More bytes come than the header says.", "an answer that ends where its header says", extra)
	}
	if status == http.StatusResetContent && len(a.Body) > 0 {
		bad("RFC 9110 15.3.6", "205 comes with a body.", "no body", clip(a.Body))
	}
	if status == http.StatusNoContent && (coding != "" || len(lengths) > 0) {
		f := finding.Finding{
			Class: "B8", Severity: finding.Must, RFC: "RFC 9110 8.6", Claim: "204 announces a body.",
			Expected: "neither Content-Length nor Transfer-Encoding", Got: strings.TrimSpace("Content-Length " + strings.Join(lengths, ", ") + " " + coding),
		}
		if coding == "" && lengths[0] == "0" {
			f.Severity = finding.Should // it is not to be sent, and harms nobody
		}
		v.add(f)
	}
	if coding != "" && len(lengths) > 0 {
		bad("RFC 9112 6.2", "Content-Length comes beside Transfer-Encoding.", "one of the two", "both")
	}
	for _, l := range lengths {
		if _, err := strconv.ParseUint(l, 10, 63); err != nil && len(lengths) == 1 && strings.Trim(l, "0123456789, ") != "" {
			bad("RFC 9110 8.6", "Content-Length is no number.", "decimal digits", l)
		}
	}
}

// clip shows the beginning of a body.
func clip(body []byte) string {
	const most = 120
	text := strings.ToValidUTF8(string(body[:min(len(body), most)]), "\uFFFD")
	if len(body) > most {
		text += "…"
	}
	return text
}

// headers judges header fields.
func (v *verdict) headers() {
	v.singletons()
	v.challenge()
	v.allow()
	v.retryAfter()
	v.declaredHeaders()
	v.validators()
}

// declaredHeaders judges those that the document has for the answer.
func (v *verdict) declaredHeaders() {
	if v.response == nil {
		return
	}
	for _, h := range v.response.Headers {
		v.mark(h.Pointer)
		if h.Required {
			v.mark(openapi.Join(h.Pointer, "required"))
		}
		if lines := v.answer.Values(h.Name); len(lines) > 0 {
			v.header(h, lines)
		} else if !v.head {
			v.absent(h)
		}
	}
	v.strangers()
}

// secure are headers that browsers keep users safe by. Those of CORS are only sent
// where a request has an Origin.
var secure = []string{
	"content-security-policy", "content-security-policy-report-only", "strict-transport-security",
	"x-content-type-options", "x-frame-options", "x-xss-protection", "referrer-policy", "permissions-policy",
	"cross-origin-opener-policy", "cross-origin-embedder-policy", "cross-origin-resource-policy", "origin-agent-cluster",
}

// absent judges that a declared header is not there.
func (v *verdict) absent(h *openapi.Header) {
	name, status := strings.ToLower(h.Name), v.answer.Status
	cors := strings.HasPrefix(name, "access-control-")
	f := finding.Finding{
		Class: "B1", Severity: finding.Must, Pointer: openapi.Join(h.Pointer, "required"),
		Claim:    fmt.Sprintf("The header %s, which is required with %d, is absent.", h.Name, status),
		Expected: h.Name, Got: "no such header",
	}
	safety := cors || slices.Contains(secure, name)
	switch {
	case !h.Required && safety && (!cors || v.ex.Request.Get("Origin") != "") && (name != "strict-transport-security" || v.r.Base.Scheme == "https"):
		f.Class, f.Severity, f.Pointer = "B9", finding.Should, h.Pointer
		f.Claim = fmt.Sprintf("The header %s, which is declared with %d, is absent.", h.Name, status)
	case !h.Required:
		return
	case name == "www-authenticate" && status == http.StatusUnauthorized:
		f.Class = "B6"
	case name == "allow" && status == http.StatusMethodNotAllowed:
		f.Class = "B4"
	case name == "retry-after":
		f.Class = "B7"
	case name == "location" && status == http.StatusCreated:
		f.Class = "B3"
	case name == "etag" && status == http.StatusNotModified:
		f.Class = "N3"
	case safety:
		f.Class = "B9"
	}
	if f.Class == "B1" || !v.has(f.Class) {
		v.add(f)
	}
}

// header judges the value of a declared header by its schema.
func (v *verdict) header(h *openapi.Header, lines []string) {
	if h.Schema == nil || v.twice(h.Name) {
		return
	}
	values := []string{strings.Join(lines, ", ")}
	if strings.EqualFold(h.Name, "Set-Cookie") { // RFC 6265 3: never joined
		values = lines
	}
	for _, text := range values {
		value, faults := v.coerce(h, text)
		v.walk(h.Schema, value, false)
		if len(faults) == 0 || v.has("B7") && strings.EqualFold(h.Name, "Retry-After") {
			continue
		}
		fault := faults[0]
		v.add(finding.Finding{
			Class: "B2", Severity: finding.Must, Pointer: fault.Clause,
			Claim:    fmt.Sprintf("The value of the header %s breaks %s.", h.Name, fault.Keyword),
			Expected: fault.Message, Got: h.Name + ": " + text,
		})
	}
}

// listed are standard headers whose values are lists, so that they may come in
// several lines (RFC 9110 5.3), and Set-Cookie.
var listed = []string{
	"accept-patch", "accept-post", "accept-ranges", "access-control-allow-headers", "access-control-allow-methods",
	"access-control-expose-headers", "allow", "alt-svc", "cache-control", "cache-status", "cdn-cache-control",
	"clear-site-data", "connection", "content-encoding", "content-language", "content-security-policy",
	"content-security-policy-report-only", "dav", "feature-policy", "keep-alive", "link", "nel", "permissions-policy",
	"pragma", "preference-applied", "prefer", "proxy-authenticate", "ratelimit", "ratelimit-policy", "report-to",
	"reporting-endpoints", "server-timing", "set-cookie", "te", "timing-allow-origin", "trailer", "transfer-encoding",
	"upgrade", "vary", "via", "warning", "www-authenticate", "x-robots-tag", "x-forwarded-for", "p3p",
}

// single are standard headers that may be there once.
var single = []string{
	"access-control-allow-credentials", "access-control-allow-origin", "access-control-max-age", "age", "content-disposition",
	"content-length", "content-location", "content-range", "content-type", "date", "etag", "expires", "last-modified",
	"location", "retry-after", "strict-transport-security", "x-content-type-options", "x-frame-options",
}

// twice tells whether a header that may be there once is there more often.
func (v *verdict) twice(name string) bool {
	lower := strings.ToLower(name)
	if len(v.answer.Values(name)) < 2 || slices.Contains(listed, lower) {
		return false
	}
	if slices.Contains(single, lower) {
		return true
	}
	h := v.declaredHeader(lower)
	return h != nil && h.Schema != nil && len(h.Schema.Types) > 0 && !h.Schema.Allows("array") && !h.Schema.Allows("object")
}

func (v *verdict) declaredHeader(lower string) *openapi.Header {
	if v.response == nil {
		return nil
	}
	for _, h := range v.response.Headers {
		if strings.ToLower(h.Name) == lower {
			return h
		}
	}
	return nil
}

// singletons judges headers that may be there once.
func (v *verdict) singletons() {
	for _, field := range v.answer.Header {
		if !v.twice(field.Name) {
			continue
		}
		lower := strings.ToLower(field.Name)
		f := finding.Finding{
			Class: "B11", Severity: finding.Must, RFC: "RFC 9110 5.3",
			Claim:    fmt.Sprintf("The header %s comes more than once.", http.CanonicalHeaderKey(lower)),
			Expected: "one line", Got: strings.Join(v.answer.Values(lower), " and "),
		}
		if !slices.Contains(single, lower) {
			f.Pointer = v.declaredHeader(lower).Pointer
		}
		v.add(f)
	}
}

// challenge judges 401 (RFC 9110 15.5.2, 11.6.1).
func (v *verdict) challenge() {
	if v.answer.Status == http.StatusUnauthorized && strings.TrimSpace(v.answer.Get("WWW-Authenticate")) == "" {
		f := finding.Finding{
			Class: "B6", Severity: finding.Must, RFC: "RFC 9110 15.5.2", Claim: "401 comes without a challenge.",
			Expected: "WWW-Authenticate, which says how to authenticate", Got: "no WWW-Authenticate",
		}
		if h := v.declaredHeader("www-authenticate"); h != nil && h.Required {
			f.Pointer = openapi.Join(h.Pointer, "required")
		}
		v.add(f)
	}
}

// allow judges 405 (RFC 9110 15.5.6), and that it allows what the document does.
func (v *verdict) allow() {
	if v.answer.Status != http.StatusMethodNotAllowed {
		return
	}
	lines := v.answer.Values("Allow")
	if len(lines) == 0 {
		v.add(finding.Finding{
			Class: "B4", Severity: finding.Must, RFC: "RFC 9110 15.5.6", Claim: "405 does not say what is allowed.",
			Expected: "Allow, with the methods that this URL takes", Got: "no Allow",
		})
		return
	}
	var got []string
	for name := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		if name = strings.TrimSpace(name); name != "" {
			got = append(got, name)
		}
	}
	routes := v.r.routesOf(v.ex.Request.Target)
	if len(routes) == 0 {
		return
	}
	all := &route{}
	for _, t := range routes {
		if sameMethods(got, t.methods()) {
			return
		}
		all.ops = append(all.ops, t.ops...)
	}
	if sameMethods(got, all.methods()) {
		return
	}
	f := finding.Finding{
		Class: "B5", Severity: finding.Should, Pointer: above(routes[0].ops[0].Pointer), RFC: "RFC 9110 10.2.1",
		Claim:    "Allow of " + routes[0].template + " names methods that the contract does not have.",
		Expected: strings.Join(routes[0].methods(), ", "), Got: strings.Join(got, ", "),
	}
	for _, method := range routes[0].methods() {
		if !slices.Contains(got, method) && method != http.MethodHead && method != http.MethodOptions {
			f.Severity, f.Claim = finding.Must, "Allow of "+routes[0].template+" leaves out a method that the contract has."
		}
	}
	v.add(f)
}

// sameMethods compares two sets, in which HEAD and OPTIONS do not count: servers
// have them wherever there is GET, or anything.
func sameMethods(a, b []string) bool {
	count := func(in, of []string) bool {
		return !slices.ContainsFunc(in, func(m string) bool {
			return m != http.MethodHead && m != http.MethodOptions && !slices.Contains(of, m)
		})
	}
	return count(a, b) && count(b, a)
}

// above is the pointer of what a pointer's place is in.
func above(pointer string) string { return pointer[:max(strings.LastIndexByte(pointer, '/'), 0)] }

// retryable tells whether an answer says when to come again (RFC 9110 10.2.3).
func retryable(a *wire.Response) bool {
	value := a.Get("Retry-After")
	if value == "" {
		return false
	}
	if strings.Trim(value, "0123456789") == "" {
		return true
	}
	_, err := http.ParseTime(value)
	return err == nil
}

// retryAfter judges the form of Retry-After; whether it must be there is for the
// document to say.
func (v *verdict) retryAfter() {
	lines := v.answer.Values("Retry-After")
	if len(lines) != 1 || retryable(v.answer) {
		return
	}
	f := finding.Finding{
		Class: "B7", Severity: finding.Must, RFC: "RFC 9110 10.2.3", Claim: "Retry-After is neither seconds nor a date.",
		Expected: "decimal digits, or an HTTP date", Got: "Retry-After: " + lines[0],
	}
	if h := v.declaredHeader("retry-after"); h != nil {
		f.Pointer = h.Pointer
	}
	v.add(f)
}

// validators judges the form of standard headers, and 304 without its ETag.
func (v *verdict) validators() {
	bad := func(name, rfc, expected, got string) {
		if v.has("B2") {
			return // by its schema
		}
		v.add(finding.Finding{
			Class: "B2", Severity: finding.Must, RFC: rfc, Claim: name + " is malformed.", Expected: expected, Got: name + ": " + got,
		})
	}
	if lines := v.answer.Values("ETag"); len(lines) == 1 && !entityTag(lines[0]) {
		bad("ETag", "RFC 9110 8.8.3", `a string in double quotes, or W/ before one`, lines[0])
	}
	if lines := v.answer.Values("Last-Modified"); len(lines) == 1 {
		if _, err := http.ParseTime(lines[0]); err != nil {
			bad("Last-Modified", "RFC 9110 8.8.2", "an HTTP date", lines[0])
		}
	}
	if lines := v.answer.Values("Location"); len(lines) == 1 {
		if _, err := url.Parse(lines[0]); err != nil || strings.ContainsAny(lines[0], " \t\"<>") {
			bad("Location", "RFC 9110 10.2.2", "a URI reference", lines[0])
		}
	}
	match := v.ex.Request.Get("If-None-Match")
	if v.answer.Status == http.StatusNotModified && match != "" && match != "*" && v.answer.Get("ETag") == "" && !v.has("N3") {
		v.add(finding.Finding{
			Class: "N3", Severity: finding.Must, RFC: "RFC 9110 15.4.5", Claim: "304 comes without the ETag of what is not modified.",
			Expected: "ETag, as it is sent with 200", Got: "no ETag",
		})
	}
}

// entityTag tells whether a value is one (RFC 9110 8.8.3).
func entityTag(value string) bool {
	opaque := strings.TrimPrefix(value, "W/")
	if len(opaque) < 2 || opaque[0] != '"' || opaque[len(opaque)-1] != '"' {
		return false
	}
	return !bytes.ContainsAny([]byte(opaque[1:len(opaque)-1]), "\" \x7f")
}

// strangers advises about headers that the document declares for other answers,
// and not for this one. Those that it has nowhere are the server's own business.
func (v *verdict) strangers() {
	if len(v.response.Headers) == 0 {
		return
	}
	v.r.prepare()
	for _, field := range v.answer.Header {
		lower := strings.ToLower(field.Name)
		if !v.r.judging.headers[lower] || v.declaredHeader(lower) != nil || slices.Contains(listed, lower) ||
			slices.Contains(single, lower) || slices.Contains(secure, lower) {
			continue
		}
		v.add(finding.Finding{
			Class: "D3", Severity: finding.Advice, Pointer: v.response.Pointer,
			Claim:    fmt.Sprintf("The header %s comes with %d; the contract declares it for other answers only.", http.CanonicalHeaderKey(lower), v.answer.Status),
			Expected: "only headers that are declared", Got: field.Name,
		})
	}
}

package main_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/getkin/kin-openapi/openapi3"
)

// shot is one hostile attempt: what is written to a connection, and what may
// come of it.
type shot struct {
	family string // of the table that is printed
	broken string // what was done, for whoever has to find out
	raw    []byte
	// asked are the requests in it, as far as they can be told. An answer
	// beyond them may be any operation's.
	asked  []asked
	ending ending
	person *person // whose session it has, intact; nil if it has none
}

type asked struct{ method, target string }

// ending is what the client does after it has written.
type ending int

const (
	keep      ending = iota // reads one answer, and keeps the connection
	halfClose               // writes no more, and reads until the server closes
	drop                    // goes away without reading anything
)

// cast are the people and things that requests name.
type cast struct {
	key, revoked string
	host         string
	people       []*person
	customers    []int64  // ids
	tokens       []string // of links in e-mails
}

// person is a customer who can log in.
type person struct {
	email, password string

	mu       sync.Mutex
	cookie   string   // name=value; guarded by mu, as are the others
	lost     bool     // cannot log in any more
	sessions []string // ids
	methods  []string // ids
}

func (p *person) session() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cookie
}

// known gives an id of what the person has, or of nothing.
func (p *person) known(rng *rand.Rand, of func(*person) []string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if list := of(p); len(list) > 0 && rng.IntN(3) > 0 {
		return pick(rng, list)
	}
	return "018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7082"
}

// draft is a request in the making.
type draft struct {
	cast   *cast
	rng    *rand.Rand
	n      uint64 // of the shot
	route  *route
	method string
	path   string
	query  []string // pairs, escaped
	header [][2]string
	tree   *node
	body   []byte // once it is written; nil for none
	person *person
}

// newDraft makes a request that the contract allows, as far as its examples do.
func newDraft(c *cast, j *judge, rng *rand.Rand, n uint64) *draft {
	d := &draft{cast: c, rng: rng, n: n, route: pick(rng, j.routes), person: pick(rng, c.people)}
	d.method = d.route.method
	// The network is by chance, for callers who fail are slowed down by it.
	network := fmt.Sprintf("10.%d.%d.%d", rng.IntN(256), rng.IntN(256), rng.IntN(256))
	d.header = [][2]string{{"Host", c.host}, {"X-Forwarded-For", network}}
	security := d.route.doc.Security
	if d.route.operation.Security != nil {
		security = *d.route.operation.Security
	}
	for _, one := range security {
		if _, session := one["Session"]; session {
			d.header = append(d.header, [2]string{"Cookie", d.person.session()})
		} else {
			d.header = append(d.header, [2]string{"Authorization", "Bearer " + c.key})
		}
	}
	d.parameters(j.base)
	if d.route.operation.RequestBody == nil {
		return d
	}
	d.header = append(d.header, [2]string{"Content-Type", "application/json"})
	media := d.route.operation.RequestBody.Value.Content.Get("application/json")
	d.tree = generate(rng, media.Schema.Value)
	if len(media.Examples) > 0 && rng.IntN(2) == 0 {
		names := make([]string, 0, len(media.Examples))
		for name := range media.Examples {
			names = append(names, name)
		}
		slices.Sort(names)
		d.tree = fromValue(media.Examples[pick(rng, names)].Value.Value, media.Schema.Value)
	}
	d.personal()
	return d
}

// parameters fills the path, the query and the headers that the operation has.
func (d *draft) parameters(base string) {
	d.path = base + d.route.template
	for _, ref := range slices.Concat(d.route.item.Parameters, d.route.operation.Parameters) {
		p := ref.Value
		value := fmt.Sprint(p.Example)
		if len(p.Schema.Value.Enum) > 0 {
			value = fmt.Sprint(pick(d.rng, p.Schema.Value.Enum))
		}
		switch p.Name {
		case "customer_id":
			value = strconv.FormatInt(pick(d.rng, d.cast.customers), 10)
		case "session_id":
			value = d.person.known(d.rng, func(p *person) []string { return p.sessions })
		case "method_id":
			value = d.person.known(d.rng, func(p *person) []string { return p.methods })
		case "Idempotency-Key":
			value = fmt.Sprint("k", d.rng.IntN(5000))
		}
		switch {
		case p.In == openapi3.ParameterInPath:
			d.path = strings.ReplaceAll(d.path, "{"+p.Name+"}", url.PathEscape(value))
		case p.In == openapi3.ParameterInQuery:
			d.query = append(d.query, p.Name+"="+url.QueryEscape(value))
		case d.rng.IntN(2) == 0:
			d.header = append(d.header, [2]string{p.Name, value})
		}
	}
}

// personal puts what only this service knows in place of the examples.
func (d *draft) personal() {
	set := func(name, value string) {
		if n := d.tree.property(name); n != nil && d.rng.IntN(4) > 0 {
			n.raw = quoted(value)
		}
	}
	fresh := fmt.Sprintf("h%d@example.com", d.n)
	switch d.route.id {
	case "createCustomer", "signUp":
		set("email", fresh)
	case "closeAccount", "changePassword": // not with the right password: we need them yet
	case "logIn", "requestPasswordReset":
		set("email", d.person.email)
		fallthrough
	default:
		set("password", d.person.password)
		set("token", pick(d.rng, d.cast.tokens))
	}
}

// target is what the request line has.
func (d *draft) target() string {
	if len(d.query) == 0 {
		return d.path
	}
	return d.path + "?" + strings.Join(d.query, "&")
}

// set replaces a header, or adds it.
func (d *draft) set(name, value string) {
	d.unset(name)
	d.header = append(d.header, [2]string{name, value})
}

func (d *draft) unset(name string) {
	d.header = slices.DeleteFunc(d.header, func(h [2]string) bool { return strings.EqualFold(h[0], name) })
}

// written gives the body, which is a tree until it is needed.
func (d *draft) written() []byte {
	if d.tree != nil {
		var b strings.Builder
		d.tree.write(&b)
		d.body, d.tree = []byte(b.String()), nil
	}
	return d.body
}

// bytes writes the request, in framing that is right.
func (d *draft) bytes() []byte {
	body := d.written()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", d.method, d.target())
	for _, h := range d.header {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	switch {
	case len(body) > 0 && d.rng.IntN(8) == 0:
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
		size := pick(d.rng, []int{1, 7, 100, 4096, 1 << 20})
		for size*200 < len(body) {
			size *= 10
		}
		for chunk := range slices.Chunk(body, size) {
			fmt.Fprintf(&b, "%x\r\n%s\r\n", len(chunk), chunk)
		}
		b.WriteString("0\r\n\r\n")
	case body != nil || d.method == http.MethodPost:
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	default:
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

// breakage is a way to break a request.
type breakage struct {
	family string
	times  int // how often it is chosen, to the others
	do     func(d *draft)
}

var breakages = []breakage{
	{"body, values", 40, (*draft).breakValues},
	{"body, bytes", 10, (*draft).breakBytes},
	{"content type, coding", 8, (*draft).breakContentType},
	{"headers", 12, (*draft).breakHeaders},
	{"parameters", 14, (*draft).breakParameters},
	{"method", 4, (*draft).breakMethod},
	{"credentials", 10, (*draft).breakCredentials},
}

// contractShot makes a request from the contract, and breaks it at one place or
// at several.
func contractShot(c *cast, j *judge, rng *rand.Rand, n uint64) *shot {
	d := newDraft(c, j, rng, n)
	s := &shot{family: "as it should be", ending: keep}
	var done []string
	for range max(0, rng.IntN(7)-1) { // none at times, and five at most
		b := chooseBreakage(rng)
		b.do(d)
		done = append(done, b.family)
	}
	if len(done) == 0 && d.route.id == "changePassword" {
		same := quoted(d.person.password)
		d.tree.property("current_password").raw, d.tree.property("new_password").raw = same, same
	}
	// To hash a password takes as long as a hundred other requests, and a
	// session that ended tells nothing more. So few of these go through.
	if d.costly() && rng.IntN(25) > 0 {
		d.spoil()
		done = append(done, "refused for certain")
	}
	if len(done) > 0 {
		s.family = done[0]
	}
	s.broken = d.route.id + ": " + strings.Join(done, ", ")
	s.raw = d.bytes()
	s.asked = []asked{{d.method, d.target()}}
	if slices.Contains(d.header, [2]string{"Cookie", d.person.session()}) {
		s.person = d.person
	}
	return s
}

func chooseBreakage(rng *rand.Rand) breakage {
	total := 0
	for _, b := range breakages {
		total += b.times
	}
	at := rng.IntN(total)
	for _, b := range breakages {
		if at -= b.times; at < 0 {
			return b
		}
	}
	return breakages[0]
}

// costly tells of operations that hash a password, and of those that end a
// session.
func (d *draft) costly() bool {
	switch d.route.id {
	case "logIn", "logOut", "acceptInvitation", "confirmEmail", "resetPassword", "changePassword", "enrolTotp", "disableTotp", "closeAccount",
		"addDisbursementMethod", "replaceDisbursementMethod", "removeDisbursementMethod", "setDefaultDisbursementMethod":
		return true
	default:
		return false
	}
}

// spoil breaks a request so that it is refused for certain, and everything else
// of it is looked at nevertheless.
func (d *draft) spoil() {
	if d.tree == nil {
		d.query = append(d.query, "spoilt=1")
		return
	}
	if d.tree.kind != objectNode || len(d.tree.kids) == 0 || d.rng.IntN(4) == 0 {
		d.query = append(d.query, "spoilt=1")
		return
	}
	i := d.rng.IntN(len(d.tree.kids))
	switch d.rng.IntN(3) {
	case 0:
		d.tree.add(`"spoilt"`, hostileScalar(d.rng))
	case 1:
		d.tree.kids[i] = scalar(pick(d.rng, []string{"[[]]", "-0.5", `{"spoilt":1}`}))
	default:
		d.tree.kids[i] = scalar(quoted(strings.Repeat("a", 20_000)))
	}
}

func (d *draft) breakValues() {
	switch {
	case d.tree != nil:
		breakTree(d.rng, d.tree)
	case d.body == nil: // where there is to be none
		d.tree = pick(d.rng, []*node{{kind: objectNode}, hostileScalar(d.rng)})
		if d.rng.IntN(2) == 0 {
			d.set("Content-Type", "application/json")
		}
	default:
		d.breakBytes()
	}
}

func (d *draft) breakBytes() {
	body, rng := d.written(), d.rng
	at := 0
	if len(body) > 0 {
		at = rng.IntN(len(body))
	}
	switch rng.IntN(14) {
	case 0:
		body = body[:at]
	case 1:
		body = append(body, pick(rng, []string{"x", "{}", "\x00", "]", ",", "\n\n", "\xef\xbb\xbf", "null"})...)
	case 2:
		body = append([]byte("\xef\xbb\xbf"), body...)
	case 3:
		body = slices.Insert(body, at, byte(rng.IntN(256)))
	case 4:
		body = slices.Insert(body, at, pick(rng, [][]byte{{0xff}, {0xc0, 0x80}, {0xed, 0xa0, 0x80}, {0}, {'\\', 'u'}, []byte("\u2028")})...)
	case 5:
		body = nil
	case 6:
		body = []byte(strings.Repeat(" ", pick(rng, []int{1, 1000, max(0, 256<<10-len(body)), 256<<10 + 1, 300_000})) + string(body))
	case 7:
		body = bytes.Repeat(pick(rng, [][]byte{[]byte("["), []byte(`{"a":`), []byte(`[{"a":`), []byte("-"), []byte("9"), []byte(`"`), []byte("\\")}), pick(rng, []int{10, 1000, 40_000}))
	case 8:
		body = inUTF16(body)
	case 9:
		body = zipped(body)
	case 10:
		body = []byte(`email=a%40example.com&password=x`)
	case 11:
		body = bytes.ReplaceAll(body, []byte(`"`), []byte("'"))
	case 12:
		body = slices.Concat(body, body)
	default:
		body = flipped(rng, body, 1+rng.IntN(8))
	}
	d.body = body
}

func inUTF16(body []byte) []byte {
	var wide []byte
	for _, unit := range utf16.Encode([]rune(string(body))) {
		wide = append(wide, byte(unit>>8), byte(unit))
	}
	return wide
}

func zipped(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body) // to memory, which does not fail
	_ = w.Close()
	return b.Bytes()
}

// flipped changes some bytes.
func flipped(rng *rand.Rand, body []byte, n int) []byte {
	body = slices.Clone(body)
	for range n {
		if len(body) > 0 {
			body[rng.IntN(len(body))] = byte(rng.IntN(256))
		}
	}
	return body
}

var contentTypes = []string{
	"", "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-8", "application/json; charset=latin1",
	"application/json; charset=utf-16", `application/json; charset="utf-8"`, "application/json;charset=", "application/json; charset=utf-8; charset=latin1", "APPLICATION/JSON", "application/json;",
	"application/json, text/plain", "application/vnd.api+json", "application/problem+json", "application/json; v=1", "*/*", "application/", "/json", "json", ";", "application/json\x80", "application/json; a=\"",
}

func (d *draft) breakContentType() {
	switch d.rng.IntN(5) {
	case 0, 1:
		d.set("Content-Type", pick(d.rng, contentTypes))
	case 2:
		d.unset("Content-Type")
	case 3:
		d.header = append(d.header, [2]string{"Content-Type", pick(d.rng, contentTypes)})
	default:
		coding := pick(d.rng, []string{"gzip", "br", "deflate", "identity", "gzip, identity", "identity, gzip", "", "x", "gzip\t", "IDENTITY"})
		d.header = append(d.header, [2]string{"Content-Encoding", coding})
		if coding == "gzip" {
			d.body = zipped(d.written())
		}
	}
}

// hostileHeaders are of names that something may look at.
var hostileHeaders = [][2]string{
	{"Accept", "text/html"}, {"Accept", "application/xml;q=1, */*;q=0"}, {"Accept", ""}, {"Accept", "application/json;q=0"}, {"Accept", "*/*;q=2"}, {"Accept", ",,,;q="},
	{"Accept", "application/*"}, {"Accept", "application/json;q=0.0001"}, {"Accept", "a/b/c"}, {"Accept", "\x80\xff"}, {"Accept-Encoding", "gzip;q=x"}, {"Accept-Language", "\xff, *;q=9"}, {"Accept-Charset", "utf-7"},
	{"Idempotency-Key", ""}, {"Idempotency-Key", " "}, {"Idempotency-Key", "a b"}, {"Idempotency-Key", "é"}, {"Idempotency-Key", "k1, k2"}, {"Idempotency-Key", "k1"}, {"Prefer", ""}, {"Prefer", "handling=lenient"},
	{"Prefer", "handling=lenient; x=\"\\\""}, {"Prefer", ",;=,handling"}, {"Prefer", "handling=strict, handling=lenient"}, {"Prefer", "return=minimal, wait=999999999999999"},
	{"X-HTTP-Method-Override", "DELETE"}, {"X-Forwarded-For", "not an address"}, {"X-Forwarded-For", "127.0.0.1, 10.0.0.1"}, {"Forwarded", "for=\"[::1"}, {"Forwarded", "for=_x;for=_y"}, {"X-Real-IP", "::"},
	{"X-Request-Id", "chosen"}, {"Origin", "https://evil.example"}, {"Origin", "null"}, {"Origin", "%%"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "sideways"}, {"Referer", "\x80"},
	{"Range", "bytes=0-0"}, {"If-None-Match", "*"}, {"If-Match", "\"x\""}, {"If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"}, {"Upgrade", "websocket"}, {"Upgrade", "h2c"}, {"Connection", "Upgrade, HTTP2-Settings"},
	{"Connection", "keep-alive, Host, Cookie"}, {"Connection", "close"}, {"Connection", "\x80"}, {"Keep-Alive", "timeout=-1"}, {"TE", "trailers, deflate;q=x"}, {"Trailer", "X-A"}, {"Via", "1.1 x"}, {"Max-Forwards", "0"},
	{"Expect", "100-continue"}, {"Expect", "x"}, {"Date", "yesterday"}, {"User-Agent", ""}, {"User-Agent", "\xff\xfe"}, {"Host", "evil.example"}, {"X-Forwarded-Host", "evil.example"}, {"X-Original-URL", "/dev/mail"},
	{"Content-Language", "zz"}, {"Content-MD5", "x"}, {"Content-Range", "bytes 0-1/2"}, {"X-\xc3", "1"}, {"!#$%&'*+-.^_`|~", "1"}, {"X-Null", "null"}, {"Pragma", "no-cache"},
}

func (d *draft) breakHeaders() {
	rng := d.rng
	switch rng.IntN(8) {
	case 0, 1, 2, 3:
		d.header = append(d.header, pick(rng, hostileHeaders))
	case 4:
		d.header = append(d.header, pick(rng, d.header)) // twice
	case 5:
		d.header = append(d.header, [2]string{pick(rng, []string{"User-Agent", "Accept", "X-Long", "Prefer", "Idempotency-Key", "Cookie", "Authorization"}), strings.Repeat("a", pick(rng, []int{200, 201, 255, 256, 300, 301, 5000, 40_000}))})
	case 6:
		for i := range pick(rng, []int{2, 50, 500}) {
			d.header = append(d.header, [2]string{fmt.Sprint("X-", i), "1"})
		}
	default:
		h := pick(rng, hostileHeaders)
		d.set(h[0], h[1])
	}
}

var hostileValues = []string{
	"", "0", "-1", "1.0", "01", "+1", "1e3", " 1", "1 ", "9223372036854775807", "9223372036854775808", "99999999999999999999", "abc", "null", "%00", "%2F", "%2e%2e", "..%2f..", "..", ".", "%C0%80", "%FF",
	"%25", "%3F", "%23", "1;a=b", "1,2", "[1]", "018F6B1C-9D3E-7C45-A1B2-3C4D5E6F7082", "018f6b1c9d3e7c45a1b23c4d5e6f7082", "{018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7082}", "urn:uuid:018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7082",
	"00000000-0000-0000-0000-000000000000", "%E2%80%AE", "%D9%A1", "'%20OR%20'1'='1", "%0d%0aX-Injected:%201", "*", "~", "@", "customers",
}

func (d *draft) breakParameters() {
	rng := d.rng
	switch rng.IntN(9) {
	case 0, 1, 2:
		segments := strings.Split(d.path, "/")
		at := len(segments) - 1
		if i := slices.IndexFunc(strings.Split(d.route.template, "/"), func(s string) bool { return strings.HasPrefix(s, "{") }); i >= 0 {
			at = len(segments) - len(strings.Split(d.route.template, "/")) + i
		}
		segments[at] = pick(rng, hostileValues)
		d.path = strings.Join(segments, "/")
	case 3:
		d.path += pick(rng, []string{"/", "//", "/.", "/..", "/x", ";x=1", "%20", "%00", ".json", "?", "%2F"})
	case 4:
		d.path = strings.Replace(d.path, "/", pick(rng, []string{"//", "/./", "/x/../", "/%2e/", "/%2F"}), 1+rng.IntN(4))
	case 5:
		at := rng.IntN(len(d.path)-1) + 1
		d.path = d.path[:at] + fmt.Sprintf("%%%02x", d.path[at]) + d.path[at+1:]
	case 6:
		d.query = append(d.query, pick(rng, []string{"x=1", "", "=", "&", "x", "%zz=1", "a=%", "a;b=1", "x=%00", "type[]=ach", "type=ach", "customer_id=1", strings.Repeat("q=1&", 2000), strings.Repeat("q", 20_000), "%FF=%FF", "a=b=c", "?"}))
	case 7:
		if len(d.query) > 0 {
			d.query = append(d.query, pick(rng, d.query))
		}
	default:
		for i, pair := range d.query {
			name, _, _ := strings.Cut(pair, "=")
			if rng.IntN(2) == 0 {
				d.query[i] = name + "=" + strings.ReplaceAll(pick(rng, hostileValues), " ", "+")
			}
		}
	}
	d.path = strings.ReplaceAll(d.path, " ", "+")
}

func (d *draft) breakMethod() {
	d.method = pick(d.rng, []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "QUERY", "get", "Post", "X", "M-SEARCH", "!", strings.Repeat("A", 300)})
}

func (d *draft) breakCredentials() {
	c, rng := d.cast, d.rng
	token := strings.TrimPrefix(d.person.session(), "cex_session=")
	switch rng.IntN(6) {
	case 0: // those of the other kind
		d.unset("Cookie")
		d.unset("Authorization")
		if strings.HasPrefix(d.route.template, "/partner/") {
			d.set("Cookie", d.person.session())
		} else {
			d.set("Authorization", "Bearer "+c.key)
		}
	case 1, 2:
		d.set("Authorization", pick(rng, []string{
			"", "Bearer", "Bearer ", "Bearer  " + c.key, "bearer " + c.key, "Basic " + c.key, c.key, "Bearer " + c.key + " ", "Bearer " + c.key + "A", "Bearer " + c.key[:20], "Bearer " + strings.ToLower(c.key),
			"Bearer " + c.revoked, "Bearer " + token, "Bearer \xff", "Bearer " + strings.Repeat("A", 10_000), "Bearer ' OR 1=1 --", "Bearer cex_live_", "Bearer " + c.key + ", Bearer " + c.key, "Digest username=\"x\"",
		}))
	case 3, 4:
		d.set("Cookie", pick(rng, []string{
			"", "cex_session", "cex_session=", "cex_session=\"" + token + "\"", "cex_session=" + token[:len(token)-1], "cex_session=" + token + "A", "CEX_SESSION=" + token, "cex_session=" + token + "; cex_session=" + token,
			"a=b; cex_session=" + token, ";;;=;cex_session=x", "cex_session=\xff\xfe", "cex_session=" + strings.Repeat("A", 20_000), "cex_session=' OR '1'='1", "cex_session=" + c.key, "cex_session=" + flippedToken(rng, token), "$Version=1; cex_session=x",
		}))
	default:
		name := pick(rng, []string{"Cookie", "Authorization"})
		d.header = append(d.header, [2]string{name, pick(rng, []string{"cex_session=planted", "Bearer planted", "Bearer " + c.key, "cex_session=" + token})})
	}
}

// flippedToken changes one letter.
func flippedToken(rng *rand.Rand, token string) string {
	at := rng.IntN(len(token))
	return token[:at] + string("ABCDEFGHIJ"[rng.IntN(10)]) + token[at+1:]
}

package main_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// message is a request in parts, each of which may be written wrongly.
type message struct {
	line    string
	headers []string // lines
	body    string
	asked   asked
}

func (m *message) String() string {
	return m.line + "\r\n" + strings.Join(append(slices.Clone(m.headers), "", ""), "\r\n") + m.body
}

// message gives a draft as it is written, without its framing.
func (d *draft) message() *message {
	m := &message{line: d.method + " " + d.target() + " HTTP/1.1", body: string(d.written()), asked: asked{d.method, d.target()}}
	for _, h := range d.header {
		m.headers = append(m.headers, h[0]+": "+h[1])
	}
	return m
}

// framed says how long the body is.
func (m *message) framed() *message {
	m.headers = append(m.headers, "Content-Length: "+strconv.Itoa(len(m.body)))
	return m
}

// rawKind is a way to write what is no proper request. It fills in what is
// written; all else of the shot is there.
type rawKind struct {
	family string
	write  func(g *rawGun, s *shot)
}

// rawGun makes shots at the server below the contract.
type rawGun struct {
	cast  *cast
	judge *judge
	rng   *rand.Rand
	n     uint64
}

var rawKinds = []rawKind{
	{"raw: request line", (*rawGun).requestLine},
	{"raw: version", (*rawGun).version},
	{"raw: target", (*rawGun).target},
	{"raw: header", (*rawGun).headerLines},
	{"raw: large header", (*rawGun).largeHeader},
	{"raw: host", (*rawGun).host},
	{"raw: length", (*rawGun).length},
	{"raw: chunks", (*rawGun).chunks},
	{"raw: smuggling", (*rawGun).smuggling},
	{"raw: pipeline", (*rawGun).pipeline},
	{"raw: cut short", (*rawGun).cutShort},
	{"raw: gone early", (*rawGun).goneEarly},
}

func rawShot(c *cast, j *judge, rng *rand.Rand, n uint64) *shot {
	k := pick(rng, rawKinds)
	s := &shot{family: k.family, ending: halfClose}
	k.write(&rawGun{c, j, rng, n}, s)
	return s
}

// good gives a request that could be answered well; most often it is one that
// costs little.
func (g *rawGun) good() *message {
	d := newDraft(g.cast, g.judge, g.rng, g.n)
	for d.costly() {
		d = newDraft(g.cast, g.judge, g.rng, g.n)
	}
	return d.message()
}

// withBody gives a request that has a body.
func (g *rawGun) withBody() *message {
	for {
		if m := g.good(); m.body != "" {
			return m
		}
	}
}

func (s *shot) fire(broken string, messages ...*message) {
	s.broken = broken
	for _, m := range messages {
		s.raw = append(s.raw, m.String()...)
		s.asked = append(s.asked, m.asked)
	}
}

func (g *rawGun) requestLine(s *shot) {
	m := g.good().framed()
	method, target := m.asked.method, m.asked.target
	m.line = pick(g.rng, []string{
		"", " ", "GET", "GET ", "GET /", " " + m.line, "\t" + m.line, strings.ReplaceAll(m.line, " ", "  "), strings.ReplaceAll(m.line, " ", "\t"), m.line + " ", m.line + " x", m.line + "\r", m.line + "\x00",
		"\r\n" + m.line, "\r\n\r\n\r\n" + m.line, "\n" + m.line, "\xff " + target + " HTTP/1.1", method + "\x00 " + target + " HTTP/1.1", "G\xc3\x89T " + target + " HTTP/1.1", " " + target + " HTTP/1.1", method + "  HTTP/1.1",
		method + " " + target + "\nHTTP/1.1", method + ":" + target, "(){} " + target + " HTTP/1.1", strings.Repeat("A", 70_000) + " / HTTP/1.1", method + " /" + strings.Repeat("a", pick(g.rng, []int{8000, 60_000, 70_000, 1 << 20})) + " HTTP/1.1",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "SSH-2.0-x", "EHLO x", "\x00\x00\x00\x00", "{\"jsonrpc\":\"2.0\"}", "HTTP/1.1 200 OK",
	})
	s.fire(fmt.Sprintf("request line %.60q", m.line), m)
	s.asked = nil
}

func (g *rawGun) version(s *shot) {
	m := g.good().framed()
	version := pick(g.rng, []string{"", "HTTP/1.0", "HTTP/0.9", "HTTP/1.2", "HTTP/1.9", "HTTP/2.0", "HTTP/2", "HTTP/3.0", "HTTP/11", "http/1.1", "HTP/1.1", "HTTP/1.1.1", "HTTP/1.", "HTTP/.1", "HTTP/-1.1", "HTTP/99999999999999999999.1", "HTTP 1.1", "HTTPS/1.1", "HTTP/1.\xd9\xa1", "HTTP/1.1HTTP/1.1"})
	m.line = m.asked.method + " " + m.asked.target + " " + version
	if g.rng.IntN(10) == 0 {
		m.line, m.body = "PRI * HTTP/2.0", "SM\r\n\r\n"
		m.headers, m.asked = nil, asked{"PRI", "*"}
	}
	s.fire("version "+version, m)
}

func (g *rawGun) target(s *shot) {
	m := g.good().framed()
	path := m.asked.target
	host := g.cast.host
	target := pick(g.rng, []string{
		"http://" + host + path, "https://" + host + path, "http://evil.example" + path, "http://user:pass@" + host + path, "HTTP://" + host + path, "http:" + path, "http://" + path, "//" + host + path, "ftp://x" + path,
		host, "evil.example:443", "*", "", "?", "#", path + "#fragment", "/" + path, strings.ReplaceAll(path, "/", "\\"), strings.ReplaceAll(path, "/", "//"), strings.Replace(path, "/api", "/x/../api", 1),
		strings.Replace(path, "/api", "/%61pi", 1), strings.Replace(path, "/api", "/%2561pi", 1), strings.Replace(path, "/api/", "/api%2F", 1), strings.Replace(path, "/api/", "/api%5C", 1), path + "%", path + "%0", path + "%zz", path + "%00", path + "\x7f", path + "\xff", path + "é",
		path + "/../../../../../../etc/passwd", "/..", "/../" + path, "/.", "/%2e%2e/%2e%2e/etc/passwd", path + ";jsessionid=1", "/docs/../" + path, "/dev/mail/..%2f..%2fescrow.db", "/dev/mail/" + strings.Repeat("../", 20) + "etc/passwd", "/problems/%00", "/healthz/", "/HEALTHZ", "/favicon.ico",
		"mailto:a@example.com", "data:,x", "file:///etc/passwd", "http://[::1", "http://[::1]:x/", "http://" + strings.Repeat("a", 5000), "/" + strings.Repeat("%2e%2e%2f", 500), "/" + strings.Repeat("/", 5000),
	})
	m.asked.method = pick(g.rng, []string{m.asked.method, m.asked.method, "CONNECT", "OPTIONS", "GET"})
	m.asked.target = target
	m.line = m.asked.method + " " + target + " HTTP/1.1"
	s.fire(fmt.Sprintf("target %.80q", m.line), m)
}

func (g *rawGun) headerLines(s *shot) {
	m := g.good().framed()
	line := pick(g.rng, []string{
		"X", ":", ": x", "X : 1", "X\t: 1", " X: 1", "\tfolded", " folded: 1", "X: a\r\n b", "X: a\r\n\tb\r\n c", "X: a\x00b", "X\x00: 1", "X: a\rb", "X: a\nY: b", "X\r: 1", "\x00", "X: \x01", "X: \x7f", "X: \x80\xff", "X\x80: 1",
		"X(): 1", "X/Y: 1", "X@: 1", "\"X\": 1", "X;: 1", "X: 1\r", "\xef\xbb\xbfX: 1", "Content-Length : 0", "Content_Length: 9", "Transfer-Encoding : chunked", "GET / HTTP/1.1", "X:" + strings.Repeat(" ", 5000) + "1", "X:" + strings.Repeat("\t", 100),
	})
	m.headers = slices.Insert(m.headers, g.rng.IntN(len(m.headers)+1), line)
	if g.rng.IntN(6) == 0 {
		s.fire("line feeds only", m)
		s.raw = bytes.ReplaceAll(s.raw, []byte("\r\n"), []byte("\n"))
		return
	}
	s.fire(fmt.Sprintf("header %.60q", line), m)
}

func (g *rawGun) largeHeader(s *shot) {
	m := g.good().framed()
	switch g.rng.IntN(4) {
	case 0:
		m.headers = append(m.headers, "X: "+strings.Repeat("x", pick(g.rng, []int{4096, 60_000, 65_536, 70_000, 80_000, 200_000, 1 << 20})))
	case 1:
		m.headers = append(m.headers, strings.Repeat("X", pick(g.rng, []int{4096, 65_536, 80_000, 1 << 20}))+": 1")
	case 2:
		for i := range pick(g.rng, []int{100, 1000, 5000, 20_000}) {
			m.headers = append(m.headers, fmt.Sprintf("X-%d: %d", i, i))
		}
	default:
		for range pick(g.rng, []int{100, 1000, 10_000}) {
			m.headers = append(m.headers, pick(g.rng, []string{"Cookie: a=b", "Accept: */*", "X: 1", "Authorization: x", "Prefer: a"}))
		}
	}
	s.fire("large header", m)
}

func (g *rawGun) host(s *shot) {
	m := g.good().framed()
	m.headers = slices.DeleteFunc(m.headers, func(h string) bool { return strings.HasPrefix(h, "Host:") })
	for range g.rng.IntN(3) {
		m.headers = append(m.headers, "Host: "+pick(g.rng, []string{"", "a b", "evil.example", g.cast.host, "[::1", "x:99999", "x:y", "user@x", "\x80", "a,b", "x/y", "x?y", "..", strings.Repeat("h", 5000), "%zz", "localhost\x00"}))
	}
	s.fire("host", m)
}

func (g *rawGun) length(s *shot) {
	m := g.withBody()
	n := len(m.body)
	digits := strconv.Itoa(n)
	value := pick(g.rng, []string{
		strconv.Itoa(n + 1), strconv.Itoa(n + 1000), strconv.Itoa(n / 2), "0", "-1", "+" + digits, digits + ".0", "0x" + strconv.FormatInt(int64(n), 16), "1e2", " ", "", digits + " " + digits, digits + "," + digits, digits + ", " + strconv.Itoa(n+1),
		"9223372036854775807", "9223372036854775808", "99999999999999999999999999", "0" + digits, digits + "\x00", "٣", "x", "1073741824", digits + ";x", "\t" + digits,
	})
	m.headers = append(m.headers, "Content-Length: "+value)
	if g.rng.IntN(3) == 0 {
		m.headers = append(m.headers, "Content-Length: "+pick(g.rng, []string{digits, strconv.Itoa(n + 1), "0", "x"}))
	}
	s.fire(fmt.Sprintf("length %q of %d", value, n), m)
}

func (g *rawGun) chunks(s *shot) {
	m := g.withBody()
	n := len(m.body)
	chunk := fmt.Sprintf("%x\r\n%s\r\n", n, m.body)
	coding := "chunked"
	if g.rng.IntN(3) == 0 {
		coding = pick(g.rng, []string{"", "Chunked", "chunked, chunked", "gzip, chunked", "chunked, gzip", "identity", "xchunked", "chunked;q=1", "\x0bchunked", "chunked\r\nTransfer-Encoding: identity", "chunked\r\nTransfer-Encoding: chunked", "deflate", "chu\x00nked", "\"chunked\""})
	}
	m.headers = append(m.headers, "Transfer-Encoding: "+coding)
	m.body = pick(g.rng, []string{
		chunk + "0\r\n\r\n", chunk, chunk + "0\r\n", chunk + "0", "x\r\n" + m.body, "-1\r\n" + m.body, "0x5\r\n" + m.body, " 5\r\n" + m.body, "5 \r\nabcde\r\n0\r\n\r\n", "ffffffffffffffff\r\nx", "10000000000000000\r\nx", "7fffffffffffffff\r\nx",
		"00000000000000000000000000000001\r\na\r\n0\r\n\r\n", fmt.Sprintf("%x\r\n%sxx0\r\n\r\n", n, m.body), fmt.Sprintf("%x\n%s\n0\n\n", n, m.body), fmt.Sprintf("%x;ext=1;\"a\r\n%s\r\n0\r\n\r\n", n, m.body), fmt.Sprintf("%x;%s\r\n%s\r\n0\r\n\r\n", n, strings.Repeat("e", 5000), m.body),
		fmt.Sprintf("%x;%s\r\n%s\r\n0\r\n\r\n", n, strings.Repeat("e", 70_000), m.body), chunk + "0\r\nX-Trailer: 1\r\n\r\n", chunk + "0\r\nContent-Length: 5\r\nHost: x\r\nAuthorization: Bearer x\r\n\r\n", chunk + "0\r\nbad trailer\r\n\r\n", chunk + "0\r\n" + strings.Repeat("X: 1\r\n", 5000) + "\r\n",
		strings.Repeat("1;"+strings.Repeat("x", 300)+"\r\n \r\n", 300) + chunk + "0\r\n\r\n", strings.Repeat("1\r\n \r\n", 5000) + chunk + "0\r\n\r\n", "", "\r\n", "0\r\n\r\n", m.body,
	})
	s.fire(fmt.Sprintf("coding %q, body %.40q", coding, m.body), m)
}

// smuggling writes requests whose end is ambiguous, with another one behind, so
// that two servers in a row could differ. Whatever is answered must be an
// answer to one of them.
func (g *rawGun) smuggling(s *shot) {
	m, hidden := g.withBody(), g.good().framed()
	n := strconv.Itoa(len(m.body))
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(m.body), m.body)
	type shape struct {
		headers []string
		body    string
	}
	form := pick(g.rng, []shape{
		{[]string{"Content-Length: " + n, "Transfer-Encoding: chunked"}, chunked},
		{[]string{"Transfer-Encoding: chunked", "Content-Length: 4"}, chunked},
		{[]string{"Content-Length: 6", "Transfer-Encoding: chunked"}, "0\r\n\r\n"},
		{[]string{"Transfer-Encoding: chunked", "Transfer-Encoding: x", "Content-Length: 4"}, chunked},
		{[]string{"Transfer-Encoding : chunked", "Content-Length: " + n}, m.body},
		{[]string{"Transfer-Encoding:\tchunked", "Content-Length: 4"}, chunked},
		{[]string{"X: x\r\n Transfer-Encoding: chunked", "Content-Length: " + n}, m.body},
		{[]string{"Transfer-Encoding: xchunked", "Content-Length: 4"}, chunked},
		{[]string{"Content-Length: " + n, "Content-Length: 0"}, m.body},
		{[]string{"Content-Length: 0", "Content-Length: " + n}, m.body},
		{[]string{"Content-Length: " + n + ", " + n}, m.body},
		{[]string{"content-length: " + n, "CONTENT-LENGTH: " + n}, m.body},
		{[]string{"Content-Length: 0"}, m.body},
		{[]string{"Content-Length: " + n, "Expect: 100-continue"}, m.body},
		{[]string{"Connection: Content-Length", "Content-Length: " + n}, m.body},
	})
	m.headers, m.body = append(m.headers, form.headers...), form.body
	s.fire("smuggling "+strings.Join(form.headers, ", "), m, hidden)
}

// pipeline writes many requests before it reads an answer.
func (g *rawGun) pipeline(s *shot) {
	var messages []*message
	for range 2 + g.rng.IntN(12) {
		messages = append(messages, g.good().framed())
	}
	if g.rng.IntN(3) == 0 {
		messages = append(messages, &message{line: "hello"})
	}
	s.fire(fmt.Sprint(len(messages), " at once"), messages...)
}

// cutShort writes the beginning of a request, and waits for what is said to it.
func (g *rawGun) cutShort(s *shot) {
	s.fire("cut short", g.good().framed())
	s.raw = s.raw[:g.rng.IntN(len(s.raw))]
}

// goneEarly goes away: in the midst of a request, or after it.
func (g *rawGun) goneEarly(s *shot) {
	s.fire("gone early", g.good().framed())
	s.ending = drop
	if g.rng.IntN(2) == 0 {
		s.raw = s.raw[:g.rng.IntN(len(s.raw))]
	}
}

// corpusShot changes bytes of a valid request, or puts a seed of the fuzz tests
// into it.
func corpusShot(c *cast, j *judge, rng *rand.Rand, n uint64, seeds [][]byte) *shot {
	g := &rawGun{c, j, rng, n}
	m := g.good()
	if rng.IntN(3) == 0 {
		return g.seed(m, pick(rng, seeds))
	}
	s := &shot{family: "corpus: changed bytes", ending: halfClose}
	s.fire("changed bytes", m.framed())
	s.asked = nil
	for range 1 + rng.IntN(6) {
		s.raw = changed(rng, s.raw)
	}
	// Nobody but the reader of the bytes can tell what they ask for now.
	reader := bufio.NewReader(bytes.NewReader(s.raw))
	if r, err := http.ReadRequest(reader); err == nil {
		s.asked = []asked{{r.Method, r.RequestURI}}
	}
	return s
}

// changed does one of what fuzzers do.
func changed(rng *rand.Rand, raw []byte) []byte {
	if len(raw) < 2 {
		return raw
	}
	at := rng.IntN(len(raw) - 1)
	end := at + 1 + rng.IntN(min(len(raw)-at, 40))
	switch rng.IntN(7) {
	case 0:
		return slices.Delete(raw, at, min(end, len(raw)))
	case 1:
		return slices.Insert(raw, at, slices.Clone(raw[at:min(end, len(raw))])...)
	case 2:
		return slices.Insert(raw, at, []byte(pick(rng, []string{"\r\n", "\n", "\x00", ":", " ", "\r\n\r\n", "%", "{", "\"", "\xff", "\r", "/", "?", "0", "9999999999"}))...)
	case 3:
		raw[at] ^= 1 << rng.IntN(8)
	case 4:
		raw[at], raw[at+1] = raw[at+1], raw[at]
	default:
		raw[at] = byte(rng.IntN(256))
	}
	return raw
}

// seed puts a seed into a request: as its body, in a value of it, in its query or
// in a header.
func (g *rawGun) seed(m *message, seed []byte) *shot {
	s := &shot{family: "corpus: seeds", ending: halfClose}
	switch g.rng.IntN(4) {
	case 0:
		m.body = string(seed)
	case 1:
		d := newDraft(g.cast, g.judge, g.rng, g.n)
		for d.tree == nil || d.costly() {
			d = newDraft(g.cast, g.judge, g.rng, g.n)
		}
		if n := d.tree.some(g.rng, func(n *node) bool { return n.kind == scalarNode }); n != nil {
			n.raw = quoted(string(seed))
		}
		m = d.message()
	case 2:
		m.line = m.asked.method + " " + m.asked.target + "?" + string(seed) + " HTTP/1.1"
	default:
		m.headers = append(m.headers, pick(g.rng, []string{"Idempotency-Key", "Prefer", "X", "Authorization", "Cookie"})+": "+string(seed))
	}
	s.fire(fmt.Sprintf("seed %.60q", seed), m.framed())
	if bytes.ContainsAny(seed, "\r\n") {
		s.asked = nil
	}
	return s
}

// builtInSeeds are what the fuzz tests add by themselves.
var builtInSeeds = []string{
	`{}`, `{"email":"a@example.com","phone_number":1e3}`, `{"email":"é@ü.example","x\u0001":[[]]}`, `null`, "\x00", `[]`, `""`, `0`, " ", `{"a":`, `{"email":1e400}`,
	"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "rDTXLQ7ZKZVKz33zJbHjgVShjsBnqMBhmN", "T9yED", "+1 650 253 0000", "08001", "１２３", "021000021", "DEUTDEFF500", "DE89370400440532013000",
}

// fuzzSeeds reads the corpus of the fuzz tests of the repository: what their
// folders have and, if this is a whole campaign, what fuzzing on this machine
// has found.
func fuzzSeeds(t *testing.T, whole bool) [][]byte {
	t.Helper()
	roots := []string{"../.."}
	if cache, err := os.UserCacheDir(); whole && err == nil {
		roots = append(roots, filepath.Join(cache, "go-build", "fuzz", "cryptoexchange.com", "escrow"))
	}
	seeds := make([][]byte, 0, len(builtInSeeds))
	for _, seed := range append(slices.Clone(builtInSeeds), hostileStrings...) {
		seeds = append(seeds, []byte(seed))
	}
	for _, root := range roots {
		_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.Contains(path, "/fuzz/") {
				return nil //nolint:nilerr // what is not there has no seeds
			}
			content, err := os.ReadFile(path)
			if err == nil {
				seeds = append(seeds, seedsIn(string(content))...)
			}
			return err
		})
	}
	return seeds
}

// seedsIn reads a file of go test's fuzzing.
func seedsIn(content string) (seeds [][]byte) {
	lines := strings.Split(content, "\n")
	if lines[0] != "go test fuzz v1" {
		return nil
	}
	for _, line := range lines[1:] {
		for _, kind := range []string{"string(", "[]byte("} {
			literal, is := strings.CutPrefix(strings.TrimSuffix(line, ")"), kind)
			if value, err := strconv.Unquote(literal); is && err == nil && len(value) < 100_000 {
				seeds = append(seeds, []byte(value))
			}
		}
	}
	return seeds
}

// TestHalfClose has a client that sends all that it has to say, closes its side
// and reads on: it is answered as anybody is, to the last of what it asked for.
func TestHalfClose(t *testing.T) {
	t.Parallel()
	s := start(t, filepath.Join(t.TempDir(), "data"), "--rate-limit", "0")
	host := strings.TrimPrefix(s.root, "http://")
	for round := range 20 {
		var raw strings.Builder
		const creations = 5
		for i := range creations {
			body := fmt.Sprintf(`{"email":"%d-%d@example.com"}`, round, i)
			fmt.Fprintf(&raw, "POST /api/v1/escrow/partner/customers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", s.key, len(body), body)
		}
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.Write([]byte(raw.String()))
		if err = errors.Join(err, conn.(*net.TCPConn).CloseWrite()); err != nil {
			t.Fatal(err)
		}
		reader := bufio.NewReader(conn)
		for i := range creations {
			if a, err := readReply(reader, http.MethodPost); err != nil || a.status != http.StatusCreated {
				t.Fatalf("round %d, answer %d: %+v, %v", round, i, a, err)
			}
		}
		_ = conn.Close()
	}
}

// TestResetBody has clients go away, by a reset, in the midst of bodies that were
// refused before they were read; and one whose body ends just after the server
// has had enough of it.
func TestResetBody(t *testing.T) {
	t.Parallel()
	s := start(t, filepath.Join(t.TempDir(), "data"), "--network-limit", "0")
	const refused = "POST /api/v1/escrow/customer/session HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
	refuse := func(beginning string) *net.TCPConn {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.root, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := conn.Write([]byte(refused + beginning)); err != nil {
			t.Fatal(err)
		}
		if a, err := readReply(bufio.NewReader(conn), http.MethodPost); err != nil || a.status < http.StatusBadRequest || a.status >= http.StatusInternalServerError {
			t.Fatalf("%+v, %v", a, err)
		}
		return conn.(*net.TCPConn)
	}
	for range 20 {
		conn := refuse("Content-Length: 1000000\r\n\r\n" + strings.Repeat("a", 1000))
		if err := errors.Join(conn.SetLinger(0), conn.Close()); err != nil {
			t.Fatal(err)
		}
	}
	const most = 16 << 20 // that the server reads of what it has refused
	conn := refuse("Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
	defer conn.Close()
	rest := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n%s", most+1000, strings.Repeat("a", most+1000), "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := conn.Write([]byte(rest)); err != nil {
		t.Fatal(err)
	}
	if a, err := readReply(bufio.NewReader(conn), http.MethodGet); err != nil || a.status != http.StatusOK {
		t.Errorf("the next answer: %+v, %v", a, err)
	}
	for range 20 { // what was reset has been noticed by then
		if status, _ := s.get(t, s.root+"/readyz", ""); status != http.StatusOK {
			t.Errorf("ready: %d", status)
		}
	}
	if _, panicked, is := strings.Cut(s.log.String(), "panic"); is {
		t.Errorf("the server's log: %.3000s", panicked)
	}
}

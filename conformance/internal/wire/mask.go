package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Hidden stands where a secret was.
const Hidden = "***"

// Secret is a credential, and the variable of a shell that has it in what [Curl]
// writes.
type Secret struct{ Variable, Value string }

// leastSecret is the length, in bytes, from which a value can be told from text
// that is like it by chance.
const leastSecret = 4

// Masker hides secrets in what is shown: given values wherever they stand, and
// what stands where credentials do. The nil Masker hides only the latter.
type Masker struct{ secrets []Secret }

// NewMasker makes one for the given secrets. Those of less than four bytes are
// hidden only where credentials stand.
func NewMasker(secrets ...Secret) *Masker {
	m := &Masker{}
	for _, s := range secrets {
		if len(s.Value) < leastSecret {
			continue
		}
		m.add(s)
		m.add(Secret{Variable: s.Variable + "_URLENCODED", Value: url.QueryEscape(s.Value)})
		m.add(Secret{Variable: s.Variable + "_PATHENCODED", Value: url.PathEscape(s.Value)})
		if quoted, err := json.Marshal(s.Value); err == nil {
			m.add(Secret{Variable: s.Variable + "_JSON", Value: string(quoted[1 : len(quoted)-1])})
		}
	}
	slices.SortStableFunc(m.secrets, func(a, b Secret) int { return cmp.Compare(len(b.Value), len(a.Value)) })
	return m
}

func (m *Masker) add(s Secret) {
	if !slices.ContainsFunc(m.secrets, func(o Secret) bool { return o.Value == s.Value }) {
		m.secrets = append(m.secrets, s)
	}
}

// piece is text, or if variable is not empty a secret.
type piece struct{ text, variable string }

// split takes the known secrets out of a text.
func (m *Masker) split(text string) []piece {
	if m == nil {
		return []piece{{text: text}}
	}
	var all []piece
	for text != "" {
		at, found := len(text), Secret{}
		for _, s := range m.secrets { // the longest first
			if i := strings.Index(text, s.Value); i >= 0 && i < at {
				at, found = i, s
			}
		}
		if at > 0 {
			all = append(all, piece{text: text[:at]})
		}
		if found.Value != "" {
			all = append(all, piece{text: found.Value, variable: found.Variable})
		}
		text = text[at+len(found.Value):]
	}
	return all
}

// Text hides the known secrets in a text.
func (m *Masker) Text(text string) string {
	var b strings.Builder
	for _, p := range m.split(text) {
		if p.variable != "" {
			p.text = Hidden
		}
		b.WriteString(p.text)
	}
	return b.String()
}

// sensitive are the names of header fields, query parameters and members of JSON
// whose values are credentials.
var sensitive = regexp.MustCompile(`(?i)^(proxy-)?authorization$|^(set-)?cookie$|(^|[-_.])(x-)?(api|access|auth|secret|private)[-_]?(key|token)$|^(password|passwd|token|secret|client_secret|refresh_token|sessionid|session_token)$`)

// attributes of Set-Cookie (RFC 6265 4.1.1), which are no secrets.
var attributes = regexp.MustCompile(`(?i)^(expires|max-age|domain|path|secure|httponly|samesite|partitioned|priority)$`)

// credential splits the value of a header field where credentials stand: what
// must be hidden has a variable.
func (m *Masker) credential(f Field, invented []string) []piece {
	if !sensitive.MatchString(f.Name) || f.Value == "" || slices.Contains(invented, f.Value) {
		return m.split(f.Value)
	}
	name := variable(f.Name)
	switch strings.ToLower(f.Name) {
	case "cookie", "set-cookie":
		return m.cookies(f.Value, name, invented)
	case "authorization", "proxy-authorization":
		if scheme, rest, ok := strings.Cut(f.Value, " "); ok && token(scheme) && rest != "" {
			return append([]piece{{text: scheme + " "}}, m.hide(rest, name, invented)...)
		}
	}
	return m.hide(f.Value, name, invented)
}

// hide hides a value under the variable of the secret that it is, or contains, or
// else under the given one.
func (m *Masker) hide(value, name string, invented []string) []piece {
	if slices.Contains(invented, value) {
		return m.split(value)
	}
	if known := m.split(value); slices.ContainsFunc(known, func(p piece) bool { return p.variable != "" }) {
		return known
	}
	return []piece{{text: value, variable: name}}
}

func (m *Masker) cookies(value, name string, invented []string) []piece {
	var all []piece
	for i, part := range strings.Split(value, ";") {
		if i > 0 {
			all = append(all, piece{text: ";"})
		}
		key, content, ok := strings.Cut(part, "=")
		if i > 0 && attributes.MatchString(strings.TrimSpace(key)) || !ok || content == "" {
			all = append(all, m.split(part)...)
			continue
		}
		all = append(all, piece{text: key + "="})
		all = append(all, m.hide(content, name+"_"+variable(strings.TrimSpace(key)), invented)...)
	}
	return all
}

var notInNames = regexp.MustCompile(`[^A-Z0-9]+`)

// variable makes a name for a shell's variable.
func variable(name string) string {
	return strings.Trim(notInNames.ReplaceAllString(strings.ToUpper(name), "_"), "_")
}

// members finds the members of JSON whose values are credentials.
var members = regexp.MustCompile(`(?i)("(?:[a-z0-9]+[-_])*(?:password|secret|token|api_?key)"\s*:\s*")((?:[^"\\]|\\.)*)(")`)

// Fields gives header lines without secrets.
func (m *Masker) Fields(fields []Field, invented ...string) []Field {
	all := slices.Clone(fields)
	for i, f := range all {
		var b strings.Builder
		for _, p := range m.credential(f, invented) {
			if p.variable != "" {
				p.text = Hidden
			}
			b.WriteString(p.text)
		}
		all[i].Value = b.String()
	}
	return all
}

// Request gives a copy without secrets.
func (m *Masker) Request(r *Request) *Request {
	if r == nil {
		return nil
	}
	c := *r
	c.Target = m.Text(m.query(r.Target, r.Invented))
	c.Header = m.Fields(r.Header, r.Invented...)
	c.Body = m.bytes(r.Body)
	if r.Raw != nil {
		c.Raw = m.head(m.bytes(r.Raw))
	}
	return &c
}

// query hides parameters of a target whose names tell that they are credentials.
func (m *Masker) query(target string, invented []string) string {
	path, query, ok := strings.Cut(target, "?")
	if !ok {
		return target
	}
	parts := strings.Split(query, "&")
	for i, p := range parts {
		key, value, _ := strings.Cut(p, "=")
		if plain, err := url.QueryUnescape(value); err == nil && slices.Contains(invented, plain) {
			continue
		}
		if value != "" && sensitive.MatchString(key) {
			parts[i] = key + "=" + Hidden
		}
	}
	return path + "?" + strings.Join(parts, "&")
}

// Response gives a copy without secrets, those that the server gave out included.
func (m *Masker) Response(r *Response) *Response {
	if r == nil {
		return nil
	}
	c := *r
	c.Header, c.Trailer = m.Fields(r.Header), m.Fields(r.Trailer)
	c.Head = m.head(m.bytes(r.Head))
	c.Body, c.Extra = members.ReplaceAll(m.bytes(r.Body), []byte("${1}"+Hidden+"${3}")), m.bytes(r.Extra)
	return &c
}

// Exchange gives a copy without secrets.
func (m *Masker) Exchange(ex Exchange) Exchange {
	ex.Request, ex.Response, ex.Partial = m.Request(ex.Request), m.Response(ex.Response), m.Response(ex.Partial)
	return ex
}

func (m *Masker) bytes(b []byte) []byte {
	if b == nil {
		return nil
	}
	return []byte(m.Text(string(b)))
}

// head hides credentials in header lines that are still bytes.
func (m *Masker) head(b []byte) []byte {
	head, body, _ := bytes.Cut(b, []byte("\r\n\r\n"))
	rest := b[len(b)-len(body):]
	if len(head) == len(b) {
		rest = nil
	}
	lines := bytes.SplitAfter(b[:len(b)-len(rest)], []byte("\n"))
	for i, l := range lines {
		text := bytes.TrimRight(l, "\r\n")
		name, value, ok := bytes.Cut(text, []byte(":"))
		if !ok || i == 0 || !token(string(name)) {
			continue
		}
		f := m.Fields([]Field{{Name: string(name), Value: strings.TrimSpace(string(value))}})[0]
		if sensitive.MatchString(f.Name) {
			lines[i] = append([]byte(line(f)), l[len(text):]...)
		}
	}
	return append(bytes.Join(lines, nil), rest...)
}

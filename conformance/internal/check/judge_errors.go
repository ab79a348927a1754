package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// Canary is what probes put into requests to see whether it comes back as markup:
// no server makes it up, and a page with it in it as it is runs what is in it.
const Canary = `<conformance-canary>`

// problem judges the members of a problem document by RFC 9457.
func (v *verdict) problem(value any) {
	object, ok := value.(map[string]any)
	if !ok {
		v.member("3.1", "A problem document is no object.", "an object", shown(value))
		return
	}
	status := v.answer.Status
	if member, has := object["status"]; has {
		number, isNumber := member.(json.Number)
		rat, isRat := new(big.Rat), false
		if isNumber && len(number) < 20 {
			_, isRat = rat.SetString(string(number))
		}
		if !isRat || rat.Cmp(big.NewRat(int64(status), 1)) != 0 {
			v.member("3.1.2", "The member status of the problem is not the status of the answer.", itoa(status), shown(member))
		}
	}
	for _, name := range []string{"type", "instance"} {
		member, has := object[name]
		if !has {
			continue
		}
		text, isText := member.(string)
		if !isText || !reference(text) {
			v.member(map[string]string{"type": "3.1.1", "instance": "3.1.5"}[name], "The member "+name+" of the problem is no URI reference.", "a URI reference", shown(member))
		}
	}
	for _, name := range []string{"title", "detail"} {
		if member, has := object[name]; has {
			if _, isText := member.(string); !isText {
				v.member("3.1", "The member "+name+" of the problem is no string.", "a string", shown(member))
			}
		}
	}
}

func (v *verdict) member(section, claim, expected, got string) {
	f := finding.Finding{Class: "L2", Severity: finding.Must, RFC: "RFC 9457 " + section, Claim: claim, Expected: expected, Got: got}
	if v.response != nil {
		f.Pointer = v.response.Pointer
	}
	v.add(f)
}

var referenceText = regexp.MustCompile(`^(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$`)

// reference tells whether a text is a URI reference (RFC 3986 4.1).
func reference(text string) bool {
	if !referenceText.MatchString(text) {
		return false
	}
	_, err := url.Parse(text)
	return err == nil
}

// tell is text by which a server's inside is recognised.
type tell struct {
	what    string
	pattern *regexp.Regexp
}

// tells are narrow on purpose: an error may well speak of SQL, files or
// exceptions without telling anything.
var tells = []tell{
	{"a stack trace", regexp.MustCompile(`goroutine \d+ \[[a-z ]+\]:|runtime error: [a-z]|panic: runtime|[\w./-]+\.go:\d+ \+0x[0-9a-f]+`)},
	{"a stack trace", regexp.MustCompile(`(?:\bat |\\n\s*at |\\tat )[\w$.<>]+\([\w$]+\.(?:java|kt|scala):\d+\)|\b(?:java|javax|jakarta|kotlin|scala)\.[a-z]\w*(?:\.\w+)*(?:Exception|Error)\b|\b(?:org|com|io|net)(?:\.[a-z]\w*){2,}\.\w+(?:Exception|Error)\b`)},
	{"a stack trace", regexp.MustCompile(`Traceback \(most recent call last\)|\bFile \\?"[^"\\]+\.py\\?", line \d+`)},
	{"a stack trace", regexp.MustCompile(`\bat (?:[\w$.<>\[\] ]+ \()?(?:file://|node:|/|[A-Z]:\\)[^\s()"]*\.?[cm]?[jt]s:\d+:\d+|node_modules[/\\]`)},
	{"a stack trace", regexp.MustCompile(`\bin (?:/|[A-Z]:\\)[^\s"]+\.php(?::| on line )\d+|#0 (?:/|[A-Z]:\\)\S+\.php\(\d+\)`)},
	{"a stack trace", regexp.MustCompile(`\bat [\w.<>` + "`" + `]+\([^)]*\) in \S+\.(?:cs|fs|vb):line \d+|\bSystem\.(?:[A-Z]\w*\.)*\w+Exception\b`)},
	{"a stack trace", regexp.MustCompile(`[\w./-]+\.rb:\d+:in [` + "`'" + `]|thread '[^']+' panicked at|[\w./-]+\.rs:\d+:\d+`)},
	{"a statement or an error of the database", regexp.MustCompile(`SQLSTATE[ \[(]?[0-9A-Z]{5}|\bpq: |\bORA-\d{5}\b|You have an error in your SQL syntax|\bsyntax error at or near\b|(?:UNIQUE|FOREIGN KEY|NOT NULL|CHECK) constraint failed|\bviolates (?:unique|foreign key|not-null|check) constraint\b|\bSQLITE_[A-Z]+\b|\bDuplicate entry '[^']*' for key\b|\bpsycopg2?\.|\bsqlalchemy\.exc\b|\bno such (?:table|column): `)},
	{"a statement or an error of the database", regexp.MustCompile(`\bSELECT\s+(?:\*|[\w.",\s` + "`" + `]{1,200}?)\s+FROM\s+[\w."` + "`" + `]+|\bINSERT INTO\s+[\w."` + "`" + `]+\s*\(|\bUPDATE\s+[\w."` + "`" + `]+\s+SET\s+\w+\s*=|\bDELETE FROM\s+[\w."` + "`" + `]+\s+WHERE\b`)},
	{"a path of its files", regexp.MustCompile(`(?:^|[\s"'(=:,])/(?:home|usr|var|opt|srv|etc|root|tmp|Users|app|go/src|workspace)/[\w./@+-]*\.(?:go|py|js|ts|rb|php|java|class|jar|cs|rs|c|cc|cpp|so|db|sqlite3?|conf|cfg|ini|env|ya?ml|log|pem|key|sock)\b`)},
	{"a path of its files", regexp.MustCompile(`\b[A-Z]:\\{1,2}(?:[\w .-]+\\{1,2})+[\w.-]+`)},
	{"a name or address inside its network", regexp.MustCompile(`\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:internal|svc|svc\.cluster\.local|cluster\.local|corp|intranet|lan|localdomain)\b(?:[:/]\d*)?`)},
	{"a name or address inside its network", regexp.MustCompile(`\b(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}\b(?::\d{2,5})?|\bdial (?:tcp|udp|unix) \S+|\bECONNREFUSED \S+|\bgetaddrinfo ENOTFOUND \S+|\blookup [\w.-]+: no such host`)},
}

// inspected is how much of an error is looked through for what it reveals.
const inspected = 64 << 10

// leaks judges what an answer reveals, or reflects.
func (v *verdict) leaks(body []byte, media string) {
	v.reflected(body, media)
	if v.answer.Status < 400 {
		return
	}
	text := string(body[:min(len(body), inspected)])
	severity := finding.Should
	if v.r.strict(openapi.StrictErrors) {
		severity = finding.Must
	}
	for _, s := range tells {
		match := strings.Trim(s.pattern.FindString(text), " \t\r\n\"'(=:,")
		if match == "" || v.known(match) {
			continue
		}
		v.add(finding.Finding{
			Class: "L4", Severity: severity, RFC: "RFC 9457 5",
			Claim:    fmt.Sprintf("An error (%d) reveals %s.", v.answer.Status, s.what),
			Expected: "what the client can do about it, and nothing of the server's inside", Got: match,
		})
		return // a trace has paths in it
	}
}

// known tells whether a text is no secret: the client sent it, or knows it from the
// document or the address.
func (v *verdict) known(text string) bool {
	for _, part := range sent(v.ex.Request) {
		if strings.Contains(part, text) {
			return true
		}
	}
	return bytes.Contains(v.r.Document.Raw, []byte(text)) || v.r.Base != nil && strings.Contains(v.r.Base.String(), strings.Trim(text, ":/0123456789"))
}

// sent is all text of a request, as it is and decoded.
func sent(request *wire.Request) []string {
	all := []string{request.Target, string(request.Body), string(request.Raw)}
	if decoded, err := url.QueryUnescape(request.Target); err == nil {
		all = append(all, decoded)
	}
	if value, err := decode(request.Body); err == nil {
		all = append(all, strings.Join(strands(value), "\n"))
	}
	for _, f := range request.Header {
		all = append(all, f.Value)
	}
	return all
}

// strands are all strings of a JSON value.
func strands(value any) []string {
	switch x := value.(type) {
	case string:
		return []string{x}
	case []any:
		var all []string
		for _, item := range x {
			all = append(all, strands(item)...)
		}
		return all
	case map[string]any:
		var all []string
		for name, member := range x {
			all = append(append(all, name), strands(member)...)
		}
		return all
	}
	return nil
}

// markup are the types that a browser runs scripts of; empty: it guesses.
var markup = []string{"", "text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"}

// reflected judges that a request does not come back as markup.
func (v *verdict) reflected(body []byte, media string) {
	if !slices.Contains(markup, media) || !bytes.Contains(body, []byte(Canary)) ||
		media == "" && strings.EqualFold(v.answer.Get("X-Content-Type-Options"), "nosniff") {
		return
	}
	severity := finding.Should
	if v.r.strict(openapi.StrictErrors) {
		severity = finding.Must
	}
	v.add(finding.Finding{
		Class: "L6", Severity: severity, RFC: "RFC 9110 17.10",
		Claim:    fmt.Sprintf("The answer to %s gives text of the request back as markup.", v.where()),
		Expected: "text that is escaped, or a type that no browser renders", Got: Canary + " in " + v.answer.Get("Content-Type"),
	})
}

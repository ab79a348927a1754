package report

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// message is a request or an answer as a text: a first line, header lines, and a
// body.
type message struct {
	text []byte
	body int // where it begins
}

func requestMessage(r *wire.Request) message {
	if r.Raw != nil {
		at := bytes.Index(r.Raw, []byte("\r\n\r\n"))
		if at < 0 {
			return message{text: r.Raw, body: len(r.Raw)}
		}
		return message{text: r.Raw, body: at + len("\r\n\r\n")}
	}
	return compose(r.Method+" "+r.Target, r.Header, r.Body)
}

func responseMessage(r *wire.Response) message {
	first, _, _ := strings.Cut(string(r.Head), "\n")
	if first == "" {
		first = r.Proto + " " + r.StatusText()
	}
	m := compose(strings.TrimSuffix(first, "\r"), r.Header, r.Body)
	if len(r.Extra) > 0 {
		m.text = fmt.Appendf(m.text, "\n[then %d bytes that should not be there]\n%s", len(r.Extra), clip(r.Extra))
	}
	return m
}

func compose(first string, header []wire.Field, body []byte) message {
	text := []byte(first + "\n")
	for _, f := range header {
		text = append(text, f.Name+": "+f.Value+"\n"...)
	}
	if len(body) == 0 {
		return message{text: text, body: len(text)}
	}
	text = append(text, '\n')
	return message{text: append(text, clip(pretty(body))...), body: len(text)}
}

func clip(body []byte) []byte {
	if len(body) <= longestBody || plainLength(body) <= longestBody {
		return body
	}
	return fmt.Appendf(slices.Clip(body[:longestBody]), "\n… %d more bytes", len(body)-longestBody)
}

// plainLength is the length of a body whose long lines are cut.
func plainLength(body []byte) int {
	n := 0
	for l := range bytes.SplitSeq(body, []byte("\n")) {
		n += min(len(l), longestLine) + 1
	}
	return n
}

// find gives where a part is in the message.
func (m message) find(p finding.Part) []mark {
	line := mark{0, len(m.text)}
	if end := bytes.IndexByte(m.text, '\n'); end >= 0 {
		line.to = end
	}
	first := string(m.text[:line.to])
	switch p.In {
	case "status":
		return []mark{line}
	case "method":
		method, _, _ := strings.Cut(first, " ")
		return []mark{{0, len(method)}}
	case "path", "query":
		return m.target(first, p)
	case "header", "cookie":
		return m.header(p)
	case "body":
		return m.value(p.Name)
	}
	return nil
}

func (message) target(first string, p finding.Part) []mark {
	method, target, _ := strings.Cut(strings.TrimSuffix(strings.TrimSuffix(first, "\r"), " HTTP/1.1"), " ")
	from := len(method) + 1
	path, query, ok := strings.Cut(target, "?")
	if p.In == "path" {
		return []mark{{from, from + len(path)}}
	}
	if !ok {
		return nil
	}
	from += len(path) + 1
	if p.Name == "" {
		return []mark{{from, from + len(query)}}
	}
	var all []mark
	for _, pair := range strings.Split(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if base, _, _ := strings.Cut(name, "["); base == p.Name || name == p.Name {
			all = append(all, mark{from, from + len(pair)})
		}
		from += len(pair) + 1
	}
	return all
}

func (m message) header(p finding.Part) []mark {
	var all []mark
	at := 0
	for i, l := range bytes.SplitAfter(m.text[:m.body], []byte("\n")) {
		name, _, ok := strings.Cut(string(l), ":")
		if ok && i > 0 && (p.Name == "" || strings.EqualFold(strings.TrimSpace(name), p.Name)) || p.In == "cookie" && strings.EqualFold(name, "Cookie") {
			all = append(all, mark{at, at + len(bytes.TrimRight(l, "\r\n"))})
		}
		at += len(l)
	}
	return all
}

// value finds a JSON value by its pointer.
func (m message) value(pointer string) []mark {
	if pointer == "" {
		return []mark{{m.body, len(m.text)}}
	}
	var all []mark
	locate(m.text[m.body:], func(p string, at mark) {
		if p == pointer {
			all = append(all, mark{m.body + at.from, m.body + at.to})
		}
	})
	return all
}

// member finds the members of objects with a name, wherever they are.
func (m message) member(name string) []mark {
	var all []mark
	end := "/" + name
	locate(m.text[m.body:], func(p string, at mark) {
		if strings.HasSuffix(p, end) {
			all = append(all, mark{m.body + at.from, m.body + at.to})
		}
	})
	return all
}

var (
	property = regexp.MustCompile(`^.*/properties/([^/]+)`)
	heading  = regexp.MustCompile(`/headers/([^/]+)`)
	statuses = regexp.MustCompile(`(^|[^0-9])([1-9][0-9][0-9])($|[^0-9])`)
)

// highlight gives the spans of the request and the answer of a finding's last
// step. What the finding does not say itself is guessed from the clause and what
// was got; a wrong guess marks something true, but less important.
func highlight(f *finding.Finding, request, answer message) (sent, got []span) {
	var inRequest, inAnswer []mark
	for _, p := range f.Changed {
		if p.Answer {
			inAnswer = append(inAnswer, answer.find(p)...)
		} else {
			inRequest = append(inRequest, request.find(p)...)
		}
	}
	if len(inRequest) == 0 {
		if name := property.FindStringSubmatch(f.Pointer); name != nil && f.Class != "" && f.Class[0] != 'D' {
			inRequest = request.member(name[1])
		}
	}
	if len(inAnswer) == 0 {
		inAnswer = guess(f, answer)
	}
	return spans(request.text, inRequest), spans(answer.text, inAnswer)
}

func guess(f *finding.Finding, answer message) []mark {
	var all []mark
	for _, s := range statuses.FindAllStringSubmatch(f.Got, -1) {
		if line, _, _ := strings.Cut(string(answer.text), "\n"); strings.Contains(line, " "+s[2]) {
			all = append(all, answer.find(finding.Part{In: "status"})...)
		}
	}
	if name := heading.FindStringSubmatch(f.Pointer); name != nil {
		all = append(all, answer.find(finding.Part{In: "header", Name: name[1]})...)
	}
	if name := property.FindStringSubmatch(f.Pointer); name != nil && f.Class != "" && f.Class[0] == 'D' {
		all = append(all, answer.member(name[1])...)
	}
	return all
}

// failure says why there is no answer.
func failure(ex *wire.Exchange, mask *wire.Masker) string {
	if ex.Err == nil {
		return "[no answer]"
	}
	return "[" + mask.Text(ex.Err.Error()) + "]"
}

func itoa(n int) string { return strconv.Itoa(n) }

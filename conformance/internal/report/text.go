package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes a text harmless for terminals, pages and parsers, and shows what
// was in it: control characters but line feed and tab, characters that cannot be
// seen or turn others around, and bytes that are not UTF-8 become escapes as in
// Go, such as \x1b or \u202e.
func Clean(s string) string {
	if strings.IndexFunc(s, hidden) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !hidden(r):
			b.WriteRune(r)
		case r == '\r':
			b.WriteString(`\r`)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// hidden: those of categories C and Z that are neither blank nor line break.
// Joiners are needed within emoji, but here it matters more that they are there.
func hidden(r rune) bool {
	return r != '\n' && r != '\t' && r != ' ' && !unicode.IsPrint(r) || r >= 0xfe00 && r <= 0xfe0f || r >= 0xe0100 && r <= 0xe01ef
}

// single makes one line of a text.
func single(s string) string {
	return strings.Join(strings.Fields(Clean(s)), " ")
}

// sentence begins with a capital, and has no full stop, so that more can follow.
func sentence(s string) string {
	if s = strings.TrimSuffix(single(s), "."); s == "" {
		return ""
	}
	r, n := utf8.DecodeRuneInString(s)
	// names of operations and properties stay as they are
	if word, _, _ := strings.Cut(s, " "); strings.IndexFunc(word[min(n, len(word)):], func(r rune) bool { return !unicode.IsLower(r) }) >= 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// Bounds of what is shown of a message: a line without a break is cut in its
// middle, a body at its end. In bytes, roughly.
const (
	longestLine = 400
	longestBody = 8 << 10
)

// span is a piece of a text, which may be marked.
type span struct {
	Text string
	Mark bool
}

// mark is a range of bytes.
type mark struct{ from, to int }

// spans cuts a text at its marks, and makes each piece fit to be shown.
func spans(text []byte, marks []mark) []span {
	marked := make([]bool, len(text)+1)
	for _, m := range marks {
		for i := max(m.from, 0); i < min(m.to, len(text)); i++ {
			marked[i] = true
		}
	}
	var all []span
	for from := 0; from < len(text); {
		to := from + 1
		for to < len(text) && marked[to] == marked[from] {
			to++
		}
		all = append(all, span{Text: shorten(Clean(strings.ReplaceAll(string(text[from:to]), "\r\n", "\n"))), Mark: marked[from]})
		from = to
	}
	return all
}

// shorten cuts long lines in their middle.
func shorten(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if len(l) > longestLine {
			head, tail := whole(l[:longestLine*2/3]), l[len(l)-longestLine/6:]
			for len(tail) > 0 && !utf8.RuneStart(tail[0]) {
				tail = tail[1:]
			}
			lines[i] = fmt.Sprintf("%s … %d more bytes … %s", head, len(l)-len(head)-len(tail), tail)
		}
	}
	return strings.Join(lines, "\n")
}

// whole drops what is left of a character that was cut.
func whole(s string) string {
	for n := 1; n < utf8.UTFMax && n <= len(s); n++ {
		if c := s[len(s)-n]; utf8.RuneStart(c) {
			if !utf8.FullRuneInString(s[len(s)-n:]) {
				return s[:len(s)-n]
			}
			break
		}
	}
	return s
}

// pretty indents JSON, and leaves all else as it is.
func pretty(body []byte) []byte {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' {
		return body
	}
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") != nil {
		return body
	}
	return b.Bytes()
}

// plain joins spans.
func plain(all []span) string {
	var b strings.Builder
	for _, s := range all {
		b.WriteString(s.Text)
	}
	return b.String()
}

// locate finds values in a JSON text: with the name before them, if they have
// one. It calls found for each value, those within others first, until the text
// ends or is no JSON.
func locate(text []byte, found func(pointer string, at mark)) {
	l := locator{text: text, decoder: json.NewDecoder(bytes.NewReader(text)), found: found}
	l.decoder.UseNumber()
	l.value("", -1)
}

type locator struct {
	text    []byte
	decoder *json.Decoder
	found   func(string, mark)
}

// start is where the next token begins.
func (l *locator) start() int {
	at := int(l.decoder.InputOffset())
	for at < len(l.text) && strings.IndexByte(" \t\r\n,:", l.text[at]) >= 0 {
		at++
	}
	return at
}

func (l *locator) value(pointer string, from int) bool {
	if from < 0 {
		from = l.start()
	}
	token, err := l.decoder.Token()
	if err != nil {
		return false
	}
	if open, ok := token.(json.Delim); ok {
		for i := 0; l.decoder.More(); i++ {
			at, name := -1, strconv.Itoa(i)
			if open == '{' {
				at = l.start()
				key, err := l.decoder.Token()
				if err != nil {
					return false
				}
				name, _ = key.(string)
			}
			if !l.value(pointer+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), at) {
				return false
			}
		}
		if _, err := l.decoder.Token(); err != nil {
			return false
		}
	}
	l.found(pointer, mark{from, int(l.decoder.InputOffset())})
	return true
}

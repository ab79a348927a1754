package wire

import (
	"fmt"
	"strings"
)

// quote makes one word of a POSIX shell: text in single quotes where it needs
// any, secrets as variables.
func quote(pieces []piece) string {
	var b strings.Builder
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			b.WriteString(quoted(text.String()))
			text.Reset()
		}
	}
	for _, p := range pieces {
		if p.variable == "" {
			text.WriteString(p.text)
			continue
		}
		flush()
		b.WriteString(`"$` + p.variable + `"`)
	}
	flush()
	if b.Len() == 0 {
		return "''"
	}
	return b.String()
}

func quoted(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,", r)
	}
	if strings.TrimFunc(s, plain) == "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Repetitions that are worth a command: of how many bytes at most, and how long
// altogether at least.
const (
	period    = 16
	leastRuns = 256
)

// printing makes commands that print the pieces: printf for text, and a loop of
// head or yes for what repeats itself.
func printing(pieces []piece) string {
	var commands []string
	var format strings.Builder
	var arguments []string
	flush := func() {
		if format.Len() > 0 {
			text := format.String()
			if text[0] == '-' { // printf would take it as an option
				text = `\055` + text[1:]
			}
			commands = append(commands, strings.Join(append([]string{"printf '" + text + "'"}, arguments...), " "))
			format.Reset()
			arguments = nil
		}
	}
	for _, p := range pieces {
		if p.variable != "" {
			format.WriteString("%s")
			arguments = append(arguments, `"$`+p.variable+`"`)
			continue
		}
		from := 0 // of what is not printed yet
		for at := 0; at < len(p.text); {
			unit, times := repetition(p.text[at:])
			if times == 0 {
				at++
				continue
			}
			escape(&format, p.text[from:at])
			flush()
			commands = append(commands, repeat(unit, times))
			at += len(unit) * times
			from = at
		}
		escape(&format, p.text[from:])
	}
	flush()
	switch len(commands) {
	case 0:
		return "printf ''"
	case 1:
		return commands[0]
	}
	return "{ " + strings.Join(commands, "; ") + "; }"
}

// repetition finds what repeats itself at the beginning of s; 0: nothing does, or
// not for long.
func repetition(s string) (string, int) {
	if len(s) < leastRuns {
		return "", 0
	}
	for n := 1; n <= period; n++ {
		if s[:n] != s[n:2*n] {
			continue
		}
		end := n
		for end < len(s) && s[end] == s[end-n] {
			end++
		}
		if end >= leastRuns && (n == 1 || s[0] != '-' && !strings.ContainsAny(s[:n], "\n\x00")) {
			return s[:n], end / n
		}
	}
	return "", 0
}

func repeat(unit string, times int) string {
	var b strings.Builder
	if len(unit) == 1 {
		escape(&b, unit)
		if unit == "\\" || unit == "-" || unit == "%" || unit == "'" {
			b.Reset()
			fmt.Fprintf(&b, `\%03o`, unit[0])
		}
		return fmt.Sprintf("head -c %d /dev/zero | tr '\\000' '%s'", times, b.String())
	}
	escape(&b, unit)
	return fmt.Sprintf(`yes "$(printf '%s')" | head -n %d | tr -d '\n'`, b.String(), times)
}

// escape writes a text as printf's format, in single quotes.
func escape(b *strings.Builder, s string) {
	for _, r := range s {
		if r == 0xfffd { // perhaps no character: bytes are sure
			escapeBytes(b, s)
			return
		}
	}
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\\':
			b.WriteString(`\\`)
		case r == '%':
			b.WriteString(`%%`)
		case r == '\'' || !readable(string(r)):
			escapeBytes(b, string(r))
		default:
			b.WriteRune(r)
		}
	}
}

func escapeBytes(b *strings.Builder, s string) {
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x7f && c != '\\' && c != '%' && c != '\'' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(b, `\%03o`, c)
		}
	}
}

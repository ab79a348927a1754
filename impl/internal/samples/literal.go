package samples

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"gopkg.in/yaml.v3"
)

// notation is how a language writes values.
type notation struct {
	object, list      [2]string // what they are between
	emptyObject       string
	pair              func(key string) string // a name, and what is between it and its value
	text              func(string) string
	null, true, false string
	number            func(json.Number) string // nil: as in JSON
	trailing          bool                     // a comma after the last element, if each has its own line
	inner             string                   // within the braces of an object on one line
	indent            string                   // of one level
}

// width is what a line may have before what is in it gets lines of its own.
const width = 80

// literal writes a value, whose first line comes after lead characters, and
// whose further lines begin with margin. Objects and lists without others inside
// are put on one line if they fit.
func (n notation) literal(v *yaml.Node, margin string, lead int) (string, error) {
	v = direct(v)
	if v.Kind == yaml.ScalarNode {
		return n.scalar(v)
	}
	if len(v.Content) == 0 && v.Kind == yaml.MappingNode {
		return n.emptyObject, nil
	}
	if len(v.Content) == 0 {
		return n.list[0] + n.list[1], nil
	}
	if line, fits, err := n.line(v, lead); fits || err != nil {
		return line, err
	}
	between, step, inside := n.list, 1, margin+n.indent
	if v.Kind == yaml.MappingNode {
		between, step = n.object, 2
	}
	var b strings.Builder
	b.WriteString(between[0] + "\n")
	for i := 0; i < len(v.Content); i += step {
		key := ""
		if step == 2 {
			key = n.pair(v.Content[i].Value)
		}
		value, err := n.literal(v.Content[i+step-1], inside, len([]rune(inside+key)))
		if err != nil {
			return "", err
		}
		b.WriteString(inside + key + value)
		if n.trailing || i+step < len(v.Content) {
			b.WriteString(",")
		}
		b.WriteString("\n")
	}
	return b.String() + margin + between[1], nil
}

// line writes an object or a list on one line, and tells whether it fits.
func (n notation) line(v *yaml.Node, lead int) (line string, fits bool, err error) {
	between, step, inner := n.list, 1, ""
	if v.Kind == yaml.MappingNode {
		between, step, inner = n.object, 2, n.inner
	}
	var parts []string
	for i := 0; i < len(v.Content); i += step {
		value := direct(v.Content[i+step-1])
		if value.Kind != yaml.ScalarNode {
			return "", false, nil
		}
		part, err := n.scalar(value)
		if err != nil {
			return "", false, err
		}
		if step == 2 {
			part = n.pair(v.Content[i].Value) + part
		}
		parts = append(parts, part)
	}
	line = between[0] + inner + strings.Join(parts, ", ") + inner + between[1]
	const after = 2 // characters: a parenthesis and a comma
	return line, lead+len([]rune(line))+after <= width, nil
}

func (n notation) scalar(v *yaml.Node) (string, error) {
	switch v.ShortTag() {
	case "!!null":
		return n.null, nil
	case "!!bool":
		var yes bool
		if err := v.Decode(&yes); err != nil {
			return "", err
		}
		if yes {
			return n.true, nil
		}
		return n.false, nil
	case "!!int", "!!float":
		number, err := jsonNumber(v)
		if err != nil || n.number == nil {
			return string(number), err
		}
		return n.number(number), nil
	default: // strings, and dates, which are strings in JSON
		return n.text(v.Value), nil
	}
}

// jsonNumber gives a number of YAML, which may be in hexadecimal, as JSON has it.
func jsonNumber(v *yaml.Node) (json.Number, error) {
	if json.Valid([]byte(v.Value)) {
		return json.Number(v.Value), nil
	}
	var decoded any
	if err := v.Decode(&decoded); err != nil {
		return "", err
	}
	raw, err := json.Marshal(decoded)
	if err != nil {
		return "", fmt.Errorf("%s is no number of JSON: %w", v.Value, err)
	}
	return json.Number(raw), nil
}

// The notations. What the contract's examples are made of are JSON's values, and
// every one of them has a literal in each of these languages.
var (
	jsonNotation = notation{
		object: [2]string{"{", "}"}, list: [2]string{"[", "]"}, emptyObject: "{}",
		pair: func(key string) string { return jsonText(key) + ": " },
		text: jsonText, null: "null", true: "true", false: "false", indent: "  ",
	}
	goNotation = notation{
		object: [2]string{"map[string]any{", "}"}, list: [2]string{"[]any{", "}"}, emptyObject: "map[string]any{}",
		pair: func(key string) string { return strconv.Quote(key) + ": " },
		text: strconv.Quote, null: "nil", true: "true", false: "false", trailing: true, indent: "\t",
	}
	phpNotation = notation{
		object: [2]string{"[", "]"}, list: [2]string{"[", "]"}, emptyObject: "new stdClass()",
		pair: func(key string) string { return phpText(key) + " => " },
		text: phpText, null: "null", true: "true", false: "false", trailing: true, indent: "    ",
	}
	pythonNotation = notation{
		object: [2]string{"{", "}"}, list: [2]string{"[", "]"}, emptyObject: "{}",
		pair: func(key string) string { return pythonText(key) + ": " },
		text: pythonText, null: "None", true: "True", false: "False", trailing: true, indent: "    ",
	}
	typescriptNotation = notation{
		object: [2]string{"{", "}"}, list: [2]string{"[", "]"}, emptyObject: "{}",
		pair: func(key string) string {
			if identifier.MatchString(key) {
				return key + ": "
			}
			return jsonText(key) + ": "
		},
		text: jsonText, null: "null", true: "true", false: "false", trailing: true, inner: " ", indent: "  ",
	}
	rustNotation = notation{
		object: [2]string{"{", "}"}, list: [2]string{"[", "]"}, emptyObject: "{}",
		pair: func(key string) string { return rustText(key) + ": " },
		text: rustText, null: "null", true: "true", false: "false", number: rustNumber, trailing: true, indent: "    ",
	}
	rubyNotation = notation{
		object: [2]string{"{", "}"}, list: [2]string{"[", "]"}, emptyObject: "{}",
		pair: func(key string) string {
			if identifier.MatchString(key) {
				return key + ": "
			}
			return rubyText(key) + ": "
		},
		text: rubyText, null: "nil", true: "true", false: "false", indent: "  ",
	}
)

// identifier is a name that needs no quotes, in JavaScript nor in Ruby.
var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// rustNumber marks those that an i32 is too small for, which would not compile.
func rustNumber(n json.Number) string {
	if i, err := n.Int64(); err == nil && (i > math.MaxInt32 || i < math.MinInt32) {
		return n.String() + "_i64"
	}
	return n.String()
}

// quote writes a text between double quotes. escapes says what to write for
// those characters that have a name, and other for what cannot be seen.
func quote(s string, escapes map[rune]string, other func(rune) string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch escape, there := escapes[r]; {
		case there:
			b.WriteString(escape)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(other(r))
		}
	}
	b.WriteByte('"')
	return b.String()
}

// jsonText is for JSON, and for JavaScript as well.
func jsonText(s string) string {
	return quote(s, map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`}, func(r rune) string {
		if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
			return fmt.Sprintf(`\u%04x\u%04x`, high, low)
		}
		return fmt.Sprintf(`\u%04x`, r)
	})
}

func pythonText(s string) string {
	return quote(s, map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`}, func(r rune) string {
		if r > 0xffff {
			return fmt.Sprintf(`\U%08x`, r)
		}
		return fmt.Sprintf(`\u%04x`, r)
	})
}

func rustText(s string) string {
	return quote(s, map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`}, braced)
}

// rubyText escapes # too, which begins an interpolation before a brace, and
// before a variable's sign.
func rubyText(s string) string {
	quoted := quote(s, map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`}, braced)
	return strings.NewReplacer("#{", `\#{`, "#$", `\#$`, "#@", `\#@`).Replace(quoted)
}

// phpText prefers single quotes, in which nothing but themselves and backslashes
// mean something.
func phpText(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
	}
	return quote(s, map[rune]string{'"': `\"`, '\\': `\\`, '$': `\$`, '\n': `\n`, '\r': `\r`, '\t': `\t`}, braced)
}

func braced(r rune) string { return fmt.Sprintf(`\u{%x}`, r) }

// shellText is the inside of a word in single quotes.
func shellText(s string) string { return strings.ReplaceAll(s, "'", `'\''`) }

// textBlock is the inside of a Java text block.
func textBlock(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"""`, `\"""`).Replace(s)
}

package schema

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

// patternTimeout is how long a pattern may take on one string: documents may have
// patterns that take exponential time.
const patternTimeout = 2 * time.Second

// Pattern is a regular expression of ECMA 262, read as with its flag u, as JSON
// Schema demands (2020-12 Core, 6.4). It is not anchored.
type Pattern struct {
	source string
	re     *regexp2.Regexp
}

// CompilePattern reads a regular expression.
func CompilePattern(pattern string) (Pattern, error) {
	re, err := regexp2.Compile(translate(pattern), regexp2.ECMAScript|regexp2.Unicode)
	if err != nil {
		return Pattern{}, fmt.Errorf("the pattern %q: %w", pattern, err)
	}
	re.MatchTimeout = patternTimeout
	return Pattern{pattern, re}, nil
}

// String gives the pattern as it is written.
func (p Pattern) String() string { return p.source }

// MatchString says whether the pattern is found in the text. One that cannot be
// judged, in time or at all, is taken to be found: nobody is to be accused by it.
func (p Pattern) MatchString(text string) bool {
	if p.re == nil {
		return true
	}
	ok, err := p.re.MatchString(text)
	return ok || err != nil
}

var (
	property   = regexp.MustCompile(`^\\[pP]\{(?:Script|sc|Script_Extensions|scx|General_Category|gc)=(\w+)\}`)
	categories = strings.NewReplacer(
		"{Letter}", "{L}", "{Uppercase_Letter}", "{Lu}", "{Lowercase_Letter}", "{Ll}", "{Mark}", "{M}",
		"{Number}", "{N}", "{Decimal_Number}", "{Nd}", "{Punctuation}", "{P}", "{Symbol}", "{S}",
		"{Separator}", "{Z}", "{Space_Separator}", "{Zs}", "{Other}", "{C}", "{Control}", "{Cc}",
		"{Alphabetic}", "{L}",
	)
)

// translate writes for the engine what it reads otherwise than ECMA 262: $ is
// the very end, not before a last newline; . is no line separator; and the
// properties that have a name and a value.
func translate(pattern string) string {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\' && i+1 < len(pattern):
			if m := property.FindStringSubmatch(pattern[i:]); m != nil {
				b.WriteString(pattern[i:i+2] + categories.Replace("{"+m[1]+"}"))
				i += len(m[0]) - 1
				continue
			}
			if end := strings.IndexByte(pattern[i:], '}'); (pattern[i+1] == 'p' || pattern[i+1] == 'P') && end > 0 {
				b.WriteString(categories.Replace(pattern[i : i+end+1]))
				i += end
				continue
			}
			b.WriteByte(c)
			i++
			b.WriteByte(pattern[i])
			continue
		case c == '[':
			inClass = true
		case c == ']':
			inClass = false
		case c == '$' && !inClass:
			b.WriteString(`\z`)
			continue
		case c == '.' && !inClass:
			b.WriteString(`[^\n\r\u2028\u2029]`)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

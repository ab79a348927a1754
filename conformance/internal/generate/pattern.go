package generate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"cryptoexchange.com/escrow/conformance/internal/schema"
)

// flavour is which characters are preferred where a pattern leaves a choice.
type flavour int

const (
	plain  flavour = iota // letters and digits
	varied                // any of the class, as long as it can be seen
	astral                // beyond U+FFFF: four bytes of UTF-8, two units of UTF-16
)

// pattern is a regular expression of ECMA 262 from which strings are made. It is
// read as a program for a machine with states, of which a walk that ends after a
// wanted number of code points is taken at random.
//
// What the program cannot say (look-around, word boundaries) is left out of it,
// and what is made is tried against the expression as it is written.
type pattern struct {
	text  string
	exact schema.Pattern
	prog  *syntax.Prog
	mixed bool // what was left out asks for several kinds of characters

	mu sync.Mutex
	// can[n][pc]: from pc, a match can be had with exactly n more code points, at
	// a place that is not the beginning.
	can [][]bool
	// whole[n]: a match of exactly n code points can be had.
	whole []bool
}

// patterns are those that were compiled.
var patterns = struct {
	sync.Mutex
	byText map[string]compiled
}{byText: map[string]compiled{}}

type compiled struct {
	pattern *pattern
	err     error
}

// errPattern means that no strings can be made from a pattern.
var errPattern = errors.New("pattern is beyond the generator")

const (
	maxText   = 20_000 // code points that a pattern's string may have
	maxStates = 20_000 // of a pattern's program
	maxTries  = 200
)

// patternOf compiles a pattern, or takes it from those that are compiled.
func patternOf(text string) (*pattern, error) {
	patterns.Lock()
	defer patterns.Unlock()
	c, ok := patterns.byText[text]
	if !ok {
		c.pattern, c.err = compilePattern(text)
		patterns.byText[text] = c
	}
	return c.pattern, c.err
}

func compilePattern(text string) (*pattern, error) {
	exact, err := schema.CompilePattern(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPattern, err)
	}
	p := &pattern{text: text, exact: exact}
	translated, look, err := translate(text)
	if err != nil {
		return nil, err
	}
	p.mixed = look
	// What surrounds a match that is not anchored may be anything.
	re, err := syntax.Parse("[0-9a-z]*(?:"+translated+")[0-9a-z]*", syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPattern, err)
	}
	p.prog, err = syntax.Compile(re.Simplify())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPattern, err)
	}
	if len(p.prog.Inst) > maxStates {
		return nil, fmt.Errorf("%w: %d states", errPattern, len(p.prog.Inst))
	}
	return p, nil
}

// matches tells whether a string is one of the pattern.
func (p *pattern) matches(text string) bool {
	return p.exact.MatchString(text)
}

// make gives a string of at least low and, unless it is negative, at most high
// code points. It prefers a length of about want.
func (p *pattern) make(rng *rand.Rand, f flavour, low, high, want int) (string, error) {
	if high < 0 {
		high = max(low, want) + 64
	}
	high = min(high, maxText)
	if len(p.prog.Inst)*(high+1) > 50_000_000 {
		high = max(low, min(high, 50_000_000/len(p.prog.Inst)))
	}
	lengths := p.lengths(low, high)
	if len(lengths) == 0 {
		return "", fmt.Errorf("%w: no string of %d to %d code points", errPattern, low, high)
	}
	slices.SortStableFunc(lengths, func(a, b int) int { return distance(a, want) - distance(b, want) })
	for try := range maxTries {
		n := lengths[min(len(lengths)-1, try*len(lengths)/maxTries)]
		text := p.walk(rng, f, n)
		if p.matches(text) {
			return text, nil
		}
	}
	return "", fmt.Errorf("%w: %q", errPattern, p.text)
}

func distance(a, b int) int { return max(a-b, b-a) }

// lengths are the numbers of code points that strings of the pattern can have.
func (p *pattern) lengths(low, high int) []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.extend(high)
	var list []int
	for n := low; n <= high; n++ {
		if p.whole[n] {
			list = append(list, n)
		}
	}
	return list
}

// extend fills in can up to n.
func (p *pattern) extend(n int) {
	for i := len(p.can); i <= n; i++ {
		p.can = append(p.can, p.closure(i, false))
		p.whole = append(p.whole, p.closure(i, true)[p.prog.Start])
	}
}

// closure tells for each state whether a match can be had with n more code points.
func (p *pattern) closure(n int, start bool) []bool {
	can := make([]bool, len(p.prog.Inst))
	for changed := true; changed; {
		changed = false
		for pc := len(can) - 1; pc >= 0; pc-- {
			if !can[pc] && p.step(can, pc, n, start) {
				can[pc], changed = true, true
			}
		}
	}
	return can
}

func (p *pattern) step(can []bool, pc, n int, start bool) bool {
	in := &p.prog.Inst[pc]
	switch in.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		return can[in.Out] || can[in.Arg]
	case syntax.InstCapture, syntax.InstNop:
		return can[in.Out]
	case syntax.InstEmptyWidth:
		return passes(syntax.EmptyOp(in.Arg), n, start) && can[in.Out]
	case syntax.InstMatch:
		return n == 0
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return n > 0 && p.can[n-1][in.Out]
	default:
		return false
	}
}

func passes(op syntax.EmptyOp, n int, start bool) bool {
	switch {
	case op&(syntax.EmptyBeginText|syntax.EmptyBeginLine) != 0 && !start:
		return false
	case op&(syntax.EmptyEndText|syntax.EmptyEndLine) != 0 && n > 0:
		return false
	}
	return true
}

// walk makes a string of n code points, which must be one of lengths.
func (p *pattern) walk(rng *rand.Rand, f flavour, n int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	pc, start := p.prog.Start, true
	for ; n > 0; n-- {
		next := p.eligible(pc, n, start)
		if len(next) == 0 {
			break
		}
		in := &p.prog.Inst[next[rng.IntN(len(next))]]
		b.WriteRune(p.choose(rng, f, in))
		pc, start = int(in.Out), false
	}
	return b.String()
}

// eligible are the states that take the next code point, of n.
func (p *pattern) eligible(pc, n int, start bool) []int {
	seen := map[int]bool{}
	var list []int
	var visit func(pc int)
	visit = func(pc int) {
		if seen[pc] {
			return
		}
		seen[pc] = true
		in := &p.prog.Inst[pc]
		switch in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			visit(int(in.Out))
			visit(int(in.Arg))
		case syntax.InstCapture, syntax.InstNop:
			visit(int(in.Out))
		case syntax.InstEmptyWidth:
			if passes(syntax.EmptyOp(in.Arg), n, start) {
				visit(int(in.Out))
			}
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			if p.can[n-1][in.Out] {
				list = append(list, pc)
			}
		default:
		}
	}
	visit(pc)
	return list
}

const (
	lowers  = "abcdefghijklmnopqrstuvwxyz"
	uppers  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
	symbols = "!#$%&*+-./:;<=>?@^_~"
)

// choose takes a code point of a state's class.
func (p *pattern) choose(rng *rand.Rand, f flavour, in *syntax.Inst) rune {
	if f == astral && (!p.mixed || rng.IntN(2) == 0) {
		for range 8 {
			if r := rune(0x1F300 + rng.IntN(0x200)); in.MatchRune(r) {
				return r
			}
		}
	}
	sets := []string{lowers + digits, uppers, symbols, " "}
	if p.mixed {
		sets = []string{lowers, uppers, digits, symbols}
		rng.Shuffle(len(sets), func(i, j int) { sets[i], sets[j] = sets[j], sets[i] })
	}
	if f != varied {
		for _, set := range sets {
			if r, ok := pick(rng, set, in); ok {
				return r
			}
		}
	}
	for range 64 {
		if r, ok := anyOf(rng, in); ok && (unicode.IsPrint(r) || in.Op == syntax.InstRune1) {
			return r
		}
	}
	if r, ok := anyOf(rng, in); ok {
		return r
	}
	return 'a'
}

func pick(rng *rand.Rand, set string, in *syntax.Inst) (rune, bool) {
	at := rng.IntN(len(set))
	for i := range len(set) {
		if r := rune(set[(at+i)%len(set)]); in.MatchRune(r) {
			return r, true
		}
	}
	return 0, false
}

// anyOf takes any code point of a class: each range is as likely, lest the
// thousands of one script crowd out the rest.
func anyOf(rng *rand.Rand, in *syntax.Inst) (rune, bool) {
	ranges := in.Rune
	switch {
	case in.Op == syntax.InstRuneAny || in.Op == syntax.InstRuneAnyNotNL:
		ranges = []rune{0x20, 0x7E, 0xA0, 0x24F, 0x370, 0x3FF, 0x4E00, 0x4FFF}
	case len(ranges) == 1:
		return ranges[0], true
	case len(ranges) == 0:
		return 0, false
	}
	i := 2 * rng.IntN(len(ranges)/2)
	r := ranges[i] + rune(rng.IntN(int(min(ranges[i+1]-ranges[i], 0x2FF))+1))
	return r, utf8.ValidRune(r) && in.MatchRune(r)
}

// translate rewrites a pattern of ECMA 262 as Go reads it, without look-around.
func translate(text string) (out string, look bool, err error) {
	var b strings.Builder
	class := false
	for i := 0; i < len(text); {
		switch rest := text[i:]; {
		case rest[0] == '\\':
			n, t, err := translateEscape(rest)
			if err != nil {
				return "", false, err
			}
			b.WriteString(t)
			i += n
		case class:
			class = rest[0] != ']'
			if rest[0] == '[' {
				b.WriteByte('\\')
			}
			b.WriteByte(rest[0])
			i++
		case strings.HasPrefix(rest, "[^]"):
			b.WriteString(`[\s\S]`)
			i += 3
		case rest[0] == '[':
			class = true
			b.WriteByte('[')
			i++
		case isLook(rest):
			n := groupLength(rest)
			if n == 0 {
				return "", false, fmt.Errorf("%w: group is not closed", errPattern)
			}
			look = true
			i += n
		case rest[0] == '{':
			n, t := translateRepeat(rest)
			b.WriteString(t)
			i += n
		default:
			b.WriteByte(rest[0])
			i++
		}
	}
	return b.String(), look, nil
}

func isLook(rest string) bool {
	for _, prefix := range []string{"(?=", "(?!", "(?<=", "(?<!"} {
		if strings.HasPrefix(rest, prefix) {
			return true
		}
	}
	return false
}

// groupLength is the number of bytes of the group that a text begins with.
func groupLength(text string) int {
	depth, class := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// translateRepeat loosens {n,m} beyond what Go allows: what comes out is tried
// against the pattern itself, and bounded by the wanted length.
func translateRepeat(rest string) (n int, out string) {
	end := strings.IndexByte(rest, '}')
	if end < 0 {
		return 1, `\{`
	}
	low, high, comma := strings.Cut(rest[1:end], ",")
	l, err := strconv.Atoi(low)
	if err != nil {
		return 1, `\{`
	}
	if h, err := strconv.Atoi(high); comma && err == nil && h > 1000 || l > 1000 {
		return end + 1, "{" + strconv.Itoa(min(l, 1000)) + ",}"
	}
	return end + 1, rest[:end+1]
}

func translateEscape(rest string) (n int, out string, err error) {
	if len(rest) < 2 {
		return 0, "", fmt.Errorf("%w: ends in a backslash", errPattern)
	}
	switch c := rest[1]; c {
	case 'u':
		return translateUnicode(rest)
	case 'c':
		if len(rest) > 2 {
			return 3, fmt.Sprintf(`\x%02X`, rest[2]%32), nil
		}
	case '0':
		return 2, `\x00`, nil
	case '1', '2', '3', '4', '5', '6', '7', '8', '9', 'k':
		return 0, "", fmt.Errorf("%w: it refers back", errPattern)
	case 'p', 'P':
		if end := strings.IndexByte(rest, '}'); end > 3 && rest[2] == '{' {
			name := rest[3:end]
			name = name[strings.LastIndexByte(name, '=')+1:]
			return end + 1, `\` + string(c) + "{" + name + "}", nil
		}
	}
	_, size := utf8.DecodeRuneInString(rest[1:])
	return 1 + size, rest[:1+size], nil
}

func translateUnicode(rest string) (n int, out string, err error) {
	if strings.HasPrefix(rest, `\u{`) {
		if end := strings.IndexByte(rest, '}'); end > 0 {
			return end + 1, `\x{` + rest[3:end] + "}", nil
		}
	}
	unit := func(s string) (rune, bool) {
		if len(s) < 6 || s[:2] != `\u` {
			return 0, false
		}
		v, err := strconv.ParseUint(s[2:6], 16, 16)
		return rune(v), err == nil
	}
	high, ok := unit(rest)
	if !ok {
		return 0, "", fmt.Errorf("%w: bad \\u", errPattern)
	}
	if high >= 0xD800 && high < 0xDC00 {
		if low, ok := unit(rest[6:]); ok && low >= 0xDC00 && low < 0xE000 {
			return 12, fmt.Sprintf(`\x{%X}`, 0x10000+(high-0xD800)<<10+(low-0xDC00)), nil
		}
	}
	return 6, fmt.Sprintf(`\x{%X}`, high), nil
}

package mutate

import (
	"regexp/syntax"
	"strings"
)

// negateFirst changes a pattern (ECMA 262) so that its first class of characters
// is what is not in it: [A-Z] becomes [^A-Z], \d becomes \D. A pattern without a
// class is given a character at its beginning that it did not have.
func negateFirst(pattern string) string {
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '[' && strings.HasPrefix(pattern[i+1:], "^"):
			return pattern[:i+1] + pattern[i+2:]
		case c == '[':
			return pattern[:i+1] + "^" + pattern[i+1:]
		case c == '\\' && i+1 < len(pattern):
			if next := pattern[i+1]; strings.IndexByte("dDwWsS", next) >= 0 {
				return pattern[:i+1] + string(next^0x20) + pattern[i+2:]
			}
			i++
		}
	}
	if rest, ok := strings.CutPrefix(pattern, "^"); ok {
		return "^~(?:" + rest + ")"
	}
	return "^~(?:" + pattern + ")"
}

// hasLength tells whether some string of exactly n code points is matched by a
// pattern; sure is false if that is not known. It follows the states of the
// pattern's automaton through n characters of any kind.
func hasLength(pattern string, n int) (has, sure bool) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil || strings.Contains(pattern, `\u`) || n > 10_000 {
		return false, false
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return false, false
	}
	for _, in := range prog.Inst {
		if in.Op == syntax.InstEmptyWidth && syntax.EmptyOp(in.Arg)&^(syntax.EmptyBeginText|syntax.EmptyEndText) != 0 {
			return false, false
		}
	}
	a := automaton{prog: prog, n: n}
	states := a.closure(map[uint32]bool{}, uint32(prog.Start), 0)
	for k := range n {
		if states[a.accept()] {
			return true, true // and anything may follow
		}
		next := map[uint32]bool{}
		for pc := range states {
			in := prog.Inst[pc]
			switch in.Op {
			case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
				if in.Op != syntax.InstRune || len(in.Rune) > 0 {
					a.closure(next, in.Out, k+1)
				}
			default: // it takes no character
			}
		}
		states = a.closure(next, uint32(prog.Start), k+1) // a match may begin anywhere
	}
	return states[a.accept()], true
}

// automaton is a compiled pattern that is run on texts of n characters.
type automaton struct {
	prog *syntax.Prog
	n    int
}

// accept is the state of a match.
func (a automaton) accept() uint32 {
	for pc, in := range a.prog.Inst {
		if in.Op == syntax.InstMatch {
			return uint32(pc)
		}
	}
	return 0
}

// closure adds a state, and those that it leads to without a character, at the
// place k of the text.
func (a automaton) closure(states map[uint32]bool, pc uint32, k int) map[uint32]bool {
	if states[pc] {
		return states
	}
	in := a.prog.Inst[pc]
	switch in.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		states[pc] = true
		a.closure(states, in.Out, k)
		a.closure(states, in.Arg, k)
	case syntax.InstCapture, syntax.InstNop:
		states[pc] = true
		a.closure(states, in.Out, k)
	case syntax.InstEmptyWidth:
		op := syntax.EmptyOp(in.Arg)
		if (op&syntax.EmptyBeginText == 0 || k == 0) && (op&syntax.EmptyEndText == 0 || k == a.n) {
			a.closure(states, in.Out, k)
		}
	default:
		states[pc] = true
	}
	return states
}

package checker

import (
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// matcher is a compiled pattern.
type matcher interface {
	Match(text []byte) bool
}

// automaton is a pattern as a deterministic finite automaton over classes of
// characters. Package regexp runs the same program without making it
// deterministic, which takes ten times as long and more.
type automaton struct {
	ascii   [utf8.RuneSelf]uint8
	bounds  []rune // where classes begin, in order; the first begins at 0
	next    []uint16
	classes int
	accepts []bool // at the end of the text, by state
}

// States that nothing leads out of.
const (
	stateFail  = 0
	stateMatch = 1
)

// What an automaton may have. Patterns that need more go to package regexp.
const (
	maxStates  = 1024
	maxClasses = 64
)

// Match tells whether there is a match in valid UTF-8.
func (a *automaton) Match(text []byte) bool {
	state := 2
	for i := 0; i < len(text); {
		var class int
		if c := text[i]; c < utf8.RuneSelf {
			class = int(a.ascii[c])
			i++
		} else {
			r, size := utf8.DecodeRune(text[i:])
			class = a.class(r)
			i += size
		}
		state = int(a.next[state*a.classes+class])
		if state <= stateMatch {
			return state == stateMatch
		}
	}
	return a.accepts[state]
}

func (a *automaton) class(r rune) int {
	at, found := slices.BinarySearch(a.bounds, r)
	if found {
		return at
	}
	return at - 1
}

// newAutomaton compiles a pattern; nil if it is not of the kind, or too large.
func newAutomaton(pattern string) *automaton {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil
	}
	bounds := classBounds(program)
	if bounds == nil {
		return nil
	}
	a := &automaton{bounds: bounds, classes: len(bounds)}
	for c := range a.ascii {
		a.ascii[c] = uint8(a.class(rune(c)))
	}
	b := builder{program: program, automaton: a}
	if !b.build() {
		return nil
	}
	return a
}

// classBounds divides characters so that no instruction of a program tells those
// between two bounds apart. It is nil if there is an instruction that a state
// cannot follow, or if the classes are too many.
func classBounds(program *syntax.Prog) []rune {
	bounds := []rune{0}
	for _, inst := range program.Inst {
		switch inst.Op {
		case syntax.InstRune, syntax.InstRune1:
			if syntax.Flags(inst.Arg)&syntax.FoldCase != 0 {
				return nil
			}
			// One character, or pairs of the first and the last of a range.
			for i, r := range inst.Rune {
				if len(inst.Rune) == 1 {
					bounds = append(bounds, r, r+1)
				} else {
					bounds = append(bounds, r+rune(i%2))
				}
			}
		case syntax.InstRuneAnyNotNL:
			bounds = append(bounds, '\n', '\n'+1)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^(syntax.EmptyBeginText|syntax.EmptyEndText) != 0 {
				return nil
			}
		default:
		}
	}
	slices.Sort(bounds)
	bounds = slices.Compact(bounds)
	if len(bounds) > maxClasses {
		return nil
	}
	return bounds
}

// builder makes each set of instructions that a program can be at a state.
type builder struct {
	program   *syntax.Prog
	automaton *automaton
	sets      [][]uint32 // by state; of instructions that wait for a character or the end
	states    map[string]int
}

func (b *builder) build() bool {
	b.states = make(map[string]int)
	b.sets = [][]uint32{nil, nil}
	b.automaton.accepts = []bool{false, true}
	b.state(b.closure([]uint32{uint32(b.program.Start)}, syntax.EmptyBeginText), syntax.EmptyBeginText)
	if len(b.sets) == stateMatch+1 {
		// It matches where a text begins, whatever follows.
		return false
	}
	b.automaton.next = make([]uint16, 2*b.automaton.classes)
	for state := 2; state < len(b.sets); state++ {
		if len(b.sets) > maxStates {
			return false
		}
		for _, r := range b.automaton.bounds {
			// A match may also begin behind this character.
			from := []uint32{uint32(b.program.Start)}
			for _, at := range b.sets[state] {
				if inst := &b.program.Inst[at]; inst.Op != syntax.InstEmptyWidth && inst.MatchRune(r) {
					from = append(from, inst.Out)
				}
			}
			b.automaton.next = append(b.automaton.next, uint16(b.state(b.closure(from, 0), 0)))
		}
	}
	return true
}

// state gives the state of a set of instructions.
func (b *builder) state(set []uint32, begin syntax.EmptyOp) int {
	if len(set) == 0 {
		return stateFail
	}
	key := make([]byte, 0, 4*len(set)+1)
	for _, at := range set {
		if b.program.Inst[at].Op == syntax.InstMatch {
			return stateMatch
		}
		key = append(key, byte(at), byte(at>>8), byte(at>>16), byte(at>>24))
	}
	// What is accepted at the end may depend on whether that is the beginning.
	key = append(key, byte(begin))
	if known, ok := b.states[string(key)]; ok {
		return known
	}
	state := len(b.sets)
	b.states[string(key)] = state
	b.sets = append(b.sets, set)
	accepts := slices.ContainsFunc(b.closure(set, begin|syntax.EmptyEndText), func(at uint32) bool {
		return b.program.Inst[at].Op == syntax.InstMatch
	})
	b.automaton.accepts = append(b.automaton.accepts, accepts)
	return state
}

// closure follows what needs no character, where the given conditions hold. What
// it gives is sorted.
func (b *builder) closure(from []uint32, holds syntax.EmptyOp) []uint32 {
	seen := make(map[uint32]bool)
	var set []uint32
	for stack := slices.Clone(from); len(stack) > 0; {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[at] {
			continue
		}
		seen[at] = true
		switch inst := &b.program.Inst[at]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			stack = append(stack, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			stack = append(stack, inst.Out)
		case syntax.InstEmptyWidth:
			if needs := syntax.EmptyOp(inst.Arg); needs&^holds == 0 {
				stack = append(stack, inst.Out)
			} else if needs&syntax.EmptyBeginText == 0 {
				set = append(set, at) // it waits for the end
			}
		case syntax.InstFail:
		default:
			set = append(set, at)
		}
	}
	slices.Sort(set)
	return set
}

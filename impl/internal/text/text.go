// Package text decides which text may be a name or a line of an address: what
// people can read, and what looks on every screen as it does on the first.
//
// Scripts need characters that nobody sees. ZERO WIDTH JOINER and NON-JOINER
// shape Persian and Indic names, and the marks of direction (U+200E, U+200F,
// U+061C) order mixed ones; they are let through. Refused is what no name needs
// and what harms whoever displays it: controls, which break lines and terminals;
// embeddings, overrides and isolates, which show text in another order than it
// has, and go on doing so after its end; tags, in which text hides; and text in
// which there is nothing to see.
package text

import (
	"errors"
	"unicode"
)

// Errors; they say how to mend the text.
var (
	ErrControl   = errors.New("leave out control characters, line separators, byte order marks and characters that Unicode has no use for")
	ErrDirection = errors.New("leave out characters that change the direction of text (U+202A to U+202E, U+2066 to U+2069)")
	ErrInvisible = errors.New("give text that can be seen")
)

// Check returns one of the errors for text that is not accepted.
func Check(s string) error {
	seen := false
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Bidi_Control, r) && !isMark(r):
			return ErrDirection
		case isControl(r):
			return ErrControl
		}
		seen = seen || !Invisible(r) && !unicode.IsSpace(r)
	}
	if !seen {
		return ErrInvisible
	}
	return nil
}

// isMark tells the marks of direction, which have no effect beyond the
// characters next to them.
func isMark(r rune) bool { return r == '\u200e' || r == '\u200f' || r == '\u061c' }

func isControl(r rune) bool {
	const (
		byteOrderMark = '\ufeff'
		lastOfPlane   = 0xfffe // and the one after it
	)
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point) ||
		r == byteOrderMark || r&lastOfPlane == lastOfPlane ||
		r >= '\ufff9' && r <= '\ufffb' || // interlinear annotation
		r >= 0xe0000 && r <= 0xe007f // tags
}

// Invisible tells characters that leave no trace on a screen: those that
// Unicode lets a program ignore when it cannot display them
// (Default_Ignorable_Code_Point, UAX #44), other format characters, and the
// empty Braille pattern. White space is not among them.
func Invisible(r rune) bool {
	const emptyBraille = '\u2800'
	return r == emptyBraille ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) ||
		unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

package text_test

import (
	"errors"
	"testing"

	"cryptoexchange.com/escrow/impl/internal/text"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       error
	}{
		{"Latin", "Johny", nil},
		{"marks", "Jose\u0301 Müller-Lüdenscheidt", nil},
		{"apostrophe and full stop", "O’Brien Jr.", nil},
		{"no-break space between", "Anne\u00a0Marie", nil},
		{"ideographic space between", "山田\u3000太郎", nil},
		{"Persian with non-joiner", "علی\u200cرضا", nil},
		{"Indic with joiner", "ක්\u200dෂේම", nil},
		{"Hebrew with a mark of direction", "דוד\u200e 5", nil},
		{"Arabic letter mark", "\u061cعلی", nil},
		{"Hangul", "김민준", nil},
		{"rare ideograph with variant", "\u845b\U000e0100", nil},
		{"Arabic year sign, which is of the category of formats", "\u06012024", nil},
		{"emoji", "Café ☕\ufe0f", nil},
		{"replacement character", "Jos\ufffd", nil},

		{"line feed", "a\nb", text.ErrControl},
		{"DEL", "a\x7f", text.ErrControl},
		{"next line", "a\u0085b", text.ErrControl},
		{"control sequence introducer", "a\u009b31m", text.ErrControl},
		{"line separator", "a\u2028b", text.ErrControl},
		{"paragraph separator", "a\u2029b", text.ErrControl},
		{"byte order mark", "\ufeffJohny", text.ErrControl},
		{"non-character", "a\uffff", text.ErrControl},
		{"non-character of a block", "a\ufdd0", text.ErrControl},
		{"non-character of a plane", "a\U0010fffe", text.ErrControl},
		{"annotation", "a\ufff9", text.ErrControl},
		{"tags", "a\U000e0041", text.ErrControl},
		{"embedding", "a\u202bb", text.ErrDirection},
		{"override", "a\u202eb", text.ErrDirection},
		{"pop", "a\u202c", text.ErrDirection},
		{"isolate", "a\u2067b\u2069", text.ErrDirection},

		{"nothing", "", text.ErrInvisible},
		{"no-break space", "\u00a0", text.ErrInvisible},
		{"zero width space", "\u200b", text.ErrInvisible},
		{"joiner", "\u200d\u200c", text.ErrInvisible},
		{"Hangul filler", "\u3164 \u115f", text.ErrInvisible},
		{"empty Braille pattern", "\u2800", text.ErrInvisible},
		{"grapheme joiner", "\u034f", text.ErrInvisible},
		{"variation selector", "\ufe0f\U000e0100\u180b", text.ErrInvisible},
	}
	for _, tt := range tests {
		if err := text.Check(tt.text); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

package password_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/password"
)

// policy is shared by the tests, which read it only.
var policy = sync.OnceValues(password.NewPolicy)

func setup(t testing.TB) *password.Policy {
	t.Helper()
	p, err := policy()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var johny = password.Subject{Email: "johny.smith+escrow@brightwater-cycles.example", Names: []string{"Johny", "Q", "Smith-Jórgensen", "Brightwater Cycles Ltd."}}

const (
	alone  = false // the password is the only factor
	beside = true  // there is a second factor
)

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, password string
		secondFactor   bool
		code           string // empty if it is good
	}{
		{"empty", "", alone, password.CodeTooShort},
		{"14 characters", "kV3;nq8Zt!xw2R", alone, password.CodeTooShort},
		{"15 characters", "kV3;nq8Zt!xw2Rp", alone, ""},
		{"7 characters", "kV3;nq8", beside, password.CodeTooShort},
		{"8 characters", "kV3;nq8Z", beside, ""},
		{"8 characters, many of them symbols", "X$$R&!BP", beside, ""},
		{"15 octets in 5 characters", "日本語京都", alone, password.CodeTooShort},
		{"one character that NFKC makes 18", "\ufdfa", alone, password.CodeTooShort},
		{"256 characters", strings.Repeat("kV3;nq8Zt!xw2Rp ", 16), alone, ""},
		{"257 characters", strings.Repeat("kV3;nq8Zt!xw2Rp ", 16) + "x", alone, password.CodeTooLong},
		{"256 characters of four octets", strings.Repeat("😀🐎🔋📎🪙🧲🎷🚲", 32), alone, ""},
		{"endless", strings.Repeat("x", 1<<20), alone, password.CodeTooLong},

		{"passphrase", "ladder violin moss kettle", alone, ""},
		{"passphrase without spaces", "laddervioliNmosskettle", alone, ""},
		{"passphrase in Greek", "σκάλα βιολί βρύο χύτρα", alone, ""},
		{"passphrase in Japanese", "はしご ばいおりん こけ やかん", alone, ""},
		{"emoji", "🪜🎻🌿🫖🐙🚲🧲📎🪙🔋🐎🎷🧀🪁🛶", alone, ""},
		{"digits only, at random", "830472615094837", alone, ""},
		{"random letters", "qhwtbznkfoyuxpd", alone, ""},

		{"famous passphrase", "correct horse battery staple", alone, password.CodeBreached},
		{"listed", "1q2w3e4r5t6y7u8i9o0p", alone, password.CodeBreached},
		{"listed, in capitals", "1Q2W3E4R5T6Y7U8I9O0P", alone, password.CodeBreached},
		{"listed, full width", "ｉｌｏｖｅｙｏｕｆｏｒｅｖｅｒ", alone, password.CodeBreached},
		{"listed, with 8", "sunshine", beside, password.CodeBreached},
		{"listed and digits", "sunshine12345678", alone, password.CodeBreached},
		{"listed and a year", "Sunshine2019!!!", alone, password.CodeBreached},
		{"listed and a day", "sunshine24.12.1987", alone, password.CodeBreached},
		{"listed between punctuation", "!!!!sunshine!!!!", alone, password.CodeBreached},
		{"listed twice", "sunshinesunshine", alone, password.CodeBreached},
		{"listed twice, and more", "SunshineSunshine99", alone, password.CodeBreached},
		{"listed, digits for letters", "$un5h1n3$un5h1n3", alone, password.CodeBreached},
		{"listed in pieces", "sun-shine-2019-!!!!", alone, password.CodeBreached},
		{"password and a row", "P@ssw0rdqwertyuiop", alone, password.CodeBreached},
		{"run that takes the first letter", "aaaaaaaaaalexander", alone, password.CodeBreached},
		{"listed and much that is not", "sunshine830472615", alone, ""},

		{"one character", "zzzzzzzzzzzzzzzzzzzzzzz", alone, password.CodeCommon},
		{"spaces", strings.Repeat(" ", 20), alone, password.CodeCommon},
		{"accents only", strings.Repeat("\u0301", 20), alone, password.CodeCommon},
		{"repetition", "vX9#vX9#vX9#vX9#", alone, password.CodeCommon},
		{"repetition, cut off", "k7Tq2k7Tq2k7Tq2k7", alone, password.CodeCommon},
		{"few characters", "xqqvxvqxxvqqvxvvq", alone, password.CodeCommon},
		{"alphabet from the middle", "hijklmnopqrstuv", alone, password.CodeCommon},
		{"alphabet backwards", "vutsrqponmlkjih", alone, password.CodeCommon},
		{"Greek alphabet", "αβγδεζηθικλμνξο", alone, password.CodeCommon},
		{"rows of keys", "[poiuytr;lkjhg/.,mnb", alone, password.CodeCommon},
		{"Russian keys", "йцукенгшщзфывапролдж", alone, password.CodeCommon},
		{"sequence with separators", "h-i-j-k-l-m-n-o-p-q", alone, password.CodeCommon},
		{"name of the service", "CryptoExchange1", alone, password.CodeCommon},
		{"name of the service, padded", "!cryptoexchange.com 2026!", alone, password.CodeCommon},
		{"name of the service, disguised", "Crypt0-3xch@nge", alone, password.CodeCommon},
		{"service and purpose", "my crypto escrow account", alone, password.CodeCommon},
		{"service in a passphrase", "crypto ladder violin moss", alone, ""},

		{"names", "JohnySmithJorgensen", alone, password.CodePersonal},
		{"name and digits", "JohnySmith-84729", alone, password.CodePersonal},
		{"name and a long row", "smithjorgensen1234567890", alone, password.CodePersonal},
		{"name with 8", "johny847", beside, password.CodePersonal},
		{"local part", "johny.smith+escrow", alone, password.CodePersonal},
		{"whole address", "johny.smith+escrow@brightwater-cycles.example", alone, password.CodePersonal},
		{"company, disguised", "br1ghtw4t3r cycl3s", alone, password.CodePersonal},
		{"name in pieces", "j.o.h.n.y.s.m.i.t.h", alone, password.CodePersonal},
		{"name in a passphrase", "johny ladder violin moss", alone, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := setup(t).Check(tt.password, tt.secondFactor, johny)
			if diff := cmp.Diff(tt.code, code(t, err)); diff != "" {
				t.Errorf("Check(%q): %s", tt.password, diff)
			}
		})
	}
}

// code gives the code of a refusal, and checks that there is a text with it.
func code(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var refused *password.RefusedError
	if !errors.As(err, &refused) || refused == nil {
		t.Fatalf("%v is no refusal", err)
	}
	if !strings.HasPrefix(refused.Detail, "This password ") || !strings.HasSuffix(refused.Detail, ".") {
		t.Errorf("detail %q", refused.Detail)
	}
	if diff := cmp.Diff("password refused: "+refused.Code, err.Error()); diff != "" {
		t.Error(diff)
	}
	return refused.Code
}

// TestCheckSubjects checks data that say little about a person.
func TestCheckSubjects(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, password string
		about          password.Subject
		code           string
	}{
		{"nobody", "ladder violin moss", password.Subject{}, ""},
		{"no address", "ladder violin moss", password.Subject{Email: "@", Names: []string{"", " ", "-"}}, ""},
		{"single letters", "ladder violin moss", password.Subject{Email: "l@a.d", Names: []string{"v", "i o l i n"}}, ""},
		{"two letters among symbols", "li$%^&*#@)(_+=}{", password.Subject{Names: []string{"Li"}}, ""},
		{"two letters, two more and repetition", "xq#k3#############", password.Subject{Names: []string{"Xq"}}, password.CodePersonal},
		{"Cyrillic, in capitals", "ВЛАДИМИРСОКОЛОВ", password.Subject{Names: []string{"Владимир", "Соколов"}}, password.CodePersonal},
		{"the domain", "wildgoosechase.com", password.Subject{Email: "a@wildgoosechase.com"}, password.CodePersonal},
		{"the address of another", "johny.smith.brightwater", password.Subject{Email: "ana@example.com"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.code, code(t, setup(t).Check(tt.password, alone, tt.about))); diff != "" {
				t.Errorf("Check(%q): %s", tt.password, diff)
			}
		})
	}
}

// TestCheckTime bounds what the worst passwords cost.
func TestCheckTime(t *testing.T) {
	t.Parallel()
	p := setup(t)
	for _, worst := range []string{
		strings.Repeat("aaaaabaaaaaaac", 18), strings.Repeat("1234567890qwertyuiop", 12) + "k;V", strings.Repeat("9", 120) + "x#k" + strings.Repeat("0", 120),
	} {
		start := time.Now()
		_ = p.Check(worst, alone, johny)
		if took := time.Since(start); took > time.Second {
			t.Errorf("%d characters took %v", len(worst), took)
		}
	}
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, password, want string }{
		{"plain", " Violin 7 ", " Violin 7 "},
		{"decomposed", "jose\u0301", "jos\u00e9"},
		{"full width", "\uff56\uff49\uff4f\uff4c\uff49\uff4e", "violin"},
		{"no-break space", "a\u00a0b", "a b"},
		{"long s", "\u017f", "s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, password.Normalize(tt.password)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzCheck checks that every answer is a refusal with a known text, which
// therefore does not hold the password, and that a good password keeps the
// limits and is good in whatever form it is typed.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"ladder violin moss", "P@ssw0rdqwertyuiop", "\ufdfa\u0301\xff", "24.12.1987johnysmith", "水水水123"} {
		f.Add(seed, true, johny.Email, "Johny")
	}
	p := setup(f)
	known := make(map[string]bool)
	for _, code := range []string{password.CodeTooShort, password.CodeTooLong, password.CodeBreached, password.CodeCommon, password.CodePersonal} {
		known[code] = true
	}
	var mu sync.Mutex
	details := make(map[string]string)
	f.Fuzz(func(t *testing.T, pw string, secondFactor bool, email, name string) {
		about := password.Subject{Email: email, Names: []string{name}}
		err := p.Check(pw, secondFactor, about)
		var refused *password.RefusedError
		switch {
		case err == nil:
			if n := len([]rune(password.Normalize(pw))); n < password.MinLengthSecondFactor || n > password.MaxLength {
				t.Errorf("%d characters accepted", n)
			}
			if again := p.Check(password.Normalize(pw), secondFactor, about); again != nil && code(t, again) != password.CodeTooShort {
				t.Errorf("%q is good, and in its normal form %v", pw, again)
			}
		case errors.As(err, &refused):
			mu.Lock()
			defer mu.Unlock()
			id := refused.Code
			if id == password.CodeTooShort && secondFactor {
				id += " beside"
			}
			if first, ok := details[id]; ok && first != refused.Detail || !known[refused.Code] {
				t.Errorf("%s: %q, before %q", id, refused.Detail, first)
			}
			details[id] = refused.Detail
		default:
			t.Errorf("%v is no refusal", err)
		}
	})
}

package mutate

import (
	"regexp"
	"testing"
)

func TestNegateFirst(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		`^[A-Z]{2}$`:             `^[^A-Z]{2}$`,
		`^[^\x00-\x20]([a-z]*)$`: `^[\x00-\x20]([a-z]*)$`,
		`^\d+$`:                  `^\D+$`,
		`^\[x\]\S$`:              `^\[x\]\s$`,
		`^(Bearer|Cookie)-`:      `^~(?:(Bearer|Cookie)-)`,
		`abc`:                    `^~(?:abc)`,
	} {
		if got := negateFirst(pattern); got != want {
			t.Errorf("negateFirst(%q) = %q, want %q", pattern, got, want)
		}
	}
}

// All strings of an alphabet are tried, up to four characters: hasLength must say
// what they show.
func TestHasLengthAgainstAllStrings(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{
		`^[ab]{2}$`, `^a+$`, `^(ab)*$`, `a`, `^a`, `b$`, `^$`, ``, `^(a|bb|abab)$`, `^a?b?$`, `^[^a]{1,3}$`, `^(a(b)?)+$`, `(^a|b$)`, `^a{0}$`, `$a`,
	} {
		re := regexp.MustCompile(pattern)
		texts := []string{""}
		for n := range 5 {
			want := false
			for _, text := range texts {
				want = want || re.MatchString(text)
			}
			if got, sure := hasLength(pattern, n); got != want || !sure {
				t.Errorf("hasLength(%q, %d) = %v, %v; want %v", pattern, n, got, sure, want)
			}
			var next []string
			for _, text := range texts {
				next = append(next, text+"a", text+"b")
			}
			texts = next
		}
	}
}

func TestHasLengthIsNotSure(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{`^(?=a)`, `\ba`, `^\u0041$`, `(`, `(?m)^a$`} {
		if _, sure := hasLength(pattern, 1); sure {
			t.Errorf("hasLength(%q) is sure of what it does not understand", pattern)
		}
	}
}

package generate

import (
	"math/rand/v2"
	"regexp"
	"testing"
	"unicode/utf8"
)

func TestPatternMakesItsStrings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern   string
		low, high int
	}{
		{`^[A-Z]{2}$`, 0, -1},
		{`^[0-9A-Za-z -]{1,34}$`, 34, 34},
		{`^[^\x00-\x20\x7F]([^\x00-\x1F\x7F]*[^\x00-\x20\x7F])?$`, 1, 200},
		{`^[^\x00-\x20\x7F]([^\x00-\x1F\x7F]*[^\x00-\x20\x7F])?$`, 200, 200},
		{`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$`, 2, 35},
		{`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$`, 35, 35},
		{`cat|dog`, 10, 10},
		{`^(?:a|bc){3}$`, 5, 5},
		{`^(?=.*[A-Z])(?=.*\d)(?=.*[!#$%]).{8,}$`, 8, 16},
		{`^(?!abc)[a-z]{3}$`, 0, 3},
		{`^(?<year>[0-9]{4})-(0[1-9]|1[0-2])$`, 0, -1},
		{`^\u00e9\d+\/\w\.$`, 0, -1},
		{`^\u{1F600}+$`, 3, 3},
		{`^\p{L}{4}$`, 0, -1},
		{`^[a-z]{1,2000}$`, 1500, 1500},
		{`^\S+@\S+$`, 0, 20},
		{`^$`, 0, -1},
		{`\bword\b`, 0, 30},
		{`^[\w.+-]+$`, 64, 64},
		{`^[^]+$`, 4, 4},
		{`^\$[0-9]+(\.[0-9]{2})?$`, 0, -1},
	} {
		for f, name := range []string{"plain", "varied", "astral"} {
			t.Run(tt.pattern+"/"+name, func(t *testing.T) {
				t.Parallel()
				p, err := patternOf(tt.pattern)
				if err != nil {
					t.Fatalf("compile: %v", err)
				}
				rng := rand.New(rand.NewPCG(1, 2))
				for range 20 {
					text, err := p.make(rng, flavour(f), tt.low, tt.high, tt.low)
					if err != nil {
						t.Fatalf("make: %v", err)
					}
					n := utf8.RuneCountInString(text)
					if !p.matches(text) || n < tt.low || tt.high >= 0 && n > tt.high || !utf8.ValidString(text) {
						t.Errorf("%q has %d code points, matches: %v", text, n, p.matches(text))
					}
				}
			})
		}
	}
}

func TestPatternsThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, pattern string
		low, high     int
	}{
		{"too short", `^[a-z]{5}$`, 0, 4},
		{"back reference", `^(a|b)\1$`, 0, 4},
		{"no regular expression", `^(a`, 0, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := patternOf(tt.pattern)
			if err != nil {
				return
			}
			if text, err := p.make(rand.New(rand.NewPCG(1, 2)), plain, tt.low, tt.high, 0); err == nil {
				t.Errorf("made %q", text)
			}
		})
	}
}

func FuzzTranslate(f *testing.F) {
	for _, s := range []string{`^[A-Z]{2}$`, `(?=a)b`, `\u00e9`, `[^]`, `a{1,2000}`, `[[a]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		p, err := patternOf(pattern)
		if err != nil {
			return
		}
		text, err := p.make(rand.New(rand.NewPCG(1, 2)), plain, 0, 16, 8)
		if err == nil && !p.matches(text) {
			t.Errorf("%q is not of %q", text, pattern)
		}
	})
}

func TestFormats(t *testing.T) {
	t.Parallel()
	// What the tests know of formats by themselves is little, but enough to see a
	// list in the wrong place.
	shapes := map[string]*regexp.Regexp{
		"uuid":      regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`),
		"date":      regexp.MustCompile(`^\d{4}-\d\d-\d\d$`),
		"date-time": regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`),
		"email":     regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[a-z]+$`),
		"ipv4":      regexp.MustCompile(`^\d+(\.\d+){3}$`),
	}
	for name, f := range formats {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(1, 2))
			labels := map[string]bool{}
			valid := map[string]bool{}
			for _, v := range f.valid(rng, "u1") {
				valid[v] = true
				if re := shapes[name]; re != nil && !re.MatchString(v) {
					t.Errorf("%q is not a %s", v, name)
				}
			}
			for _, n := range f.almost(rng, "u1") {
				if labels[n.label] {
					t.Errorf("two are called %s", n.label)
				}
				labels[n.label] = true
				if valid[n.value] {
					t.Errorf("%s: %q is valid", n.label, n.value)
				}
			}
			if len(valid) == 0 || len(labels) == 0 {
				t.Errorf("nothing is made")
			}
		})
	}
}

func TestPadFormat(t *testing.T) {
	t.Parallel()
	for n := 12; n < 254; n++ {
		text, ok := padFormat("email", "u1", n)
		if !ok {
			t.Errorf("no address of %d octets", n)
		}
		if got := utf8.RuneCountInString(text); ok && got != n {
			t.Errorf("%q has %d octets, not %d", text, got, n)
		}
	}
}

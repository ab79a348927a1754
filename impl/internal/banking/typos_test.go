package banking_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"cryptoexchange.com/escrow/impl/internal/banking"
)

// tally counts the typos of one sort.
type tally struct{ made, refused int }

func (c *tally) add(err error) {
	c.made++
	if err != nil {
		c.refused++
	}
}

func (c *tally) hold(t *testing.T, what string, least float64) {
	t.Helper()
	share := 100 * float64(c.refused) / float64(c.made)
	t.Logf("refused %.3f %% of %d %s", share, c.made, what)
	if share < least {
		t.Errorf("want at least %v %%", least)
	}
}

// TestTyposInRoutingNumbers makes every substitution and transposition in 10000
// routing numbers.
func TestTyposInRoutingNumbers(t *testing.T) {
	t.Parallel()
	const values = 10000
	r := newRandom(t, 2)
	var substituted, swapped tally
	for range values {
		number := newRoutingNumber(r)
		if err := banking.CheckRoutingNumber(number); err != nil {
			t.Fatalf("%q: %v", number, err)
		}
		for i := range len(number) {
			for _, d := range digits {
				if typo := number[:i] + string(d) + number[i+1:]; typo != number {
					substituted.add(banking.CheckRoutingNumber(typo))
				}
			}
			if i+1 < len(number) && number[i] != number[i+1] {
				swapped.add(banking.CheckRoutingNumber(swap(number, i)))
			}
		}
	}
	substituted.hold(t, "substitutions", 100)
	swapped.hold(t, "transpositions", 88)
}

// TestTyposInIBANs makes typos at every place of 10000 IBANs. The registry's
// examples say how many letters there are where letters and digits may be.
func TestTyposInIBANs(t *testing.T) {
	t.Parallel()
	const values = 10000
	r := newRandom(t, 3)
	prefixes, letter := examples(t), lettersInExamples(t)
	var same, other, swapped, all tally
	for range values {
		iban := newIBAN(r, prefixes, letter)
		if err := check(iban); err != nil {
			t.Fatalf("%q: %v", iban, err)
		}
		for i := range len(iban) {
			alphabet, rest := digits, letters
			if strings.Contains(letters, iban[i:i+1]) {
				alphabet, rest = letters, digits
			}
			err := check(substituteAt(r, iban, i, alphabet))
			same.add(err)
			all.add(err)
			other.add(check(substituteAt(r, iban, i, rest)))
			if i+1 < len(iban) && iban[i] != iban[i+1] {
				err := check(swap(iban, i))
				swapped.add(err)
				all.add(err)
			}
		}
	}
	same.hold(t, "digits for digits and letters for letters", 100)
	swapped.hold(t, "transpositions", 99.9)
	all.hold(t, "of these two", 99.9)
	other.hold(t, "letters for digits and digits for letters", 99.6)
}

func check(iban string) error {
	_, err := banking.CheckIBAN(iban)
	return err
}

// lettersInExamples is the share of letters in the examples of the registry
// where it allows both letters and digits.
func lettersInExamples(t *testing.T) float64 {
	t.Helper()
	var both, letter int
	for _, example := range examples(t) {
		f, _ := banking.IBANFormat(example[:2])
		// What is a letter always, or never, is one in what is made too.
		least := domestic(rand.New(rand.NewPCG(0, 0)), f.Structure, 0)
		most := domestic(rand.New(rand.NewPCG(0, 0)), f.Structure, 1)
		for i := range least {
			if isLetter(least[i]) != isLetter(most[i]) {
				both++
				if isLetter(example[4+i]) {
					letter++
				}
			}
		}
	}
	share := float64(letter) / float64(both)
	t.Logf("%d of %d characters that may be either are letters", letter, both)
	return share
}

func isLetter(c byte) bool { return strings.IndexByte(letters, c) >= 0 }

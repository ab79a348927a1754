package banking_test

import (
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cryptoexchange.com/escrow/impl/internal/banking"
)

const seed = 20260901

func newRandom(t *testing.T, stream uint64) *rand.Rand {
	t.Helper()
	t.Logf("seed %d, stream %d", seed, stream)
	return rand.New(rand.NewPCG(seed, stream))
}

const (
	digits  = "0123456789"
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

func pick(r *rand.Rand, from string) string {
	i := r.IntN(len(from))
	return from[i : i+1]
}

// examples are those of the registry, one for each prefix.
func examples(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/examples.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}

// outside are countries without IBANs in the registry whose banks give out
// numbers of this structure that look like one, and territories with the
// structure of their country.
var outside = map[string]string{
	"AO": "21!n", "CI": "1!a23!n", "CM": "23!n", "DZ": "22!n", "IR": "22!n", "MA": "24!n", "MZ": "21!n", "SN": "2!a22!n",
	"AX": "3!n11!n", "GP": "5!n5!n11!c2!n", "NC": "5!n5!n11!c2!n", "GG": "4!a6!n8!n", "JE": "4!a6!n8!n",
}

var field = regexp.MustCompile(`([0-9]+)!([nac])`)

// domestic makes what follows the check digits. A character that may be a letter
// or a digit is a letter with the probability given.
func domestic(r *rand.Rand, structure string, letter float64) string {
	var b strings.Builder
	for _, f := range field.FindAllStringSubmatch(structure, -1) {
		length, _ := strconv.Atoi(f[1])
		for range length {
			if f[2] == "a" || f[2] == "c" && r.Float64() < letter {
				b.WriteString(pick(r, letters))
			} else {
				b.WriteString(pick(r, digits))
			}
		}
	}
	return b.String()
}

// compose computes check digits by division of big integers, as ISO 13616-1
// describes it.
func compose(country, domestic string) string {
	var b strings.Builder
	for _, c := range domestic + country + "00" {
		b.WriteString(strconv.Itoa(strings.IndexRune(digits+letters, c)))
	}
	n, _ := new(big.Int).SetString(b.String(), 10)
	return fmt.Sprintf("%s%02d%s", country, 98-new(big.Int).Mod(n, big.NewInt(97)).Int64(), domestic)
}

func newIBAN(r *rand.Rand, countries []string, letter float64) string {
	country := countries[r.IntN(len(countries))][:2]
	f, _ := banking.IBANFormat(country)
	return compose(country, domestic(r, f.Structure, letter))
}

func newRoutingNumber(r *rand.Rand) string {
	prefixes := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 80}
	s := fmt.Sprintf("%02d%06d", prefixes[r.IntN(len(prefixes))], 1+r.IntN(999999))
	// The form in which banks print the rule: weights 7, 3 and 9, last digit.
	d := func(i int) int { return int(s[i] - '0') }
	return s + strconv.Itoa((7*(d(0)+d(3)+d(6))+3*(d(1)+d(4)+d(7))+9*(d(2)+d(5)))%10)
}

func newBIC(r *rand.Rand, countries []string) string {
	prefix := ""
	for range 4 {
		prefix += pick(r, letters)
	}
	if r.IntN(10) == 0 {
		prefix = substitute(r, prefix, digits)
	}
	s := prefix + countries[r.IntN(len(countries))] + pick(r, letters+digits) + pick(r, letters+digits)
	if r.IntN(2) == 0 {
		s += pick(r, letters+digits) + pick(r, letters+digits) + pick(r, letters+digits)
	}
	return s
}

// substitute exchanges a character for another one.
func substitute(r *rand.Rand, s, alphabet string) string {
	return substituteAt(r, s, r.IntN(len(s)), alphabet)
}

func substituteAt(r *rand.Rand, s string, i int, alphabet string) string {
	for {
		if c := pick(r, alphabet); c != s[i:i+1] {
			return s[:i] + c + s[i+1:]
		}
	}
}

// swap exchanges a character and the next one, which may be the same.
func swap(s string, i int) string { return s[:i] + s[i+1:i+2] + s[i:i+1] + s[i+2:] }

// mutate makes one mistake of those that people make, or two.
func mutate(r *rand.Rand, s string) string {
	const alphabet = digits + letters + "./" // and no minus, over which ibantools 4.5.4 never ends
	if len(s) < 2 {
		return s
	}
	i := r.IntN(len(s) - 1)
	switch r.IntN(8) {
	case 0, 1:
		return substitute(r, s, alphabet)
	case 2:
		return swap(s, i)
	case 3:
		return s[:i] + s[i+1:] // drop
	case 4:
		return s[:i] + pick(r, alphabet) + s[i:] // insert
	case 5:
		return s[:i] + s[i:i+1] + s[i:] // double
	case 6:
		return s[:i] // cut off
	default:
		return mutate(r, mutate(r, s))
	}
}

// mutateIBAN makes mistakes too that the check digits agree with, and check
// digits that are off by 97.
func mutateIBAN(r *rand.Rand, s string, countries []string) string {
	switch r.IntN(8) {
	case 0:
		country := countries[r.IntN(len(countries))][:2]
		return country + s[2:]
	case 1:
		return compose(countries[r.IntN(len(countries))][:2], s[4:])
	case 2:
		return compose(pick(r, letters)+pick(r, letters), s[4:])
	case 3:
		countries := slices.Sorted(maps.Keys(outside))
		country := countries[r.IntN(len(countries))]
		return compose(country, domestic(r, outside[country], 0.3))
	case 4:
		n, _ := strconv.Atoi(s[2:4])
		return s[:2] + fmt.Sprintf("%02d", (n+97)%194%100) + s[4:] // 99, 00, 01 for 2, 97, 98
	case 5, 6:
		if m := mutate(r, s[4:]); strings.Trim(m, digits+letters) == "" {
			return compose(s[:2], m)
		}
	}
	return mutate(r, s)
}

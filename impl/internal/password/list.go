package password

import (
	"crypto/sha256"
	_ "embed" // for the list
	"encoding/binary"
	"errors"
	"iter"
	"math/bits"
)

// breached is a Golomb-Rice coded set, as in BIP 158, in groups that can be read
// alone: it is searched where it is, for to read all of it takes longer than the
// rest of a start. Numbers are of 4 octets, most significant first:
//
//   - the number n of entries
//   - where each of the n/2^groupBits+1 groups begins in what follows, in bits, and
//     where the last ends
//   - the entries, sorted hashes below n*2^riceBits. A group has those that are
//     alike but for the last groupBits+riceBits bits. It has the differences between
//     those bits of one and the next, the first's to 0, bit by bit: the quotient by
//     2^riceBits in unary, ones ended by a zero, and the remainder in riceBits bits.
//
// It takes 22 bits for an entry.
//
//go:embed breached.bin
var breached []byte

// riceBits makes one of 2^20 other passwords be taken for a listed one by
// chance: rare enough that nobody will meet it but by trying for it.
const riceBits = 20

// groupBits makes groups have 64 entries, more or less.
const groupBits = 6

var errDamaged = errors.New("damaged list")

// list is a set of the hashes of keys, each less than span, in the form that is
// described at [breached].
type list struct {
	span   uint64
	starts []byte // of groups, and the end of the last
	groups []byte
}

func span(entries int) uint64 { return uint64(entries) << riceBits }

// groupsOf is how many groups there are for a number of entries.
func groupsOf(entries int) int { return entries>>groupBits + 1 }

// hash maps a key evenly to the numbers below span.
func hash(key string, span uint64) uint64 {
	sum := sha256.Sum256([]byte(key))
	high, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:]), span)
	return high
}

func (l *list) has(key string) bool {
	wanted := hash(key, l.span)
	group := int(wanted >> (groupBits + riceBits))
	for h := range l.group(group) {
		if h >= wanted {
			return h == wanted
		}
	}
	return false
}

// group gives the hashes of a group, in order.
func (l *list) group(n int) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		value := uint64(n) << (groupBits + riceBits)
		r := bitReader{data: l.groups, next: l.start(n)}
		for end := l.start(n + 1); r.next < end; {
			var quotient uint64
			for r.bit() == 1 {
				quotient++
			}
			var remainder uint64
			for range riceBits {
				remainder = remainder<<1 | r.bit()
			}
			value += quotient<<riceBits | remainder
			if !yield(value) {
				return
			}
		}
	}
}

// start is where a group begins, in bits.
func (l *list) start(group int) int { return int(binary.BigEndian.Uint32(l.starts[4*group:])) }

// readList takes the form that is described at [breached]. It looks at no more
// than whether all of it is there.
func readList(data []byte) (*list, error) {
	if len(data) < 4 {
		return nil, errDamaged
	}
	n := int(binary.BigEndian.Uint32(data))
	groups := groupsOf(n)
	data = data[4:]
	if len(data)/4 <= groups {
		return nil, errDamaged
	}
	l := &list{span: span(n), starts: data[:4*(groups+1)], groups: data[4*(groups+1):]}
	if end := l.start(groups); (end+7)/8 != len(l.groups) {
		return nil, errDamaged
	}
	return l, nil
}

// bitReader reads bits, most significant first, and zeros after the end.
type bitReader struct {
	data []byte
	next int // in bits
}

func (r *bitReader) bit() uint64 {
	i := r.next
	r.next++
	if i/8 >= len(r.data) {
		return 0
	}
	return uint64(r.data[i/8]>>(7-i%8)) & 1
}

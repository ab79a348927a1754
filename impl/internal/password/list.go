package password

import (
	"crypto/sha256"
	_ "embed" // for the list
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
)

// breached is a Golomb-Rice coded set, as in BIP 158: the number n of entries
// as 4 octets, most significant first, then the differences between the sorted
// hashes, bit by bit. Each difference is its quotient by 2^riceBits in unary,
// ones ended by a zero, and the remainder in riceBits bits. It takes 21.6 bits
// for an entry.
//
//go:embed breached.bin
var breached []byte

// riceBits makes one of 2^20 other passwords be taken for a listed one by
// chance: rare enough that nobody will meet it but by trying for it.
const riceBits = 20

var errDamaged = errors.New("damaged list")

// list is a set of the hashes of keys, sorted, each less than span.
type list struct {
	hashes []uint64
	span   uint64
}

func span(entries int) uint64 { return uint64(entries) << riceBits }

// hash maps a key evenly to the numbers below span.
func hash(key string, span uint64) uint64 {
	sum := sha256.Sum256([]byte(key))
	high, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:]), span)
	return high
}

func (l *list) has(key string) bool {
	_, found := slices.BinarySearch(l.hashes, hash(key, l.span))
	return found
}

// readList reads the form that is described at [breached].
func readList(data []byte) (*list, error) {
	if len(data) < 4 {
		return nil, errDamaged
	}
	n := int(binary.BigEndian.Uint32(data))
	// An entry takes one bit more than its remainder at least.
	if n > len(data)*8/(riceBits+1) {
		return nil, errDamaged
	}
	l := &list{make([]uint64, 0, n), span(n)}
	r := bitReader{data: data[4:]}
	var value uint64
	for range n {
		var quotient uint64
		for r.bit() == 1 {
			quotient++
		}
		var remainder uint64
		for range riceBits {
			remainder = remainder<<1 | r.bit()
		}
		value += quotient<<riceBits | remainder
		l.hashes = append(l.hashes, value)
	}
	if r.next > len(r.data)*8 || n > 0 && value >= l.span {
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

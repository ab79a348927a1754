// Package unread reads what a client goes on sending after its request has been
// refused. Many write a whole request before they look for an answer, and would
// find a reset connection in its place if nothing were read.
//
// What is a little too large is read at once. Whoever sends more is read slowly:
// nothing is done with it, and it must not take the time of those who are served.
package unread

import (
	"io"
	"time"
)

const (
	// Limit is how much is read of one connection at most, in bytes.
	Limit = 16 << 20
	// Timeout is for how long it is waited for.
	Timeout = 5 * time.Second

	// atOnce is read as fast as it comes; then a part at a time, with pauses: the
	// whole Limit takes somewhat less than Timeout.
	atOnce = 1 << 20
	part   = 64 << 10
	pause  = 15 * time.Millisecond
)

// Discard reads until the end, an error, or the Limit. The caller has set a
// deadline of Timeout, and closes the connection.
func Discard(r io.Reader) {
	_, err := io.CopyN(io.Discard, r, atOnce)
	for n := atOnce; err == nil && n < Limit; n += part {
		<-time.After(pause)
		_, err = io.CopyN(io.Discard, r, part)
	}
}

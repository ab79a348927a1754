// Package finding says what was found: a way in which a server breaks its
// contract, in words that lead to the line to mend.
package finding

import (
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// Severity is how much a finding matters.
type Severity int

// Severities, as in RFC 2119: a server that breaks a must breaks its contract or
// HTTP, one that breaks a should makes trouble, advice is a matter of taste.
const (
	Advice Severity = iota
	Should
	Must
)

// String implements [fmt.Stringer].
func (s Severity) String() string { return [...]string{"advice", "should", "must"}[s] }

// Finding is one mistake of the server, however often it was seen.
type Finding struct {
	ID        string // stable from run to run: made of Class, Operation and Pointer, never of random data
	Class     string // of the catalogue, e.g. E3
	Severity  Severity
	Replay    string // what leads to it again: the id of a probe
	Operation string // Operation.ID; empty: of the whole server
	// Pointer is the clause that is broken, and Position where it is written.
	// RFC is the section that is, if it is none of the document: "RFC 9110 15.5.6".
	Pointer  string
	Position openapi.Position
	RFC      string

	Claim string // a sentence: what the server does wrong
	// Cause is what the server does wrong as a sentence that names no place, if it is
	// likely to be mended in one: findings with the same are put together by [Cluster].
	// Empty: it is a mistake of its own. Habits are other such sentences, the widest
	// first, that hold only if the server does so in most places where it was tried.
	Cause  string
	Habits []string
	// CauseClass is the class of the cause if it shows as several; empty: Class.
	CauseClass string
	// Places are where a mistake was seen that was seen in several, or that could
	// be; the first is the one that the rest of the finding is about.
	Places []Place

	Sent     string // what was special about the request
	Expected string
	Got      string

	// Changed are the parts of the last step that the finding is about, to be shown
	// at once. Empty: reports guess by Pointer and Got.
	Changed []Part

	// Steps are what was sent and came back, in order; the last one shows it.
	Steps []wire.Exchange

	Seen       int  // how many requests showed it
	Reproduced int  // of Attempts
	Attempts   int  // how often it was tried again
	Flaky      bool // it did not show itself each time
}

// Place is where a mistake was seen.
type Place struct {
	ID        string // of the finding that it was before it was put together with others
	Operation string
	Pointer   string
	Position  openapi.Position
	Claim     string
	Replay    string
	Sent, Got string
	Flaky     bool
}

// Part is a part of a request or an answer.
type Part struct {
	Answer bool
	In     string // method, path, query, header, body or status
	// Name is that of a query parameter or header field, or the RFC 6901 pointer of
	// a value in a JSON body. Empty: all of it.
	Name string
}

// Package check tries a server and judges what it does.
//
// # Words
//
// A [Probe] is one thing to try: one request, or a scenario of several. It works
// with a [Session], which gives it valid requests, sends them, and takes what it
// found. Every exchange of every session, whatever it was for, is judged by what
// the document and HTTP say of any answer (judge.go); probes judge only what they
// alone know.
//
// # How findings become trustworthy
//
// A probe that found something is run again, three times, from its beginning and
// with fresh resources; what does not come back each time is called flaky. A
// finding's identity has no random data in it: a hundred requests that show the
// same mistake are one finding, which keeps the first of them.
//
// # What is taken from the document, and what is learned
//
// Statuses that may be answered are the document's. Which of them a server uses
// to refuse what breaks a schema (400 or 422) is learned from its answers, for
// documents seldom say so: see [Runner.refuses].
package check

import (
	"context"
	"crypto/sha256"
	"fmt"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// Probe is one thing to try.
type Probe struct {
	// Name is unique and stable: it selects the probe for a replay, and seeds it.
	Name string
	// Class of the catalogue that it looks for above all.
	Class string
	// Op is the operation that is tried; nil: the server as a whole.
	Op *openapi.Operation
	// Clauses are the pointers of the clauses that the probe can see broken, besides
	// those of answers, which every exchange is judged by.
	Clauses []string
	// Writes tells that it may change something even if the server is right.
	Writes bool
	// Alone runs it while nothing else runs: it measures, or floods.
	Alone bool
	// Late runs it after all that are not: it may leave the server unwell, or end
	// what others need.
	Late bool
	// Aside runs it beside all others, from the beginning: it does little but wait.
	Aside bool
	Run   func(ctx context.Context, s *Session)
}

// ID is short for the name, for a replay.
func (p *Probe) ID() string {
	sum := sha256.Sum256([]byte(p.Name))
	return fmt.Sprintf("%x", sum[:5])
}

// prober makes the probes of one group of the catalogue for a document.
type prober func(r *Runner) []Probe

// probers are all groups, in the order in which they run. Each is in a file of
// its own.
var probers = []prober{
	happyProbes,
	acceptProbes,
	journeyProbes,
	patienceProbes,
	laterProbes,
	originProbes,
	authProbes,
	routeProbes,
	mediaProbes,
	encodingProbes,
	reflectProbes,
	robustProbes,
	stateProbes,
	updateProbes,
	concurrencyProbes,
	tenantProbes,
	listProbes,
	cachingProbes,
	answerProbes,
	exampleProbes,
	caseProbes, // last, for they are the most
}

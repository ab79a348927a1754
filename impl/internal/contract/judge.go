package contract

import (
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/checker"
	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

// schema is one by which values are judged: as kin-openapi has it, and compiled.
type schema struct {
	kin  *openapi3.Schema
	fast *checker.Checker
}

// Counts says who judged how many bodies.
type Counts struct {
	Requests, Responses Judged
}

// Judged counts bodies. Those that the checker accepted and the sample are
// counted twice: as its own, and as sampled.
type Judged struct {
	Checker       uint64 // accepted by a compiled checker
	Kin           uint64 // judged by kin-openapi, because the checker did not know
	Sampled       uint64 // accepted by the checker, and judged by kin-openapi as well
	Disagreements uint64 // of those, refused by kin-openapi
}

// Disagreement is a body that a checker accepted and kin-openapi refuses. It
// holds no value of the body.
type Disagreement struct {
	Operation string // operationId; empty outside any operation
	Status    int    // of a response; 0 for a request
	Fault     Fault  // the first
}

// counters count as [Judged] says.
type counters struct{ checker, kin, sampled, disagreements atomic.Uint64 }

func (n *counters) read() Judged {
	return Judged{n.checker.Load(), n.kin.Load(), n.sampled.Load(), n.disagreements.Load()}
}

// Counts tells who has judged how many bodies so far.
func (ct *Contract) Counts() Counts { return Counts{ct.requests.read(), ct.responses.read()} }

// judgement is the judging of one body.
type judgement struct {
	c        echo.Context
	op       *operation
	status   int // of a response
	counters *counters
}

// accepted tells whether the checker accepts the bytes of a body. Now and then,
// kin-openapi is asked all the same; its verdict rules.
func (ct *Contract) accepted(j judgement, s *schema, raw []byte) bool {
	if !s.fast.Valid(raw) {
		j.counters.kin.Add(1)
		return false
	}
	n := j.counters.checker.Add(1)
	if ct.options.Sample == 0 || n%ct.options.Sample != 0 {
		return true
	}
	j.counters.sampled.Add(1)
	value, malformed := strictjson.Decode(raw)
	var faults []Fault
	if len(malformed) > 0 {
		faults = fromStrict(malformed[:1])
	} else if faults = ct.judge(s.kin, value); len(faults) == 0 {
		return true
	}
	j.counters.disagreements.Add(1)
	if ct.options.Disagreement != nil {
		d := Disagreement{Status: j.status, Fault: faults[0]}
		if j.op != nil {
			d.Operation = j.op.id
		}
		ct.options.Disagreement(j.c, d)
	}
	return false
}

// judge tells what is wrong with a value; nothing if it keeps the schema.
// kin-openapi decides, and is asked for one fault first: describing them costs
// more than finding one.
func (ct *Contract) judge(s *openapi3.Schema, value any) []Fault {
	if ct.keeps(s, value) {
		return nil
	}
	c := collector{ct: ct}
	c.collect(s, value, nil)
	return c.faults
}

// keeps tells whether a value keeps a schema.
func (ct *Contract) keeps(s *openapi3.Schema, value any) bool {
	return s.VisitJSON(value, ct.failFast...) == nil && (!hasLong(value) || ct.exact(s, value))
}

// scratch is where scalars are written as JSON.
var scratch = sync.Pool{New: func() any { return new([256]byte) }}

// accepts tells quickly that a scalar, given as text, keeps a schema. The checker
// reads it as the JSON that it would be, if it needs no escaping.
func (s *schema) accepts(text string, quoted bool) bool {
	space := scratch.Get().(*[256]byte)
	defer scratch.Put(space)
	if len(text)+2 > len(space) {
		return false
	}
	if !quoted {
		return s.fast.Valid(append(space[:0], text...))
	}
	document := space[:1]
	document[0] = '"'
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return s.fast.Valid(append(append(document, text...), '"'))
}

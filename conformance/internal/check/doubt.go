package check

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// sides are the cases of one clause of an operation, and what they were answered with.
//
// What breaks a clause may be refused for what it means: a currency of eleven letters
// is none, whether or not the document allows eleven. That says nothing of the clause,
// at first. But a server that refuses the value as it refuses those that keep the
// clause, and refuses otherwise what is farther outside, or is another word that is not
// listed, has its bound elsewhere, or another list.
type sides struct {
	*Session
	op       *openapi.Operation
	baseline signature
	refuses  []signature
	invalid  bool // there is a case that breaks the clause
	answers  []answered
}

// answered is a case and what came back.
type answered struct {
	generate.Case
	sig   signature
	ex    *wire.Exchange
	aside bool // it is refused for what has nothing to do with the clause
}

// refused tells whether an answer is a refusal that is not known to be one of the form.
func (t *sides) refused(a *answered) bool {
	switch a.sig.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusUnprocessableEntity:
	default: // such as 414, whose length is that of the whole
		return false
	}
	return !slices.Contains(t.refuses, a.sig) && (len(t.refuses) > 0 || !refusal(a.sig))
}

// samePlace tells whether two cases are aimed at the same place.
func samePlace(a, b *answered) bool { return a.In == b.In && a.Param == b.Param && a.At == b.At }

// open tells whether the answers leave open what a spare case may tell.
func (t *sides) open(spare *generate.Case) bool {
	like := &answered{Case: *spare}
	broken := slices.ContainsFunc(t.answers, func(a answered) bool { return a.Side == breaks && samePlace(&a, like) && t.refused(&a) })
	kept := !t.invalid && slices.ContainsFunc(t.answers, func(a answered) bool { return a.Side == keeps && samePlace(&a, like) && a.aside && t.refused(&a) })
	return broken || kept
}

// doubts judges answers by those to other cases of the clause.
func (t *sides) doubts() {
	for i := range t.answers {
		a := &t.answers[i]
		other := slices.IndexFunc(t.answers, func(b answered) bool {
			return b.Side == breaks && samePlace(a, &b) && refusal(b.sig) && b.sig != a.sig
		})
		switch {
		case other < 0 || !t.refused(a):
		case a.Side == keeps && a.aside && !t.invalid: // with a fault of its form it would be refused for that
			t.Coverage.Mark(a.Clause, SentValid|Judged)
		case a.Side == breaks && measures(a) && slices.ContainsFunc(t.answers, func(b answered) bool {
			return b.Side == keeps && samePlace(a, &b) && b.sig == a.sig
		}):
			t.Report(finding.Finding{
				Class: a.Class, Severity: finding.Advice, Pointer: a.Clause,
				Claim: fmt.Sprintf("refuses what breaks %s of %s as it refuses what keeps it", a.Keyword, place(a.Case)),
				Sent:  a.Why + "; and, for comparison, " + t.answers[other].Why,
				Got:   describe(a.ex), Expected: "a refusal like that of the other: " + describe(t.answers[other].ex),
				Steps: []wire.Exchange{*t.answers[other].ex, *a.ex},
			}, 0)
		}
	}
}

// measures tells whether the clause of a case lists values, or is a bound.
func measures(a *answered) bool {
	switch a.Keyword {
	case "enum", "const", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
		return true
	case "format":
		_, number := a.Value.(json.Number)
		return number
	}
	return false
}

// run sends the cases, and those that are spare where they tell more.
func (t *sides) run(ctx context.Context, cases []generate.Case) {
	t.invalid = slices.ContainsFunc(cases, func(c generate.Case) bool { return c.Side == breaks && !c.Spare })
	for i := range cases {
		if !cases[i].Spare && ctx.Err() == nil {
			t.try(ctx, cases[i])
		}
	}
	for i := range cases {
		if cases[i].Spare && ctx.Err() == nil && t.open(&cases[i]) {
			t.try(ctx, cases[i])
		}
	}
	t.doubts()
}

// try sends a case, and judges the answer.
func (t *sides) try(ctx context.Context, c generate.Case) {
	if c.Plain && t.plainly(t.op) {
		t.Coverage.Side(c.Clause, c.Side)
		if !t.invalid {
			t.Coverage.Mark(c.Clause, Judged)
		}
		return
	}
	ex := t.sendCase(ctx, c)
	if status := Status(ex); status == 0 || status == http.StatusTooManyRequests || status >= http.StatusInternalServerError {
		return // of which the judge of answers knows
	}
	t.answers = append(t.answers, answered{Case: c, sig: signatureOf(ex), ex: ex})
	a := &t.answers[len(t.answers)-1]
	switch c.Side {
	case breaks:
		if !OK(ex) && c.At != "" && t.namesOther(c, ex) && t.plainIs(ctx, t.op, a.sig) {
			break // the place is that of another fault, which is in the request anyway
		}
		t.judgeBroken(c, ex, t.baseline, t.refuses)
	case keeps:
		if !OK(ex) && (c.At != "" && t.namesOther(c, ex) || !c.Plain && t.plainIs(ctx, t.op, a.sig)) {
			a.aside = true // it is refused for another place, or as the request that has nothing special
			return
		}
		t.judgeKept(ctx, c, ex, t.baseline, t.refuses)
		if c.Plain && (OK(ex) || a.sig == t.baseline) {
			t.wentWell(t.op)
		}
		if !t.invalid {
			t.Coverage.Mark(c.Clause, Judged)
		}
	default: // either is right, as long as the answer is
		t.Coverage.Mark(c.Clause, Judged)
		return
	}
	t.Coverage.Side(c.Clause, c.Side)
}

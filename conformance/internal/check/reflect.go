package check

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// reflectProbes look for parts of a request in an answer where they do harm: B10
// in its header, L6 in what a browser renders. That of what operations answer is in
// answers.go.
func reflectProbes(r *Runner) []Probe {
	var all []Probe
	for _, op := range r.Document.Operations {
		p := probeOf("B10", op, probeLineBreak)
		p.Writes = !safe(op.Method)
		all = append(all, p)
	}
	return append(all, Probe{Name: "L6 unknown paths", Class: "L6", Run: probeMarkupAnywhere})
}

// planted is a request with something planted in it.
type planted struct {
	what    string
	request *wire.Request
}

// plant puts a text into each part of a valid request that takes text: escaped in
// the path, in the query and in cookies, and as JSON in the body. A free text that
// is declared is used, and parameters that are unknown too.
func (s *Session) plant(ctx context.Context, op *openapi.Operation, text, escaped string) []planted {
	d := s.draftFor(ctx, op)
	var all []planted
	add := func(what string, change func(d *generate.Draft, r *wire.Request)) {
		c := d.Clone()
		change(c, nil)
		if r, err := s.encode(c); err == nil {
			s.authorize(r, op, &sending{})
			change(nil, r)
			all = append(all, planted{what, r})
		}
	}
	for _, p := range op.Parameters {
		switch p.In {
		case "path":
			add("in the path parameter "+p.Name, func(d *generate.Draft, _ *wire.Request) {
				if d != nil {
					d.RawPath = map[string]string{p.Name: escaped}
				}
			})
		case "query":
			add("in the query parameter "+p.Name, func(d *generate.Draft, r *wire.Request) {
				if d != nil {
					delete(d.Query, p.Name)
				} else {
					r.Target += queryMark(r.Target) + p.Name + "=" + escaped
				}
			})
		case "header":
			add("in the header "+p.Name, func(_ *generate.Draft, r *wire.Request) {
				if r != nil {
					setField(r, p.Name, escaped)
				}
			})
		}
	}
	for _, name := range []string{"conformance", "callback", "return_to"} {
		add("in an unknown query parameter", func(_ *generate.Draft, r *wire.Request) {
			if r != nil {
				r.Target += queryMark(r.Target) + name + "=" + escaped
			}
		})
	}
	if d.HasBody && isJSON(d.ContentType) {
		for _, p := range spots(bodySchema(op)) {
			if p.freeText() {
				add("in the body's "+p.at, func(d *generate.Draft, _ *wire.Request) {
					if d != nil {
						putAt(d.Body, p.at, text)
					}
				})
			}
		}
		add("as an unknown property", func(d *generate.Draft, _ *wire.Request) {
			if object, ok := bodyOfDraft(d).(map[string]any); ok {
				object[text] = text
			}
		})
	}
	return all
}

func bodyOfDraft(d *generate.Draft) any {
	if d == nil {
		return nil
	}
	return d.Body
}

func queryMark(target string) string {
	if strings.Contains(target, "?") {
		return "&"
	}
	return "?"
}

// A line break and a header, as text and escaped: short, for texts may not be long.
const (
	breakText    = "a\r\nX-Cnf: 1"
	breakEscaped = "a%0d%0aX-Cnf:%201"
	injected     = "X-Cnf"
)

// probeLineBreak plants a line break: B10.
func probeLineBreak(ctx context.Context, s *Session) {
	op := s.probe.Op
	for _, p := range s.plant(ctx, op, breakText, breakEscaped) {
		ex := s.do(ctx, p.request)
		s.recorder.add(ex)
		if ctx.Err() != nil {
			return
		}
		answer := ex.Response
		if answer == nil {
			answer = ex.Partial // a broken header may be no HTTP any more
		}
		if answer == nil {
			continue
		}
		s.fixtures.harvest(op, ex)
		if answer.Get(injected) != "" || bytes.Contains(answer.Head, []byte("\n"+injected)) {
			s.Report(finding.Finding{
				Severity: finding.Must, Pointer: op.Pointer, RFC: "RFC 9110 5.5", Claim: "Lets a line break " + p.what + " into its header",
				Sent: "a line break and a header " + p.what, Expected: "a refusal, or no header " + injected, Got: injected + ": 1",
			}, 1)
		}
	}
}

// probeMarkupAnywhere puts [Canary] into paths that are not there: L6. That it comes
// back as it is, is for the judge of answers to see.
func probeMarkupAnywhere(ctx context.Context, s *Session) {
	escaped := url.PathEscape(Canary)
	for _, request := range []*wire.Request{
		{Method: http.MethodGet, Target: s.path("/" + escaped)},
		{Method: http.MethodPost, Target: s.path("/conformance?x=" + escaped)},
		{Method: http.MethodGet, Target: s.path("/" + strings.ReplaceAll(Canary, "&", "%26"))},
	} {
		request.Header = []wire.Field{{Name: "Accept", Value: "text/html, */*;q=0.1"}}
		s.SendRaw(ctx, nil, request)
	}
}

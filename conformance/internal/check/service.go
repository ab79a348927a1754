package check

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// serviceProbes are those of group O about time, rate and the ways of transport.
func serviceProbes(r *Runner) []Probe {
	var all []Probe
	for _, op := range r.Document.Operations {
		if amount(op.Extensions[openapi.ExtLatencyBudget]) > 0 {
			p := probeOf("O7", op, probeLatency)
			p.Alone, p.Writes = true, !safe(op.Method)
			all = append(all, p)
		}
		if op.Extensions[openapi.ExtRateLimit] != nil {
			p := probeOf("O8", op, probeRateLimit)
			p.Alone, p.Late, p.Writes = true, true, !safe(op.Method)
			all = append(all, p)
		}
		if op.Responses["202"] != nil {
			p := writing(probeOf("O10", op, probeJob))
			p.Clauses = []string{op.StatusPointer("202")}
			all = append(all, p)
		}
		if stream := streamed(op); stream != nil {
			p := probeOf("O11", op, probeStream)
			p.Writes, p.Clauses = !safe(op.Method), []string{stream.Pointer}
			all = append(all, p)
		}
		if op.Method == http.MethodGet {
			all = append(all, probeOf("O12", op, probeHTTP2))
		}
	}
	return all
}

// probeLatency measures some answers: O7. Half of them must be within the budget:
// a machine may be busy with something else for a moment.
func probeLatency(ctx context.Context, s *Session) {
	op := s.probe.Op
	budget := time.Duration(amount(op.Extensions[openapi.ExtLatencyBudget])) * time.Millisecond
	var took []time.Duration
	for range 5 {
		ex := s.Send(ctx, s.there(ctx, op, !safe(op.Method)))
		if ex.Response != nil && !busy(ex) {
			took = append(took, ex.Took)
		}
	}
	if len(took) == 0 {
		s.Skip("the server is busy, or does not answer")
	}
	slices.Sort(took)
	if median := took[len(took)/2]; median > budget {
		s.Report(finding.Finding{
			Severity: finding.Must, Pointer: openapi.Join(op.Pointer, openapi.ExtLatencyBudget), Claim: "Takes longer than its latency budget",
			Sent: "five valid requests, one after the other", Expected: "answers within " + budget.String(), Got: "a median of " + median.Round(time.Millisecond).String(),
		}, len(took))
	}
}

// mostRequests bounds how high a rate limit can be that is tried.
const mostRequests = 1000

// probeRateLimit sends more than is allowed: O8. Afterwards it waits until the limit
// has forgotten it.
func probeRateLimit(ctx context.Context, s *Session) {
	op := s.probe.Op
	limit, _ := op.Extensions[openapi.ExtRateLimit].(map[string]any) // what is no object has nothing in it
	requests, seconds := int(amount(limit["requests"])), amount(limit["seconds"])
	if requests < 1 || seconds <= 0 || requests > mostRequests {
		s.Skip("its limit is too high to be tried")
	}
	period := time.Duration(seconds * float64(time.Second))
	wait(ctx, period)
	begun, got, refused := time.Now(), 0, false
	for got < 2*requests+5 && !refused && time.Since(begun) < period {
		ex := s.Send(ctx, s.there(ctx, op, false), Changed(func(r *wire.Request) { r.WantThrottled = true }))
		if ctx.Err() != nil {
			return
		}
		refused = Status(ex) == http.StatusTooManyRequests
		got++
	}
	if names(op, http.StatusTooManyRequests) && (refused || got > requests) {
		s.Coverage.Mark(op.StatusPointer("429"), Judged)
	}
	switch {
	case !refused && got > requests:
		s.Report(finding.Finding{
			Severity: finding.Must, Pointer: openapi.Join(op.Pointer, openapi.ExtRateLimit), RFC: "RFC 6585 4", Claim: "Does not enforce its rate limit",
			Sent: fmt.Sprintf("%d requests within %s", got, period), Expected: "429 Too Many Requests", Got: fmt.Sprintf("%d answers, none of them 429", got),
		}, 3)
	case !refused:
		s.Skip("the server is too slow for its limit to be reached")
	}
	wait(ctx, period)
}

// monitor is where an answer says that its job can be watched; empty: it does not.
func monitor(ex *wire.Exchange) string {
	for _, name := range []string{"Location", "Content-Location", "Operation-Location", "Azure-AsyncOperation"} {
		if v := ex.Response.Get(name); v != "" {
			return v
		}
	}
	for _, line := range ex.Response.Values("Link") {
		target, parameters, _ := strings.Cut(line, ">")
		if strings.Contains(parameters, "monitor") {
			return strings.TrimPrefix(strings.TrimSpace(target), "<")
		}
	}
	return ""
}

// probeJob follows what is accepted with 202: O10. Whether it comes to an end is
// only known where the document says how that is seen.
func probeJob(ctx context.Context, s *Session) {
	op := s.probe.Op
	ex := s.Send(ctx, s.there(ctx, op, !safe(op.Method)))
	if Status(ex) != http.StatusAccepted {
		s.Skip("it does not answer 202")
	}
	f := finding.Finding{Severity: finding.Must, Pointer: op.StatusPointer("202"), RFC: "RFC 9110 15.3.3", Sent: "a valid request"}
	where := monitor(ex)
	job, declared := op.Extensions[openapi.ExtJob].(map[string]any)
	if where == "" {
		if declared {
			f.Claim, f.Expected, f.Got = "Accepts a job without saying where its state is", "Location", "no Location"
			s.Report(f, 1)
		}
		return
	}
	reference, err := url.Parse(where)
	if err != nil {
		return // of which the judge of answers knows
	}
	target := (&url.URL{Scheme: s.Base.Scheme, Host: s.Base.Host, Path: "/"}).JoinPath().ResolveReference(
		s.resolved(ex.Request.Target, reference))
	until := time.Now().Add(2 * time.Second)
	if declared {
		until = time.Now().Add(time.Duration(amount(job["seconds"]) * float64(time.Second)))
	}
	status, _ := job["status"].(string) // what is no text is no pointer
	done, _ := job["done"].([]any)      // what is no list has nothing in it
	failed, _ := job["failed"].([]any)  // likewise
	for {
		seen := s.follows(ctx, op, target.RequestURI())
		if ctx.Err() != nil {
			return
		}
		state, has := pick(bodyOf(seen), status)
		switch {
		case OK(seen) && !declared, has && slices.ContainsFunc(slices.Concat(done, failed), func(end any) bool { return same(end, state) }):
			s.Coverage.Mark(op.StatusPointer("202"), Judged)
			return
		case time.Now().After(until):
			f.Claim, f.Expected, f.Got = "Accepts a job that does not come to an end in time", fmt.Sprintf("one of %v", slices.Concat(done, failed)), fmt.Sprintf("%v", state)
			if !OK(seen) {
				f.Claim, f.Expected, f.Got = "Accepts a job whose state cannot be read", "200 OK", describe(seen)
			}
			s.Report(f, 2)
			return
		}
		if !wait(ctx, pause(seen)) {
			return
		}
	}
}

// resolved gives a reference in an answer as an absolute one (RFC 3986 5.2).
func (s *Session) resolved(target string, reference *url.URL) *url.URL {
	base, err := url.Parse(target)
	if err != nil {
		return reference
	}
	return base.ResolveReference(reference)
}

// follows reads what a target names, with the credentials of who asked for it.
func (s *Session) follows(ctx context.Context, op *openapi.Operation, target string) *wire.Exchange {
	var read *openapi.Operation
	for _, t := range s.routesOf(target) {
		if read = t.op(http.MethodGet); read != nil {
			break
		}
	}
	request := &wire.Request{Method: http.MethodGet, Target: target}
	credentials := op
	if read != nil {
		credentials = read
	}
	s.authorize(request, credentials, &sending{})
	return s.SendRaw(ctx, read, request)
}

// pause is how long to wait before asking again: what Retry-After says, up to a
// second.
func pause(ex *wire.Exchange) time.Duration {
	if ex.Response != nil {
		if seconds, err := strconv.Atoi(ex.Response.Get("Retry-After")); err == nil && seconds >= 0 {
			return min(time.Duration(seconds)*time.Second, time.Second) + 50*time.Millisecond
		}
	}
	return 200 * time.Millisecond
}

// streamed is the media type of a success that is a stream of values; nil if there
// is none.
func streamed(op *openapi.Operation) *openapi.MediaType {
	response := given(op)
	if response == nil {
		return nil
	}
	for _, m := range response.Content {
		if slices.Contains(streams, baseType(m.Type)) && m.Schema != nil && !slices.Equal(m.Schema.Types, []string{"string"}) {
			return m
		}
	}
	return nil
}

// streams are media types of many JSON values: of server-sent events (HTML, 9.2),
// JSON lines, and RFC 7464.
var streams = []string{"text/event-stream", "application/x-ndjson", "application/jsonl", "application/x-jsonlines", "application/json-seq"}

// events takes a stream apart. What comes after the last end of an event is left
// out: it may be cut off.
func events(mediaType string, body []byte) (all [][]byte) {
	if mediaType != "text/event-stream" {
		separator := byte('\n')
		if mediaType == "application/json-seq" {
			separator = 0x1e
		}
		lines := bytes.Split(body, []byte{separator})
		for i, line := range lines {
			if line = bytes.TrimSpace(line); len(line) > 0 && (i < len(lines)-1 || separator == 0x1e) {
				all = append(all, line)
			}
		}
		return all
	}
	body = bytes.ReplaceAll(bytes.ReplaceAll(bytes.TrimPrefix(body, []byte("\ufeff")), []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	blocks := bytes.Split(body, []byte("\n\n"))
	for i, block := range blocks {
		if i == len(blocks)-1 {
			break // not ended by an empty line: it is to be dropped
		}
		var data [][]byte
		for line := range bytes.SplitSeq(block, []byte("\n")) {
			if rest, found := bytes.CutPrefix(line, []byte("data:")); found {
				data = append(data, bytes.TrimPrefix(rest, []byte(" ")))
			}
		}
		if len(data) > 0 {
			all = append(all, bytes.Join(data, []byte("\n")))
		}
	}
	return all
}

// probeStream judges each value of a stream by the schema: O11.
func probeStream(ctx context.Context, s *Session) {
	op := s.probe.Op
	m := streamed(op)
	ex := s.Send(ctx, s.there(ctx, op, !safe(op.Method)), Changed(func(r *wire.Request) {
		setField(r, "Accept", m.Type)
		r.Stream, r.Timeout = true, 3*time.Second
	}))
	if !OK(ex) || baseType(ex.Response.Get("Content-Type")) != baseType(m.Type) {
		s.Skip("it does not stream")
	}
	all := events(baseType(m.Type), ex.Response.Body)
	for i, data := range all {
		f := finding.Finding{
			Severity: finding.Must, Pointer: m.Schema.Pointer, Sent: "a valid request", Expected: "values of the schema of the stream", Got: clip(data),
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		var v any
		switch err := decoder.Decode(&v); {
		case err != nil:
			f.Claim = "Streams an event whose data is no JSON"
		case !s.keeps(m.Schema, v, openapi.Answer):
			f.Claim = "Streams an event that breaks its schema"
		default:
			continue
		}
		f.Got = fmt.Sprintf("event %d: %s", i+1, f.Got)
		s.Report(f, 1)
	}
	if len(all) > 0 {
		s.Coverage.Mark(m.Pointer, Judged)
	}
}

// probeHTTP2 asks for the same over HTTP/1.1 and HTTP/2: O12, if the server speaks
// it. What is compared is what does not depend on the version.
func probeHTTP2(ctx context.Context, s *Session) {
	op := s.probe.Op
	d := s.there(ctx, op, false)
	for range 3 {
		request := s.prepared(ctx, d, Own)
		before := s.SendRaw(ctx, op, request)
		if !OK(before) || before.Response.Unfinished {
			s.Skip("GET does not succeed")
		}
		ex := s.client.DoHTTP2(ctx, request)
		if ex.Response == nil {
			s.Skip("the server does not speak HTTP/2 here")
		}
		s.recorder.add(ex)
		after := s.SendRaw(ctx, op, request)
		if after.Response == nil || !alikeAnswers(before.Response, after.Response) {
			continue
		}
		f := finding.Finding{Severity: finding.Must, Pointer: op.Pointer, RFC: "RFC 9113 8", Sent: "a valid request over HTTP/2"}
		switch {
		case busy(ex):
		case ex.Response.Status != before.Response.Status:
			f.Claim, f.Expected, f.Got = "Answers over HTTP/2 with another status than over HTTP/1.1", before.Response.StatusText(), ex.Response.StatusText()
			s.Report(f, 3)
		case !sameJSON(ex.Response.Body, before.Response.Body):
			f.Claim, f.Expected, f.Got = "Answers over HTTP/2 with another body than over HTTP/1.1", clip(before.Response.Body), clip(ex.Response.Body)
			s.Report(f, 3)
		case baseType(ex.Response.Get("Content-Type")) != baseType(before.Response.Get("Content-Type")):
			f.Claim, f.Expected, f.Got = "Answers over HTTP/2 in another type than over HTTP/1.1", before.Response.Get("Content-Type"), ex.Response.Get("Content-Type")
			s.Report(f, 3)
		default:
			s.sameHeaders(before.Response, after.Response, ex.Response, f)
		}
		return
	}
	s.Skip("what GET gives changes all the time")
}

// sameHeaders judges that headers which do not change come over HTTP/2 as well.
func (s *Session) sameHeaders(before, after, other *wire.Response, f finding.Finding) {
	for _, field := range before.Header {
		was, is, got := before.Get(field.Name), after.Get(field.Name), other.Get(field.Name)
		if isPassing(field.Name) || was != is || got == was || slices.Contains([]string{"content-length", "alt-svc", "upgrade", "via"}, strings.ToLower(field.Name)) {
			continue
		}
		f.Severity = finding.Should
		f.Claim = "Sends " + http.CanonicalHeaderKey(field.Name) + " over HTTP/2 with another value than over HTTP/1.1"
		f.Expected, f.Got = field.Name+": "+was, field.Name+": "+got
		s.Report(f, 3)
	}
}

package check

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// robustProbes are those of group O that send what is too much, too little, or no
// HTTP. They run late: a server may not be well afterwards, which the last of them
// looks at.
func robustProbes(r *Runner) []Probe {
	var all []Probe
	late := func(p Probe) {
		p.Late, p.Writes = true, p.Op != nil && !safe(p.Op.Method)
		all = append(all, p)
	}
	for _, op := range r.Document.Operations {
		late(probeOf("O6", op, probeOversizeHead))
		if bodySchema(op) == nil {
			continue
		}
		late(probeOf("O1", op, probeOversizeBody))
		late(probeOf("O2", op, probeDeep))
		late(probeOf("O3", op, probeTruncated))
	}
	late(Probe{Name: "O13 health", Class: "O13", Run: probeHealth})
	all[len(all)-1].Writes = true
	return append(all, serviceProbes(r)...)
}

// bodyRequest gives a request with a JSON body for the probe's operation.
func (s *Session) bodyRequest(ctx context.Context) *wire.Request {
	op := s.probe.Op
	d := s.there(ctx, op, false)
	if !d.HasBody || !isJSON(d.ContentType) {
		s.Skip("its body cannot be made")
	}
	return s.prepared(ctx, d, Own)
}

// usualLimit is a size that a server which declares 413 surely has its limit below:
// none declares how much that is in OpenAPI.
const usualLimit = 8 << 20

// likelyLimit is a size that most such servers have their limit below.
const likelyLimit = 1 << 20

// probeOversizeBody sends a valid body with white space (RFC 8259 2) up to more
// than the limit: O1. Where no limit is declared, one may be accepted.
func probeOversizeBody(ctx context.Context, s *Session) {
	op := s.probe.Op
	limit := amount(op.Extensions[openapi.ExtBodyLimit])
	if limit == 0 {
		limit = amount(s.Document.Extensions[openapi.ExtBodyLimit])
	}
	size := likelyLimit
	if limit > 0 {
		size = int(limit) + 1
	}
	request := s.bodyRequest(ctx)
	request.Body = append(request.Body, bytes.Repeat([]byte(" "), max(0, size-len(request.Body)))...)
	if limit > 0 {
		s.overLimit(s.hostile(ctx, op, request, attack{what: "a body of a byte more than the limit"}))
		request = copyOf(request)
		request.Body = append(request.Body, bytes.Repeat([]byte(" "), 4<<20)...)
		s.overLimit(s.hostile(ctx, op, request, attack{what: "a body of 4 MiB more than the limit"}))
	} else {
		ex := s.hostile(ctx, op, request, attack{what: "a body of 1 MiB"})
		if Status(ex) != http.StatusRequestEntityTooLarge {
			request = copyOf(request)
			request.Body = append(request.Body, bytes.Repeat([]byte(" "), usualLimit)...)
			ex = s.hostile(ctx, op, request, attack{what: "a body of more than 8 MiB"})
		}
		if ex.Response == nil || ex.Response.Status != http.StatusRequestEntityTooLarge {
			return
		}
		s.Coverage.Mark(op.StatusPointer("413"), Judged)
	}
	if after := s.Send(ctx, s.there(ctx, op, false), As(Anonymous)); after.Response == nil && !errors.Is(after.Err, context.Canceled) {
		s.Report(finding.Finding{
			Severity: finding.Must, Pointer: op.Pointer, Claim: "Does not answer after a body that was too large",
			Sent: "a request after an oversized one", Expected: "any answer", Got: describe(after),
		}, 2)
	}
}

// overLimit judges the answer to a body over the declared limit.
func (s *Session) overLimit(ex *wire.Exchange) {
	op := s.probe.Op
	status := Status(ex)
	if busy(ex) || failed(ex) || status == http.StatusUnauthorized || status == http.StatusForbidden {
		return
	}
	pointer := openapi.Join(op.Pointer, "responses")
	if names(op, http.StatusRequestEntityTooLarge) {
		pointer = op.StatusPointer("413")
		s.Coverage.Mark(pointer, Judged)
	}
	if status != http.StatusRequestEntityTooLarge {
		s.Report(finding.Finding{
			Severity: finding.Must, Pointer: pointer, RFC: "RFC 9110 15.5.14", Claim: "Does not refuse a body over the declared limit with 413",
			Sent: "a valid body, and white space up to over " + openapi.ExtBodyLimit, Expected: "413 Content Too Large", Got: describe(ex),
		}, 1)
	}
}

// amount reads a number of an extension; 0 if it is none.
func amount(v any) float64 {
	n, ok := rational(v)
	if f, isFloat := v.(float64); isFloat {
		return f
	}
	if !ok {
		return 0
	}
	f, _ := n.Float64()
	return f
}

// probeDeep sends documents that are nested deeply, or long: O2. They are JSON, but
// nothing that a schema of an object allows.
func probeDeep(ctx context.Context, s *Session) {
	op := s.probe.Op
	const depth = 100_000
	for _, doc := range []struct {
		what string
		body []byte
	}{
		{"an array in an array, a hundred thousand times", slices.Concat(bytes.Repeat([]byte("["), depth), bytes.Repeat([]byte("]"), depth))},
		{"an object in an object, a hundred thousand times", slices.Concat(bytes.Repeat([]byte(`{"a":`), depth), []byte("1"), bytes.Repeat([]byte("}"), depth))},
		{"a hundred thousand opening brackets", bytes.Repeat([]byte("["), depth)},
		{"an array in an array, two thousand times", slices.Concat(bytes.Repeat([]byte("["), 2000), bytes.Repeat([]byte("]"), 2000))},
		{"an object in an object, two thousand times", slices.Concat(bytes.Repeat([]byte(`{"a":`), 2000), []byte("1"), bytes.Repeat([]byte("}"), 2000))},
		{"an array of ten thousand numbers", slices.Concat([]byte("[0"), bytes.Repeat([]byte(",0"), 10_000), []byte("]"))},
		{"an object of three thousand properties", manyProperties(3000)},
		{"an array of a quarter of a million numbers", slices.Concat([]byte("[0"), bytes.Repeat([]byte(",0"), 250_000), []byte("]"))},
		{"an object of fifty thousand properties", manyProperties(50_000)},
		{"a number of a hundred thousand digits", slices.Concat([]byte(`{"a":`), bytes.Repeat([]byte("9"), depth), []byte("}"))},
		{"a number with an exponent of nine digits", []byte(`{"a":1e999999999}`)},
	} {
		request := s.bodyRequest(ctx)
		request.Body = doc.body
		ex := s.hostile(ctx, op, request, attack{what: doc.what, kind: "a document that is very deep or long"})
		if OK(ex) && s.refusesJSON(op, doc.body) {
			s.Report(finding.Finding{
				Severity: finding.Must, Pointer: openapi.Join(op.Body.Pointer, "content"), Claim: "Takes a document that is very deep or long for its body",
				Sent: doc.what, Expected: "a refusal (4xx)", Got: describe(ex),
			}, 1)
		}
	}
}

// refusesJSON tells whether a body is no JSON, or breaks the operation's schema.
func (s *Session) refusesJSON(op *openapi.Operation, body []byte) bool {
	if len(body) > 1<<20 {
		return false
	}
	if body[0] == '[' {
		return !bodySchema(op).Allows("array") || !bytes.HasSuffix(body, []byte("]"))
	}
	return bodySchema(op).Closed
}

func manyProperties(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"a0":0`)
	for i := 1; i < n; i++ {
		b.WriteString(`,"a` + itoa(i) + `":0`)
	}
	b.WriteString("}")
	return b.Bytes()
}

// hangs is how long the end of a request that is cut off may be waited for.
const hangs = 5 * time.Second

// probeTruncated sends less, or more, than Content-Length says: O3. Where more could
// come the connection ends after it, and where the framing is broken (RFC 9112 6.3)
// nothing need be waited for either.
func probeTruncated(ctx context.Context, s *Session) {
	op := s.probe.Op
	whole := s.bodyRequest(ctx)
	if len(whole.Body) < 4 {
		s.Skip("its body is too short to be cut off")
	}
	half := whole.Body[:len(whole.Body)/2]
	chunk := func(b []byte) []byte {
		return slices.Concat([]byte(hex(len(b))+"\r\n"), b, []byte("\r\n"))
	}
	for _, cut := range []struct {
		what   string
		name   string
		value  string
		body   []byte
		end    bool // of the connection: there is nothing more to be waited for
		always bool // no answer of success is right
	}{
		{"half of a body, and the end of the connection", "Content-Length", itoa(len(whole.Body)), half, true, true},
		{"a body that is shorter than Content-Length, and the end of the connection", "Content-Length", itoa(len(whole.Body) + 40), whole.Body, true, false},
		{"half of a body in a chunk, and the end of the connection", "Transfer-Encoding", "chunked", chunk(half), true, true},
		{"a chunk that is cut off, and the end of the connection", "Transfer-Encoding", "chunked", slices.Concat([]byte(hex(len(whole.Body))+"\r\n"), half), true, true},
		{"a chunk whose length is no number", "Transfer-Encoding", "chunked", slices.Concat([]byte("xyz\r\n"), whole.Body, []byte("\r\n0\r\n\r\n")), false, true},
		{"a Content-Length that is no number", "Content-Length", "abc", whole.Body, false, true},
		{"a negative Content-Length", "Content-Length", "-1", whole.Body, false, true},
		{"a Content-Length that ends within the body", "Content-Length", itoa(len(half)), whole.Body, false, true},
	} {
		request := copyOf(whole)
		request.Body, request.CloseWrite, request.Timeout = cut.body, cut.end, hangs
		setField(request, cut.name, cut.value)
		ex := s.hostile(ctx, op, request, attack{what: cut.what, kind: "a body that is cut off, or whose end cannot be told", mayHangUp: true})
		if errors.Is(ex.Err, wire.ErrTimeout) {
			return // it would be the same again, and takes long
		}
		if !OK(ex) {
			continue
		}
		f := finding.Finding{
			Severity: finding.Should, Pointer: op.Pointer, RFC: "RFC 9112 8", Claim: "Takes a request that is not complete",
			Sent: cut.what, Expected: "400 Bad Request, or the end of the connection", Got: describe(ex),
		}
		if cut.always {
			f.Severity, f.Claim = finding.Must, "Takes a body that is cut off, or whose end cannot be told"
		}
		s.Report(f, 1)
	}
}

func hex(n int) string {
	const digits = "0123456789abcdef"
	text := ""
	for ; n > 0 || text == ""; n /= 16 {
		text = string(digits[n%16]) + text
	}
	return text
}

// probeOversizeHead sends many and long headers and parameters: O6. Whether they
// are taken or refused, an answer comes.
func probeOversizeHead(ctx context.Context, s *Session) {
	op := s.probe.Op
	d := s.draftFor(ctx, op)
	for _, much := range []struct {
		what   string
		change func(*wire.Request)
		hangUp bool
	}{
		{"two hundred headers", func(r *wire.Request) {
			for i := range 200 {
				r.Header = append(r.Header, wire.Field{Name: "X-Conformance-" + itoa(i), Value: "x"})
			}
		}, false},
		{"a header of 32 KiB", func(r *wire.Request) { setField(r, "X-Conformance", strings.Repeat("x", 32<<10)) }, false},
		{"headers of 2 MiB", func(r *wire.Request) {
			for i := range 64 {
				r.Header = append(r.Header, wire.Field{Name: "X-Conformance-" + itoa(i), Value: strings.Repeat("x", 32<<10)})
			}
		}, true},
		{"a query of 16 KiB", func(r *wire.Request) { withQuery(r, "conformance", strings.Repeat("x", 16<<10)) }, false},
		{"two thousand parameters", func(r *wire.Request) {
			for range 2000 {
				withQuery(r, "z", "1")
			}
		}, false},
	} {
		request := s.prepared(ctx, d, Anonymous)
		if safe(op.Method) {
			request = s.prepared(ctx, d, Own)
		}
		much.change(request)
		s.hostile(ctx, op, request, attack{what: much.what, kind: "too many or too long headers or parameters", mayHangUp: much.hangUp})
	}
}

// probeHealth does what has succeeded before, after all that was sent since, and
// after the worst of it once more: O13.
func probeHealth(ctx context.Context, s *Session) {
	var well []*generate.Draft
	for _, op := range s.Document.Operations {
		if op.Method != http.MethodGet || len(prefixes(op.Path)) > 0 || len(well) == 5 {
			continue
		}
		if _, ok := s.Alternative(op, Own); !ok {
			continue
		}
		d := s.there(ctx, op, false)
		if OKStatus(s.baseline(ctx, op).status) || s.neverFailed(op) {
			well = append(well, d)
		}
	}
	if len(well) == 0 {
		s.Skip("nothing has succeeded that could be tried again")
	}
	s.recorder.mu.Lock()
	s.recorder.exchanges = nil // the answers that count are those at the end
	s.recorder.mu.Unlock()
	s.worst(ctx)
	for _, d := range well {
		ex := s.do(ctx, s.prepared(ctx, d, Own))
		s.recorder.add(ex)
		if ctx.Err() == nil && (ex.Response == nil || ex.Response.Status >= 500) {
			s.Report(finding.Finding{
				Severity: finding.Must, Operation: d.Op.ID, Pointer: d.Op.Pointer, Claim: "Does not work any more after hostile input",
				Sent: "a valid request, after malformed, oversized and cut off ones", Expected: "the success that it was answered with before", Got: describe(ex),
			}, 8)
			return
		}
	}
}

// neverFailed tells whether an operation succeeded before, and never failed with a 5xx.
func (s *Session) neverFailed(op *openapi.Operation) bool {
	statuses := s.Coverage.Statuses(op.ID)
	for status := range statuses {
		if status >= http.StatusInternalServerError {
			return false
		}
	}
	return statuses[http.StatusOK] > 0
}

// worst sends what servers break down over.
func (s *Session) worst(ctx context.Context) {
	tried := 0
	for _, op := range s.Document.Operations {
		_, ok := s.Alternative(op, Own)
		if bodySchema(op) == nil || len(prefixes(op.Path)) > 0 || !ok || tried == 3 {
			continue
		}
		tried++
		for _, change := range []func(*wire.Request){
			func(r *wire.Request) { r.Body = []byte(`{"conformance":`) },
			func(r *wire.Request) { r.Body = bytes.Repeat([]byte("["), 20_000) },
			func(r *wire.Request) { r.Body = bytes.Repeat([]byte(" "), 1<<20) },
			func(r *wire.Request) { setField(r, "X-Conformance", strings.Repeat("x", 128<<10)) },
			func(r *wire.Request) { withQuery(r, "conformance", strings.Repeat("x", 32<<10)) },
			func(r *wire.Request) { setField(r, "X-Conformance", "\xff\xfe") },
		} {
			request := s.prepared(ctx, s.NewDraft(op), Own)
			change(request)
			s.recorder.add(s.do(ctx, request))
		}
	}
}

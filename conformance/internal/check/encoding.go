package check

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// encodingProbes are those of group K that need requests of their own: whether
// values survive. A server may refuse
// a value for a reason that no schema tells; what it takes it must give back.
func encodingProbes(r *Runner) []Probe {
	var all []Probe
	for _, op := range r.Document.Operations {
		if op.Method == http.MethodGet {
			all = append(all, probeOf("K6", op, probeGzip))
		}
		schema := bodySchema(op)
		if slices.ContainsFunc(op.Parameters, func(p *openapi.Parameter) bool { return p.In == "query" }) ||
			slices.ContainsFunc(spots(schema), func(p spot) bool { return p.isA("string") }) {
			p := probeOf("K2", op, probeNUL)
			p.Writes = !safe(op.Method)
			all = append(all, p)
		}
		if schema == nil {
			continue
		}
		all = append(all, writing(probeOf("K7", op, probeMark)))
		for _, k := range []struct {
			class string
			fits  func(spot) bool
			run   func(context.Context, *Session)
		}{
			{"K1", spot.freeText, probeUnicode},
			{"K4", func(p spot) bool { return p.freeText() && r.strict(openapi.StrictText) }, probeVerbatim},
			{"K5", func(p spot) bool { return p.isA("integer") || p.isA("number") }, probeDigits},
			{"K8", func(p spot) bool { return p.isA("string") && p.schema.Format == "date-time" }, probeInstants},
		} {
			if slices.ContainsFunc(spots(schema), k.fits) {
				all = append(all, writing(probeOf(k.class, op, k.run)))
			}
		}
	}
	return all
}

// trial is a value for a spot.
type trial struct {
	what  string
	value any
}

// eachEcho sends values to spots, one after the other, and calls judge with what
// came back for each that was taken.
func (s *Session) eachEcho(ctx context.Context, fits func(spot) bool, trials func(spot) []trial, judge func(p spot, v trial, echo any)) {
	op := s.probe.Op
	taken := false
	for _, p := range spots(bodySchema(op)) {
		if !fits(p) {
			continue
		}
		for _, v := range trials(p) {
			if !s.keeps(p.schema, v.value, openapi.Request) {
				continue
			}
			t := s.roundTrip(ctx, op, map[string]any{p.at: v.value})
			if t == nil || !OK(t.ex) {
				continue
			}
			for _, echo := range t.echoes(p.at) {
				taken = true
				judge(p, v, echo)
			}
		}
	}
	if !taken {
		s.Skip("nothing that was sent was taken and given back")
	}
}

// lost is the finding that a value did not come back.
func (s *Session) lost(p spot, v trial, echo any, severity finding.Severity, claim string) {
	s.Report(finding.Finding{
		Severity: severity, Pointer: p.schema.Pointer, Claim: claim + " of " + p.at,
		Sent: fmt.Sprintf("%s: %q", v.what, fmt.Sprint(v.value)), Expected: fmt.Sprintf("%q", fmt.Sprint(v.value)), Got: fmt.Sprintf("%q", fmt.Sprint(echo)),
	}, 0)
}

// Text beyond the basic plane, of several code points to a character, and with
// marks that no composed character has: normalisation does not change it.
const (
	astral   = "\U0001F469\u200D\U0001F4BB \U00010348 x\u0302 \U0001F3F3\uFE0F\u200D\U0001F308"
	short    = "\U0001F511\U00020BB7"
	verbatim = "  e\u0301\u212B\uFB01  a\t"
)

func probeUnicode(ctx context.Context, s *Session) {
	s.eachEcho(ctx, spot.freeText, func(spot) []trial {
		return []trial{{"emoji, a joiner and combining marks", astral}, {"characters beyond the basic plane", short}}
	}, func(p spot, v trial, echo any) {
		// Trimming and normalisation are K4.
		if canonical(echo) != canonical(v.value) {
			s.lost(p, v, echo, finding.Must, "Changes text beyond the basic plane or with combining marks")
		}
	})
}

func canonical(v any) string { return norm.NFC.String(strings.TrimSpace(fmt.Sprint(v))) }

// probeVerbatim sends text that is often tidied up: K4, where the document says
// that it is not.
func probeVerbatim(ctx context.Context, s *Session) {
	s.eachEcho(ctx, spot.freeText, func(spot) []trial {
		return []trial{
			{"decomposed characters, a ligature and spaces", verbatim}, {"a decomposed character", "ne\u0301e"},
			{"spaces around it", "  ab  "}, {"a line break of two characters", "a\r\nb"},
		}
	}, func(p spot, v trial, echo any) {
		if echo != v.value {
			s.lost(p, v, echo, finding.Should, "Trims or normalises the text")
		}
	})
}

// probeDigits sends numbers that do not fit into what is often used for them: K5.
func probeDigits(ctx context.Context, s *Session) {
	s.eachEcho(ctx, func(p spot) bool { return p.isA("integer") || p.isA("number") }, func(p spot) []trial {
		if p.isA("integer") {
			if p.schema.Format == "int32" {
				return nil
			}
			return []trial{{"2^53+1", json.Number("9007199254740993")}, {"the greatest of 64 bits", json.Number("9223372036854775807")}}
		}
		if p.schema.Format == "float" {
			return nil
		}
		var all []trial
		for _, text := range []string{"0.1", "0.7", "19.99", "1.005", "33333.33", "1234567.891", "16777217"} {
			all = append(all, trial{"a number of few decimals", json.Number(text)})
		}
		return all
	}, func(p spot, v trial, echo any) {
		a, ok := rational(v.value)
		b, isNumber := rational(echo)
		if ok && isNumber && a.Cmp(b) != 0 {
			s.lost(p, v, echo, finding.Must, "Loses digits of the number")
		}
	})
}

// probeInstants sends instants in other offsets than UTC: K8.
func probeInstants(ctx context.Context, s *Session) {
	op := s.probe.Op
	d := s.NewDraft(op)
	s.eachEcho(ctx, func(p spot) bool { return p.isA("string") && p.schema.Format == "date-time" }, func(p spot) []trial {
		at := time.Date(2031, 3, 1, 19, 45, 7, 0, time.UTC)
		if v, has := pick(d.Body, p.at); has {
			if t, err := time.Parse(time.RFC3339, fmt.Sprint(v)); err == nil {
				at = t.UTC().Truncate(24 * time.Hour).Add(19*time.Hour + 45*time.Minute + 7*time.Second)
			}
		}
		east, west := time.FixedZone("", 5*3600+1800), time.FixedZone("", -8*3600)
		return []trial{
			{"an instant with the offset +05:30", at.In(east).Format(time.RFC3339)},
			{"an instant with the offset -08:00", at.In(west).Format(time.RFC3339)},
			{"an instant with a fraction of a second", at.In(east).Add(250 * time.Millisecond).Format("2006-01-02T15:04:05.000Z07:00")},
		}
	}, func(p spot, v trial, echo any) {
		was, err := time.Parse(time.RFC3339, fmt.Sprint(v.value))
		is, bad := time.Parse(time.RFC3339, strings.ToUpper(fmt.Sprint(echo)))
		if err != nil || bad != nil {
			return // its form is judged elsewhere
		}
		switch off := was.Sub(is).Abs(); {
		case off >= time.Second || off > 0 && was.Nanosecond() == 0:
			s.lost(p, v, echo, finding.Must, "Gives back another instant than the one that was sent")
		case off > 0:
			s.lost(p, v, echo, finding.Should, "Loses the fraction of a second")
		}
	})
}

// mostSpots bounds how many properties are tried for what depends little on them.
const mostSpots = 4

// stand is text that is replaced by bytes which no JSON library writes.
const stand = "conformanceplaceholder"

// raw sends a body in which the text at a spot is replaced by bytes as they are.
// It gives nil if there is no such text in the body.
func (s *Session) raw(ctx context.Context, p spot, bytesOf []byte, a attack) *wire.Exchange {
	op := s.probe.Op
	d := s.there(ctx, op, false).Clone()
	if !d.HasBody || !isJSON(d.ContentType) {
		return nil
	}
	if !putAt(d.Body, p.at, stand) {
		if d.Body = s.Source.Draft(op, generate.Full).Body; !putAt(d.Body, p.at, stand) {
			return nil
		}
	}
	request := s.prepared(ctx, d, Own)
	if !bytes.Contains(request.Body, []byte(stand)) {
		return nil
	}
	request.Body = bytes.ReplaceAll(request.Body, []byte(stand), bytesOf)
	return s.hostile(ctx, op, request, a)
}

// probeNUL puts U+0000 into texts: K2. It may be taken or refused.
func probeNUL(ctx context.Context, s *Session) {
	op := s.probe.Op
	for _, q := range op.Parameters {
		if q.In == "query" && q.Schema != nil && q.Schema.Allows("string") {
			d := s.there(ctx, op, false).Clone()
			delete(d.Query, q.Name)
			d.ExtraQuery = append(d.ExtraQuery, q.Name+"=a%00b")
			s.hostile(ctx, op, s.prepared(ctx, d, Own), attack{what: "U+0000 in the query parameter " + q.Name, kind: "U+0000"})
		}
	}
	n := 0
	for _, p := range spots(bodySchema(op)) {
		if !p.isA("string") || n == mostSpots && !p.freeText() {
			continue
		}
		n++
		ex := s.raw(ctx, p, []byte(`ab\u0000cd`), attack{what: "U+0000 in " + p.at, kind: "U+0000"})
		if !OK(ex) {
			continue
		}
		if echo, has := pick(bodyOf(ex), p.at); has && p.freeText() && echo != "ab\x00cd" {
			s.lost(p, trial{"text with U+0000", "ab\x00cd"}, echo, finding.Must, "Takes U+0000 and changes the text")
		}
	}
}

// probeMark puts a byte order mark before the JSON: K7. A reader may ignore it (RFC
// 8259 8.1), so that this is advice; what else may not be there are cases of package
// generate.
func probeMark(ctx context.Context, s *Session) {
	op := s.probe.Op
	d := s.there(ctx, op, false)
	if !d.HasBody || !isJSON(d.ContentType) {
		s.Skip("its body cannot be made")
	}
	ex := s.Send(ctx, d, Changed(func(r *wire.Request) { r.Body = append([]byte("\ufeff"), r.Body...) }))
	if OK(ex) {
		s.Report(finding.Finding{
			Severity: finding.Advice, Pointer: openapi.Join(op.Body.Pointer, "content"), RFC: "RFC 8259 8.1",
			Claim: "Takes JSON after a byte order mark, which nobody may send", Sent: "a valid body after a byte order mark",
			Expected: "400 Bad Request", Got: describe(ex),
		}, 1)
	}
}

// decoded undoes gzip; ok is false if the body is not what its header says.
func decoded(r *wire.Response) (body []byte, coding string, ok bool) {
	switch coding = strings.ToLower(strings.TrimSpace(r.Get("Content-Encoding"))); coding {
	case "", "identity":
		return r.Body, "", true
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(bytes.NewReader(r.Body))
		if err != nil {
			return nil, coding, false
		}
		body, err = io.ReadAll(io.LimitReader(z, wire.MaxBody))
		return body, coding, err == nil
	}
	return nil, coding, true
}

// sameJSON tells whether two bodies are the same, or the same JSON: a server may write
// the members of an object in any order, and in another each time.
func sameJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x := jsonOf(a)
	return x != nil && reflect.DeepEqual(x, jsonOf(b))
}

// probeGzip asks for the same with and without compression: K6.
func probeGzip(ctx context.Context, s *Session) {
	op := s.probe.Op
	d := s.there(ctx, op, false)
	ask := func(codings string) *wire.Exchange {
		return s.Send(ctx, d, Changed(func(r *wire.Request) { setField(r, "Accept-Encoding", codings) }))
	}
	for _, codings := range []string{"gzip", "gzip;q=1.0, identity;q=0.5", "gzip;q=0, identity", "identity"} {
		for range 3 {
			before, ex, after := ask("identity"), ask(codings), ask("identity")
			if !OK(before) || before.Response.Unfinished {
				s.Skip("GET does not succeed")
			}
			if !OK(ex) || !OK(after) || !alikeAnswers(before.Response, after.Response) {
				continue // it changes: once more
			}
			f := finding.Finding{Severity: finding.Must, Pointer: op.Pointer, RFC: "RFC 9110 8.4", Sent: "Accept-Encoding: " + codings}
			body, coding, ok := decoded(ex.Response)
			plain, _, plainOK := decoded(before.Response)
			switch {
			case !ok:
				f.Claim, f.Expected, f.Got = "The body is not in the coding that Content-Encoding names", "a body in "+coding, clip(ex.Response.Body)
				s.Report(f, 3)
			case coding != "" && (!strings.HasSuffix(coding, "gzip") || !strings.HasPrefix(codings, "gzip") || strings.HasPrefix(codings, "gzip;q=0,")):
				f.Severity, f.RFC = finding.Should, "RFC 9110 12.5.3"
				f.Claim, f.Expected, f.Got = "Sends a content coding that Accept-Encoding excludes", "no coding", coding
				s.Report(f, 3)
			case plainOK && body != nil && !sameJSON(body, plain):
				f.Claim, f.Expected, f.Got = "The compressed body is another one than the plain one", clip(plain), clip(body)
				s.Report(f, 3)
			}
			break
		}
	}
}

package check

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// arrivalWait is how long a server may take to say that a request did not arrive in
// time. Servers wait for half a minute, as a rule.
const arrivalWait = 40 * time.Second

// patienceProbes begin a request of every operation that says what it answers to
// one that does not arrive (408, RFC 9110 15.5.9), and wait.
func patienceProbes(r *Runner) []Probe {
	var ops []*openapi.Operation
	for _, op := range r.Document.Operations {
		if op.Body != nil && names(op, http.StatusRequestTimeout) {
			ops = append(ops, op)
		}
	}
	if len(ops) == 0 {
		return nil
	}
	return []Probe{{
		Name: "patience", Class: "O3", Aside: true,
		Run: func(ctx context.Context, s *Session) { s.wait(ctx, ops) },
	}}
}

func (s *Session) wait(ctx context.Context, ops []*openapi.Operation) {
	var all sync.WaitGroup
	for _, op := range ops {
		d := s.NewDraft(op)
		request, err := s.encode(d)
		if err != nil || len(request.Body) == 0 {
			continue
		}
		s.ensure(ctx, op)
		s.authorize(request, op, &sending{})
		all.Go(func() {
			s.SendRaw(ctx, op, s.unfinished(request))
		})
	}
	all.Wait()
}

// unfinished is a request whose body stops before its end.
func (s *Session) unfinished(request *wire.Request) *wire.Request {
	half := *request
	half.Timeout = arrivalWait
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", request.Method, request.Target, s.Base.Host)
	for _, f := range request.Header {
		fmt.Fprintf(&b, "%s: %s\r\n", f.Name, f.Value)
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(request.Body), request.Body[:len(request.Body)/2])
	half.Raw = []byte(b.String())
	return &half
}

// originProbes send what changes something as a browser would for a page of
// another site (Fetch Standard, Origin; Fetch Metadata, Sec-Fetch-Site). Whether
// that is refused is the server's matter, and how it is that of the document.
func originProbes(r *Runner) []Probe {
	var all []Probe
	for _, op := range r.Document.Operations {
		if op.Method == http.MethodGet || !names(op, http.StatusForbidden) {
			continue
		}
		all = append(all, Probe{
			Name: "origin " + op.ID, Class: "A5", Op: op, Writes: true,
			Run: func(ctx context.Context, s *Session) {
				s.Send(ctx, s.NewDraft(op), WithHeader("Origin", "https://attacker.example"), WithHeader("Sec-Fetch-Site", "cross-site"))
			},
		})
	}
	return all
}

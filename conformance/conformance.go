// Package conformance tests from outside whether a server does what an OpenAPI
// document says, and says what is wrong in words that lead to the line to mend.
//
// It knows the server by its URL and nothing else. It shares no code with the
// server, and none with what is generated from the document: a mistake that both
// sides make alike would not be seen. Its own reader of documents, validator and
// HTTP client are stricter than those of servers.
//
// # How it works
//
//	openapi    reads the document: operations, schemas, clauses and their lines
//	schema     judges values, with a JSON Schema library
//	generate   makes requests that keep the document, or break one clause of it
//	wire       sends them as bytes, and keeps the bytes that come back
//	check      what is tried, how it is judged, and what is known of the server
//	finding    what was found, by the classes of a catalogue of 152
//	report     tells it: terminal, JUnit, SARIF, GitHub, HTML, NDJSON
//	mutate     tests the tester: flips a clause, and expects to be contradicted
//
// # What a finding is worth
//
// Nothing is reported that did not come back when it was tried again, three times
// and with fresh resources, without being called flaky. What is called invalid was
// validated as the bytes that were sent. Statuses are those that the document
// lists: nothing is wrong because it is unusual.
package conformance

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/check"
	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/flow"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/report"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

//go:generate cp ../openapi.yaml openapi.yaml

// Document is the contract of the escrow service, which is tested unless another
// is given.
//
//go:embed openapi.yaml
var Document []byte

// DocumentName is what [Document] is called in messages: its path in the project.
const DocumentName = "openapi.yaml"

// Config says what to test, and how.
type Config struct {
	// URL is where the paths of the document are put behind, e.g.
	// https://escrow.example.com/api/v1/escrow.
	URL string
	// Spec is a file with another document; empty: [Document].
	Spec string
	// Key is the credential of the one scheme that takes a key: an API key in a
	// header or a query, or a token (HTTP Bearer). OtherKey is that of another
	// tenant.
	Key, OtherKey string
	// Credentials and OtherCredentials are those of any scheme: SCHEME=VALUE, where
	// that of HTTP Basic is user:password.
	Credentials, OtherCredentials []string
	// Mailbox is a folder in which the e-mails of the server arrive, as files
	// (RFC 5322) or as a Maildir: links in them lead to what is a customer's.
	Mailbox string

	// Arazzo is a file with an Arazzo document: its workflows are tested too. Empty:
	// none.
	Arazzo string

	Seed      uint64
	Workers   int     // requests at a time; 0: 2
	RateLimit float64 // requests a second; 0: no limit
	// Timeout is for one request; 0: 10 seconds.
	Timeout time.Duration
	// TimeBudget ends the run after so long; what was not tried is listed. 0: none.
	TimeBudget time.Duration
	// ReadOnly leaves out whatever may change something on the server.
	ReadOnly bool
	// Include and Exclude choose what is tested: ids of operations, tags, methods,
	// paths, ids of classes. Include empty: everything. Clauses of operations that are
	// left out are not counted.
	Include, Exclude []string
	// Replay runs what led to one finding only: the id that a report gives.
	Replay string
	// FailOn is the least severity that fails a run: must, should or advice; empty:
	// should.
	FailOn string
	// Baseline is a file with findings that are known and fail no run; empty: none.
	// With BaselineUpdate it is written anew.
	Baseline       string
	BaselineUpdate bool
	// UserAgent of all requests; empty: conformance.
	UserAgent string

	// Progress is written to while a run goes on; nil: nothing is told. Live is for a
	// terminal: a line that is written over and over.
	Progress io.Writer
	Live     bool
}

// mostWait is for how long a server may put the run off (429, 503 with
// Retry-After) at a time.
const mostWait = 30 * time.Second

// Errors of [Run].
var (
	// ErrUsage is returned if the configuration cannot be used.
	ErrUsage = errors.New("usage")
	// ErrUnreachable is returned if the target does not answer at all.
	ErrUnreachable = check.ErrUnreachable
)

func usage(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrUsage}, args...)...)
}

// document reads the document that is tested against.
func (c *Config) document() (*openapi.Document, error) {
	name, raw := DocumentName, Document
	if c.Spec != "" {
		var err error
		if raw, err = os.ReadFile(c.Spec); err != nil {
			return nil, usage("--spec: %v", err)
		}
		name = c.Spec
	}
	doc, err := openapi.Load(name, raw)
	if err != nil {
		return nil, usage("%v", err)
	}
	return doc, nil
}

// prepare makes the run that a configuration describes.
func (c *Config) prepare() (check.Config, error) {
	var k check.Config
	doc, err := c.document()
	if err != nil {
		return k, err
	}
	base, err := url.Parse(c.URL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return k, usage("--url %s: want an absolute URL such as http://127.0.0.1:8080/api/v1/escrow", c.URL)
	}
	if _, err := os.Stat(c.Mailbox); c.Mailbox != "" && err != nil {
		return k, usage("--mailbox: %v", err)
	}
	k = check.Config{
		Document: doc, Base: base, Seed: c.Seed, Workers: c.Workers, Mailbox: c.Mailbox, ReadOnly: c.ReadOnly,
		Client: wire.New(base, wire.Options{Timeout: c.Timeout, RateLimit: c.RateLimit, UserAgent: c.UserAgent, MaxWait: mostWait}),
	}
	if k.Workers == 0 {
		k.Workers = 2
	}
	if k.Own, err = credentials(doc, c.Key, "--key", c.Credentials); err != nil {
		return k, err
	}
	if k.Other, err = credentials(doc, c.OtherKey, "--other-key", c.OtherCredentials); err != nil {
		return k, err
	}
	if c.Arazzo != "" {
		raw, err := os.ReadFile(c.Arazzo)
		if err != nil {
			return k, usage("--arazzo: %v", err)
		}
		if k.More, err = flow.Probes(c.Arazzo, raw); err != nil {
			return k, usage("--arazzo: %v", err)
		}
	}
	k.Wanted, err = c.wanted(doc)
	return k, err
}

// credentials gives credentials by scheme.
func credentials(doc *openapi.Document, key, flag string, pairs []string) (map[string]string, error) {
	values := map[string]string{}
	if key != "" {
		var takes []string
		for id, s := range doc.Schemes {
			if s.Type == "http" && strings.EqualFold(s.Scheme, "bearer") || s.Type == "apiKey" && s.In != "cookie" {
				takes = append(takes, id)
			}
		}
		if len(takes) != 1 {
			slices.Sort(takes)
			return nil, usage("%s: the document has %d schemes that take a key (%s): use --credential SCHEME=VALUE", flag, len(takes), strings.Join(takes, ", "))
		}
		values[takes[0]] = key
	}
	for _, pair := range pairs {
		id, value, ok := strings.Cut(pair, "=")
		if !ok || value == "" {
			return nil, usage("--credential: want SCHEME=VALUE")
		}
		if doc.Schemes[id] == nil {
			var known []string
			for id := range doc.Schemes {
				known = append(known, id)
			}
			slices.Sort(known)
			return nil, usage("--credential: the document has no security scheme %q, only %s", id, strings.Join(known, ", "))
		}
		values[id] = value
	}
	return values, nil
}

// words are what Include and Exclude choose an operation by.
func words(op *openapi.Operation) []string {
	return append([]string{op.ID, op.Method, op.Path}, op.Tags...)
}

// covers tells whether an operation is one of those that are tested.
func (c *Config) covers(op *openapi.Operation) bool {
	named := func(word string) bool { return slices.Contains(words(op), word) }
	chosen := slices.DeleteFunc(slices.Clone(c.Include), func(word string) bool {
		_, class := finding.ClassByID(word)
		return class
	})
	return (len(chosen) == 0 || slices.ContainsFunc(chosen, named)) && !slices.ContainsFunc(c.Exclude, named)
}

// wanted gives the filter that Include, Exclude and Replay are.
func (c *Config) wanted(doc *openapi.Document) (func(*check.Probe) bool, error) {
	words := func(p *check.Probe) []string {
		all := []string{p.Class}
		if p.Op != nil {
			all = append(all, words(p.Op)...)
		}
		return all
	}
	known := map[string]bool{}
	for _, class := range finding.Classes() {
		known[class.ID] = true
	}
	for _, op := range doc.Operations {
		for _, word := range words(&check.Probe{Op: op}) {
			known[word] = true
		}
	}
	for _, word := range slices.Concat(c.Include, c.Exclude) {
		if !known[word] {
			return nil, usage("--include, --exclude: %q is no operation, tag, method, path or class", word)
		}
	}
	overlap := func(p *check.Probe, chosen []string) bool {
		return slices.ContainsFunc(words(p), func(word string) bool { return slices.Contains(chosen, word) })
	}
	return func(p *check.Probe) bool {
		switch {
		case c.Replay != "":
			return p.ID() == c.Replay
		case len(c.Include) > 0 && !overlap(p, c.Include):
			return false
		default:
			return !overlap(p, c.Exclude)
		}
	}, nil
}

// run runs the probes, and gives the runner that has what was seen.
func (c *Config) run(ctx context.Context) (*check.Runner, *check.Config, error) {
	limited := ctx
	if c.TimeBudget > 0 { // which reading the document and making requests count towards
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, c.TimeBudget)
		defer cancel()
	}
	k, err := c.prepare()
	if err != nil {
		return nil, nil, err
	}
	if c.Progress != nil {
		progress := report.NewProgress(c.Progress, c.Live)
		defer progress.Done()
		k.Started = progress.Start
		k.Ended = func(p *check.Probe, found []finding.Finding) { progress.Ended(p.Name, len(found)) }
	}
	r, err := check.New(k)
	if err != nil {
		return nil, nil, usage("%v", err)
	}
	if err := r.Reach(ctx); err != nil {
		return nil, nil, err
	}
	if err := r.Run(limited); err != nil && ctx.Err() != nil {
		return nil, nil, err
	}
	return r, &k, nil
}

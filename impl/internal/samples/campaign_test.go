package samples_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"cryptoexchange.com/escrow/impl/internal/samples"
)

// operation is what a sample of it must send, read from the contract with
// another library than the samples are.
type operation struct {
	id, method, path, query string
	parameter               string // of the path: its example
	bodies                  []any  // the examples, one of which is sent; none if there is no body
	headers                 map[string]string
	key, session            bool
	status                  int // of the success
	begins                  bool
}

// operationsOf reads a contract whose paths begin at a URL.
func operationsOf(t *testing.T, contract []byte, server string) map[string]operation {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	operations := make(map[string]operation)
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			o := operation{id: op.OperationID, method: method, path: base.Path + path, headers: make(map[string]string), status: 999}
			query := url.Values{}
			for _, p := range append(slices.Clone(item.Parameters), op.Parameters...) {
				example := fmt.Sprint(p.Value.Example)
				switch {
				case p.Value.In == "path":
					if number, isNumber := p.Value.Example.(float64); isNumber {
						example = strconv.FormatFloat(number, 'f', -1, 64)
					}
					o.parameter = url.PathEscape(example)
					o.path = strings.Replace(o.path, "{"+p.Value.Name+"}", o.parameter, 1)
				case p.Value.In == "query" && p.Value.Required:
					query.Set(p.Value.Name, example)
				case p.Value.Name == "Idempotency-Key":
					o.headers[p.Value.Name] = example
				}
			}
			o.query = query.Encode()
			o.credentials(doc, op)
			o.examples(op)
			o.success(t, op)
			operations[o.id] = o
		}
	}
	return operations
}

func (o *operation) credentials(doc *openapi3.T, op *openapi3.Operation) {
	security := doc.Security
	if op.Security != nil {
		security = *op.Security
	}
	for _, requirement := range security {
		for name := range requirement {
			o.key = o.key || doc.Components.SecuritySchemes[name].Value.Type == "http"
			o.session = o.session || doc.Components.SecuritySchemes[name].Value.In == "cookie"
		}
	}
}

func (o *operation) examples(op *openapi3.Operation) {
	if op.RequestBody == nil {
		return
	}
	media := op.RequestBody.Value.Content["application/json"]
	if media.Example != nil {
		o.bodies = append(o.bodies, media.Example)
	}
	for _, example := range media.Examples {
		o.bodies = append(o.bodies, example.Value.Value)
	}
}

func (o *operation) success(t *testing.T, op *openapi3.Operation) {
	t.Helper()
	for status, response := range op.Responses.Map() {
		code, err := strconv.Atoi(status)
		if err != nil {
			t.Fatal(err)
		}
		if code/100 == 2 && code < o.status {
			o.status = code
			cookie := response.Value.Headers["Set-Cookie"]
			o.begins = cookie != nil && !strings.HasPrefix(fmt.Sprint(cookie.Value.Example), "cex_session=;")
		}
	}
}

// sentFaults says in what the request that a sample has sent is not the
// contract's.
func (o operation) sentFaults(seen []*exchange, key, session string) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if len(seen) != 1 {
		fault("%d requests were sent", len(seen))
		return faults
	}
	e := seen[0]
	if e.method != o.method || unescaped(e.path) != unescaped(o.path) {
		fault("sent %s %s, want %s %s", e.method, e.path, o.method, o.path)
	}
	if query, err := url.ParseQuery(e.query); err != nil || query.Encode() != o.query {
		fault("sent the query %s, want %s", e.query, o.query)
	}
	wants := map[string]string{"Authorization": "", "Cookie": "", "Idempotency-Key": ""}
	if o.key {
		wants["Authorization"] = "Bearer " + key
	}
	if o.session {
		wants["Cookie"] = "cex_session=" + session
	}
	maps.Copy(wants, o.headers)
	for name, want := range wants {
		if got := e.header.Get(name); got != want {
			fault("sent %s: %q, want %q", name, got, want)
		}
	}
	if o.bodies == nil {
		if len(e.body) > 0 {
			fault("sent a body, which the contract has not: %s", e.body)
		}
		return faults
	}
	if mediaType, _, err := mime.ParseMediaType(e.header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		fault("sent a body as %q", e.header.Get("Content-Type"))
	}
	return append(faults, o.bodyFaults(e.body)...)
}

func unescaped(path string) string {
	plain, err := url.PathUnescape(path)
	if err != nil {
		return path
	}
	return plain
}

func (o operation) bodyFaults(raw []byte) []string {
	var body any
	if err := json.Unmarshal(raw, &body); err != nil {
		return []string{fmt.Sprintf("sent a body that is no JSON: %v: %s", err, raw)}
	}
	diff := ""
	for _, example := range o.bodies {
		var want any
		if encoded, err := json.Marshal(example); err != nil || json.Unmarshal(encoded, &want) != nil {
			return []string{fmt.Sprintf("the contract's example: %v", err)}
		}
		if diff = gocmp.Diff(want, body); diff == "" {
			return nil
		}
	}
	return []string{"sent another body than the example (-example +sent)\n" + diff}
}

// answerFaults says in what the sample has not done with the answer what it
// should: print it, and end well.
func (o operation) answerFaults(e *exchange, r result, label string) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if e.status != o.status {
		fault("was answered %d, want %d: %s", e.status, o.status, e.response)
	}
	if r.status != 0 {
		fault("ended with %d", r.status)
	}
	if diff := gocmp.Diff(decoded(e.response), decoded([]byte(r.stdout))); diff != "" {
		fault("printed something else than the answer (-answer +printed)\n%s", diff)
	}
	stderr := r.stderr
	if label == "curl" { // draws a meter
		stderr = stderr[strings.LastIndexByte(strings.TrimSuffix(stderr, "\n"), '\r')+1:]
		if !o.begins {
			stderr = ""
		}
	}
	cookie := e.answered.Get("Set-Cookie")
	if o.begins && (cookie == "" || !strings.Contains(stderr, cookie)) || !o.begins && stderr != "" {
		fault("printed %q as error; the session is %q", stderr, cookie)
	}
	return faults
}

// decoded is what JSON says, or else the text.
func decoded(raw []byte) any {
	var v any
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return string(raw)
	}
	return v
}

// row is a line of the matrix.
type row struct {
	label, version       string
	written, ran, failed int
	compiled             bool
	compiling, running   time.Duration
}

// campaign runs the samples of all languages.
type campaign struct {
	s        *server
	scene    *scene
	contract map[string]operation
	hostile  operation
	order    []string                     // of the operations
	sources  map[string]map[string]string // by language and operation
	rows     []row
}

// TestCampaign compiles and runs every sample that the running service
// publishes, byte for byte as it is published, against that service.
//
// A proxy that the published URLs lead to holds each request to the contract: its
// method, path, query, headers and body must be the example's. Only then it puts
// in, for a customer of the contract's example, one who is in the state that the
// operation wants: the id, the token, the address and the code. The answer must
// have the status of the success, and the sample must print it and end with 0.
//
// Without ESCROW_SAMPLES it runs the samples of curl only, but for those that
// would have to wait for a minute. .ci/samples/run sets it, to a folder with what
// the other languages need.
func TestCampaign(t *testing.T) {
	t.Parallel()
	tools := kit(os.Getenv("ESCROW_SAMPLES")).tools()
	need(t, "curl")
	c := newCampaign(t, tools)
	folders := make(map[string]string)
	ready := make(map[string]chan error)
	for _, tool := range tools {
		folders[tool.label], ready[tool.label] = c.write(t, tool), make(chan error, 1)
	}
	took := make(map[string]time.Duration, len(tools)) // is written before ready is sent to
	go func() {
		ids := append(slices.Clone(c.order), "hostile")
		for _, tool := range tools {
			began := time.Now()
			var err error
			if tool.compile != nil {
				err = tool.compile(context.WithoutCancel(t.Context()), folders[tool.label], ids)
			}
			took[tool.label] = time.Since(began)
			ready[tool.label] <- err
		}
	}()
	for _, tool := range tools {
		r := row{label: tool.label, written: len(c.order)}
		var err error
		if r.version, err = tool.versions(t.Context()); err != nil {
			t.Errorf("%s: %v", tool.label, err)
		}
		if err := <-ready[tool.label]; err != nil {
			t.Errorf("%s does not compile: %v", tool.label, err)
		} else {
			r.compiled, r.compiling = true, took[tool.label]
			c.runAll(t, tool, folders[tool.label], &r, false)
			c.also(t, tool, folders[tool.label])
		}
		c.rows = append(c.rows, r)
	}
	for i, tool := range tools { // meanwhile a minute has passed
		if len(tools) > 1 && c.rows[i].compiled {
			c.runAll(t, tool, folders[tool.label], &c.rows[i], true)
		}
	}
	c.report(t)
}

// need skips a test on a machine that lacks a program, and fails it where
// everything must be there.
func need(t *testing.T, name string) {
	t.Helper()
	_, err := run(t.Context(), "", []string{name, "--version"}, nil)
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatalf("%s is not installed", name)
	case err != nil:
		t.Skipf("needs %s, which is not installed", name)
	}
}

func newCampaign(t *testing.T, tools []tool) *campaign {
	t.Helper()
	s := startServer(t)
	c := &campaign{s: s, scene: newScene(t, s, len(slow)*len(tools)), sources: make(map[string]map[string]string)}
	document := s.published(t)
	c.contract = operationsOf(t, document, s.url)
	for _, op := range publishedSamples(t, document, s.url) {
		c.order = append(c.order, op.ID)
		for _, sample := range op.Samples {
			c.add(sample.Label, op.ID, sample.Source)
		}
	}
	hostile, err := os.ReadFile("testdata/hostile.yaml")
	if err != nil {
		t.Fatal(err)
	}
	written, err := samples.For(hostile, s.url)
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range written[0].Samples {
		c.add(sample.Label, "hostile", sample.Source)
	}
	c.hostile = operationsOf(t, hostile, s.url)["hostile"]
	return c
}

func (c *campaign) add(label, id, source string) {
	if c.sources[label] == nil {
		c.sources[label] = make(map[string]string)
	}
	c.sources[label][id] = source
}

// published reads the contract with samples that the service's reference shows.
func (s *server) published(t *testing.T) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.direct+"/docs/contract.js", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%d %v", response.StatusCode, err)
	}
	document, isScript := bytes.CutPrefix(b.Bytes(), []byte("globalThis.escrowContract = "))
	document, isStatement := bytes.CutSuffix(bytes.TrimSpace(document), []byte(";"))
	if !isScript || !isStatement {
		t.Fatalf("the reference's contract begins with %.60s", b.Bytes())
	}
	return document
}

// write puts a language's samples into a folder.
func (c *campaign) write(t *testing.T, tool tool) string {
	t.Helper()
	folder := t.TempDir()
	for id, source := range c.sources[tool.label] {
		file := filepath.Join(folder, tool.file(id))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(source+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// runAll runs a language's samples of the operations that are slow, or of the
// others.
func (c *campaign) runAll(t *testing.T, tool tool, folder string, r *row, isSlow bool) {
	t.Helper()
	began := time.Now()
	for _, id := range c.order {
		if slow[id] != isSlow {
			continue
		}
		r.ran++
		if faults := c.one(t, tool, folder, c.contract[id]); len(faults) > 0 {
			r.failed++
			t.Errorf("%s in %s: %s\n%s", id, tool.label, strings.Join(faults, "\n  "), c.sources[tool.label][id])
		}
	}
	r.running += time.Since(began)
}

// also runs what is no operation's sample.
func (c *campaign) also(t *testing.T, tool tool, folder string) {
	t.Helper()
	for _, fault := range c.sendsHostile(t, tool, folder) {
		t.Errorf("hostile strings in %s: %s", tool.label, fault)
	}
	for _, fault := range c.refused(t, tool, folder) {
		t.Errorf("with a wrong key, %s: %s", tool.label, fault)
	}
}

// one runs one sample, and says what is wrong.
func (c *campaign) one(t *testing.T, tool tool, folder string, op operation) []string {
	t.Helper()
	prepare, known := states[op.id]
	if !known {
		t.Fatalf("nothing says in which state a customer must be for %s", op.id)
	}
	st := prepare(c.scene, t)
	// Only what is as it should be is sent on.
	var failure error
	c.s.proxy.reset(func(e *exchange) { failure = st.fill(e, op.parameter, c.scene.email()) }, nil)
	env := []string{"ESCROW_KEY=" + c.s.key, "ESCROW_SESSION=" + st.session}
	r, err := run(t.Context(), folder, tool.command(folder, op.id), env)
	seen := c.s.proxy.exchanges()
	c.s.proxy.reset(nil, nil)
	if err != nil {
		return []string{err.Error()}
	}
	faults := op.sentFaults(seen, c.s.key, st.session)
	if failure != nil {
		faults = append(faults, failure.Error())
	}
	if len(seen) == 1 {
		faults = append(faults, op.answerFaults(seen[0], r, tool.label)...)
	}
	if len(faults) > 0 {
		faults = append(faults, "it printed "+r.stdout+r.stderr)
	}
	return faults
}

// sendsHostile runs the sample whose strings are hostile. The proxy answers it.
func (c *campaign) sendsHostile(t *testing.T, tool tool, folder string) []string {
	t.Helper()
	c.s.proxy.reset(nil, func(e *exchange) bool {
		e.status = http.StatusNoContent
		return true
	})
	r, err := run(t.Context(), folder, tool.command(folder, "hostile"), nil)
	seen := c.s.proxy.exchanges()
	c.s.proxy.reset(nil, nil)
	if err != nil {
		return []string{err.Error()}
	}
	faults := c.hostile.sentFaults(seen, "", "")
	if r.status != 0 || len(faults) > 0 {
		faults = append(faults, fmt.Sprintf("ended with %d: %s%s", r.status, r.stdout, r.stderr))
	}
	return faults
}

// refused runs a sample with a key that nobody has: it must name the problem.
func (c *campaign) refused(t *testing.T, tool tool, folder string) (faults []string) {
	t.Helper()
	r, err := run(t.Context(), folder, tool.command(folder, "getCustomer"), []string{"ESCROW_KEY=cex_live_AAAAAAAAAAAAAAAAAAAAAAAAAA"})
	if err != nil {
		return []string{err.Error()}
	}
	named, want := r.stderr, 1
	if tool.label == "curl" { // --fail-with-body prints the problem, and ends with 22
		named, want = r.stdout, 22
	}
	if r.status != want || !strings.Contains(named, "unauthenticated") || tool.label != "curl" && r.stdout != "" {
		faults = append(faults, fmt.Sprintf("ended with %d, want %d, and printed %q and %q", r.status, want, r.stdout, r.stderr))
	}
	return faults
}

// report prints the matrix, and writes it where it is asked for.
func (c *campaign) report(t *testing.T) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "| language | version | samples | compiled | ran | failed | compiling | running |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	total, failed := 0, 0
	for _, r := range c.rows {
		compiled := map[bool]string{true: "yes", false: "no"}[r.compiled]
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %d | %d | %.1f s | %.1f s |\n", r.label, r.version, r.written, compiled, r.ran, r.failed, r.compiling.Seconds(), r.running.Seconds())
		total, failed = total+r.ran, failed+r.failed
	}
	fmt.Fprintf(&b, "\n%d samples ran, %d failed.\n", total, failed)
	t.Logf("code samples\n%s", b.String())
	if file := os.Getenv("ESCROW_SAMPLES_REPORT"); file != "" {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Error(err)
		}
	}
}

// publishedSamples takes the samples out of the published contract. There must be
// one in every language for each operation, and they must be those that For writes.
func publishedSamples(t *testing.T, document []byte, server string) []samples.Operation {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			ID      string                                 `json:"operationId"`
			Samples []struct{ Lang, Label, Source string } `json:"x-codeSamples"`
		}
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		t.Fatal(err)
	}
	written, err := samples.For(document, server)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range written {
		published := doc.Paths[op.Path][strings.ToLower(op.Method)]
		var got []samples.Sample
		for _, s := range published.Samples {
			got = append(got, samples.Sample{Label: cmp.Or(s.Label, s.Lang), Source: s.Source})
		}
		// What highlighters call a language is for who shows it.
		if diff := gocmp.Diff(op.Samples, got, cmpopts.IgnoreFields(samples.Sample{}, "Lang")); diff != "" {
			t.Errorf("%s is published with other samples (-written +published)\n%s", op.ID, diff)
		}
	}
	return written
}

// TestCampaignNotices breaks a sample in every way that the campaign looks for,
// and expects it to be named.
func TestCampaignNotices(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	curl := kit("").tools()[0]
	c := newCampaign(t, nil)
	folder := c.write(t, curl)
	tests := []struct{ id, old, replacement, want string }{
		{"createCustomer", "", "", ""}, // as it is
		{"createCustomer", "/customers'", "/customer'", "sent POST /api/v1/escrow/partner/customer, want POST /api/v1/escrow/partner/customers"},
		{"createCustomer", "-X POST", "-X PUT", "sent PUT"},
		{"createCustomer", "Bearer $", "Bearer x$", `want "Bearer cex_live_`},
		{"createCustomer", "order-7f0d9c52", "order-7f0d9c53", "sent Idempotency-Key"},
		{"createCustomer", "application/json", "text/plain", `sent a body as "text/plain"`},
		{"createCustomer", "10203", "\"10203\"", "another body than the example"},
		{"createCustomer", "Kanez", "Kan", "another body than the example"},
		{"createCustomer", "}'", "'", "no JSON"},
		{"createCustomer", "curl ", "echo x; curl ", "printed something else"},
		{"createCustomer", "curl ", "echo curl ", "0 requests were sent"},
		{"createCustomer", "}'", "}' >/dev/null", "printed something else"},
		{"createCustomer", "}'", "}'; exit 3", "ended with 3"},
		{"createCustomer", "}'", "}' -b cex_session=x", "sent Cookie"},
		{"getCustomer", "curl ", "curl -d '{}' -X GET ", "which the contract has not"},
		{"getCustomer", "/2548", "/2549", "was answered 404, want 200"},
		{"getDisbursementRequirements", "country=DE", "country=FR", "sent the query"},
		{"logIn", "-w ", "-w x#", "printed"},
		{"logOut", "$ESCROW_SESSION", "x", "was answered 401, want 204"},
	}
	for _, tt := range tests {
		source := c.sources["curl"][tt.id]
		if !strings.Contains(source, tt.old) {
			t.Errorf("the sample of %s has no %q:\n%s", tt.id, tt.old, source)
			continue
		}
		broken := strings.Replace(source, tt.old, tt.replacement, 1)
		if err := os.WriteFile(filepath.Join(folder, curl.file(tt.id)), []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		faults := strings.Join(c.one(t, curl, folder, c.contract[tt.id]), "\n")
		if (tt.want == "") != (faults == "") || !strings.Contains(faults, tt.want) {
			t.Errorf("%s with %q for %q: %q, want %q", tt.id, tt.replacement, tt.old, faults, tt.want)
		}
		if err := os.WriteFile(filepath.Join(folder, curl.file(tt.id)), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

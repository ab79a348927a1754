package samples_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is an escrowd that runs, with a proxy before it. The address that it
// publishes is the proxy's, so that whatever is read from it leads there.
type server struct {
	root, url string // as published: the proxy's
	direct    string // the server's own
	key       string
	data      string // its folder, or empty of a sandbox
	proxy     *proxy
}

var keyPattern = regexp.MustCompile(`cex_(live|test)_[A-Za-z0-9]{26,}`)

// programs is a folder with those of this module.
var programs string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	folder, err := os.MkdirTemp("", "escrow-programs")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	if out, err := exec.CommandContext(context.Background(), "go", "build", "-o", folder, "../../../cmd/escrow", "../../../cmd/escrowd", "../../../cmd/conformance").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v: %s\n", err, out)
		return 1
	}
	programs = folder
	return m.Run()
}

// startServer starts escrowd without throttles, on data of its own or as a
// sandbox.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{}
	if !slices.Contains(args, "--sandbox") {
		s.data = filepath.Join(t.TempDir(), "data")
		args = append(args, "--data", s.data)
	}
	s.proxy = &proxy{}
	front := httptest.NewServer(s.proxy)
	t.Cleanup(front.Close)
	s.root = front.URL
	s.url = s.root + "/api/v1/escrow"

	args = append(args, "--listen", "127.0.0.1:0", "--public-url", s.root, "--rate-limit", "0", "--network-limit", "0", "--login-limit", "0", "--mail-limit", "0")
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(programs, "escrowd"), args...)
	cmd.Env = environment()
	var out, log output
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if text := log.String(); t.Failed() {
			t.Logf("the end of escrowd's log:\n%s", text[max(0, len(text)-3000):])
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	address := regexp.MustCompile(`msg=listening address=(\S+)`)
	eventually(t, "escrowd listens", func() bool {
		found := address.FindStringSubmatch(log.String())
		if found != nil {
			s.direct = "http://" + found[1]
		}
		return found != nil
	})
	s.proxy.to(s.direct)
	eventually(t, "a key is printed", func() bool {
		s.key = keyPattern.FindString(out.String())
		return s.key != ""
	})
	return s
}

// output takes what a program writes while others look at it.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// environment is ours without the settings of the programs.
func environment(more ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "ESCROW_") })
	return append(env, more...)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	const most = 90 * time.Second
	for deadline := time.Now().Add(most); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, most)
		}
	}
}

// call makes a request of the harness's own, past the proxy. It fails the test
// if the answer is no success.
func (s *server) call(t *testing.T, method, path string, body any, headers ...string) (map[string]any, http.Header) {
	t.Helper()
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.direct+"/api/v1/escrow"+path, content)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, raw, err)
	}
	var decoded map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &decoded); err != nil {
			t.Fatal(err)
		}
	}
	return decoded, response.Header
}

var linkToken = regexp.MustCompile(`#token=([A-Za-z0-9_-]{20,})`)

// tokens gives the tokens of the links in the e-mails to an address, or to all
// if it is empty, by the e-mails' order.
func (s *server) tokens(t *testing.T, email string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.data, "mail", "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files) // their names begin with the time
	var found []string
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// Quoted-printable (RFC 2045 §6.7): soft line breaks, and the one escape
		// that the link's line has.
		text := strings.NewReplacer("=\r\n", "", "=\n", "", "=3D", "=").Replace(string(raw))
		if token := linkToken.FindStringSubmatch(text); token != nil && strings.Contains(text, "To: <"+email) {
			found = append(found, token[1])
		}
	}
	return found
}

// token waits for the n-th link that is sent to an address.
func (s *server) token(t *testing.T, email string, n int) string {
	t.Helper()
	var found []string
	eventually(t, fmt.Sprintf("link %d for %s", n, email), func() bool {
		found = s.tokens(t, email+">")
		return len(found) >= n
	})
	return found[n-1]
}

// proxy passes requests on to the server, and keeps what went through.
type proxy struct {
	mu      sync.Mutex
	target  string      // guarded by mu, like what follows
	seen    []*exchange // since the last reset
	replace func(*exchange)
	answer  func(*exchange) bool // instead of the server, if it returns true
}

// exchange is a request as a program sent it, and what it was answered.
type exchange struct {
	method, path, query string
	header              http.Header
	body                []byte

	status   int
	answered http.Header
	response []byte
}

func (p *proxy) to(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// reset forgets what went through. replace, if not nil, changes requests on their
// way to the server, after they were kept; answer, if not nil, may answer them.
func (p *proxy) reset(replace func(*exchange), answer func(*exchange) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen, p.replace, p.answer = nil, replace, answer
}

// exchanges gives what has gone through since the last reset.
func (p *proxy) exchanges() []*exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock() // one at a time: whose request it is must be clear
	defer p.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	e := &exchange{method: r.Method, path: r.URL.EscapedPath(), query: r.URL.RawQuery, header: r.Header.Clone(), body: body}
	p.seen = append(p.seen, e)
	if p.answer != nil && p.answer(e) {
		w.WriteHeader(e.status)
		return
	}
	sent := *e
	sent.header = e.header.Clone()
	if p.replace != nil {
		p.replace(&sent)
	}
	if err := p.pass(r.Context(), &sent); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	e.status, e.answered, e.response = sent.status, sent.answered, sent.response
	for name, values := range e.answered {
		w.Header()[name] = values
	}
	w.WriteHeader(e.status)
	_, _ = w.Write(e.response)
}

// pass sends a request to the server, and fills in the answer.
func (p *proxy) pass(ctx context.Context, e *exchange) error {
	target := p.target + e.path
	if e.query != "" {
		target += "?" + e.query
	}
	r, err := http.NewRequestWithContext(ctx, e.method, target, bytes.NewReader(e.body))
	if err != nil {
		return err
	}
	r.Header = e.header
	for _, name := range []string{"Connection", "Upgrade", "Http2-Settings", "Expect", "Transfer-Encoding", "Accept-Encoding"} { // of one hop
		r.Header.Del(name)
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	e.status, e.answered = response.StatusCode, response.Header.Clone()
	e.response, err = io.ReadAll(response.Body)
	e.answered.Del("Content-Length")
	return err
}

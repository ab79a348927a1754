package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// programs are built once: the real ones are tested.
var programs struct{ escrowd, escrow string }

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	folder, err := os.MkdirTemp("", "escrow-programs")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	for name, path := range map[string]*string{"escrowd": &programs.escrowd, "escrow": &programs.escrow} {
		*path = filepath.Join(folder, name)
		if out, err := exec.CommandContext(context.Background(), "go", "build", "-o", *path, "cryptoexchange.com/escrow/cmd/"+name).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v: %s\n", name, err, out)
			return 1
		}
	}
	return m.Run()
}

// need skips a test on a machine that lacks a program, and fails it where
// everything must be there.
func need(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", names[0])
	}
	t.Skipf("needs %s, which is not installed", names[0])
	return ""
}

// server is an escrowd that runs.
type server struct {
	root, url string
	key       string // if it was the first start
	printed   string // on standard output
	cmd       *exec.Cmd
	log       *syncBuffer
}

// syncBuffer takes what a program writes while others look at it.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

var keyPattern = regexp.MustCompile(`cex_live_[A-Z2-7]{26}`)

// start runs escrowd on a folder, and waits until it is ready.
func start(t *testing.T, data string, args ...string) *server {
	t.Helper()
	return startEnv(t, data, nil, args...)
}

// startEnv does the same with more in the environment.
func startEnv(t *testing.T, data string, env []string, args ...string) *server {
	t.Helper()
	return startCommand(t, env, append([]string{programs.escrowd, "--data", data, "--listen", "127.0.0.1:0"}, args...)...)
}

// startCommand runs escrowd by a command.
func startCommand(t *testing.T, env []string, command ...string) *server {
	t.Helper()
	s := &server{log: &syncBuffer{}}
	s.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), command[0], command[1:]...)
	s.cmd.Env = environment(env...)
	out := &syncBuffer{}
	s.cmd.Stdout, s.cmd.Stderr = out, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			log := s.log.String()
			t.Logf("the end of escrowd's log:\n%s", log[max(0, len(log)-2000):])
		}
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	})
	address := regexp.MustCompile(`msg=listening address=(\S+)`)
	eventually(t, "escrowd listens", func() bool {
		found := address.FindStringSubmatch(s.log.String())
		if found != nil {
			s.root = "http://" + found[1]
		}
		return found != nil
	})
	eventually(t, "escrowd is ready", func() bool {
		status, _ := s.get(t, s.root+"/readyz", "")
		return status == http.StatusOK
	})
	s.url, s.printed = s.root+"/api/v1/escrow", out.String()
	s.key = keyPattern.FindString(s.printed)
	return s
}

// environment is ours without the settings of the programs.
func environment(more ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ESCROW_") {
			env = append(env, v)
		}
	}
	return append(env, more...)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	// A message that was claimed when the server was killed waits for the end of
	// its lease, which is 10 seconds, and on a busy machine everything waits.
	const most = 90 * time.Second
	for deadline := time.Now().Add(most); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, most)
		}
	}
}

func (s *server) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
}

func (s *server) request(t *testing.T, method, url, body, key string, headers ...string) (*http.Response, []byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	return response, got, err
}

func (s *server) get(t *testing.T, url, key string) (int, []byte) {
	t.Helper()
	response, body, err := s.request(t, http.MethodGet, url, "", key)
	if err != nil {
		return 0, nil
	}
	return response.StatusCode, body
}

func (s *server) create(t *testing.T, key, body string, headers ...string) (int, map[string]any, http.Header, error) {
	t.Helper()
	response, raw, err := s.request(t, http.MethodPost, s.url+"/partner/customers", body, key, headers...)
	if err != nil {
		return 0, nil, nil, err
	}
	var decoded map[string]any
	if err := json.Unmarshal(raw, &decoded); err != nil {
		return 0, nil, nil, err
	}
	return response.StatusCode, decoded, response.Header, nil
}

// curl takes the first curl out of a text.
func curl(t *testing.T, text string) string {
	t.Helper()
	command := regexp.MustCompile(`(?m)^curl (?:.*\\\n)*.*-d '[^']*'$`).FindString(text)
	if command == "" {
		t.Fatalf("no curl in:\n%s", text)
	}
	return command
}

// shell runs a command as it is pasted.
func shell(t *testing.T, command string) map[string]any {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	var decoded map[string]any
	if err := json.Unmarshal(out, &decoded); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return decoded
}

// TestFirstStart does what a newcomer does.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	data := filepath.Join(t.TempDir(), "data")
	s := start(t, data)
	command := curl(t, s.printed)
	created := shell(t, command)
	if created["email"] != "johny.smith@example.com" || created["id"] != 1.0 {
		t.Errorf("created %v", created)
	}
	if again := shell(t, command); again["status"] != 403.0 || again["code"] != "email_already_in_use" {
		t.Errorf("again %v", again)
	}
	status, body := s.get(t, s.url+"/partner/customer/1", s.key)
	if status != http.StatusOK {
		t.Errorf("read: %d %s", status, body)
	}
	checkTypes(t, documentedResponse, body)
	eventually(t, "the e-mail is in the log", func() bool { return strings.Contains(s.log.String(), "msg=\"e-mail written\"") })
	path := regexp.MustCompile(`path=(\S+\.eml)`).FindStringSubmatch(s.log.String())
	if path == nil {
		t.Fatalf("no path in the log:\n%s", s.log)
	}
	if content, err := os.ReadFile(path[1]); err != nil || !bytes.Contains(content, []byte("To: <johny.smith@example.com>")) {
		t.Errorf("%v: %s", err, content)
	}
	if strings.Contains(s.log.String(), "cex_live_") || strings.Contains(s.log.String(), "johny") {
		t.Errorf("the log has secrets or personal data:\n%s", s.log)
	}
	// It stops when it is told to, and says nothing of a key the next time.
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if s := start(t, data); s.printed != "" {
		t.Errorf("the second start printed %s", s.printed)
	}
}

// documentedResponse are the documented names and types of the answer; the types
// in parentheses stand where the request supplied a value for the example's
// null.
const documentedResponse = `id number, username string, first_name string, middle_name (string), last_name string,
company_name null, gender null, date_of_birth null, email string, status number, country (string),
customer_group_id number, subscribed_to_news_letter number, created_at string, updated_at string, is_verified number,
token null, notes null, phone (string), is_phone_verified number, is_company number, last_login_at null,
last_login_ip null, last_login_host null, partner_id number, reason_for_deletion null, deleted_at null`

func checkTypes(t *testing.T, want string, body []byte) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	fields := strings.Split(want, ",")
	if len(fields) != 27 {
		t.Fatalf("%d fields, want 27", len(fields))
	}
	for _, field := range fields {
		name, kind, _ := strings.Cut(strings.TrimSpace(field), " ")
		value, there := got[name]
		if !there || kindOf(value) != strings.Trim(kind, "()") {
			t.Errorf("%s is %v (there: %v), want a %s", name, value, there, kind)
		}
	}
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case float64:
		return "number"
	default:
		return fmt.Sprintf("%T", v)
	}
}

// TestKill kills the server with SIGKILL after it has acknowledged customers
// whose e-mails it could not send, and looks for all of it afterwards.
func TestKill(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	s := start(t, data)
	mail := filepath.Join(data, "mail")
	// A file where the folder was: no e-mail can be written.
	if err := errors.Join(os.Remove(mail), os.WriteFile(mail, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	const body = `{"email":"a@example.com","first_name":"Ana"}`
	status, first, _, err := s.create(t, s.key, body, "Idempotency-Key", "k")
	if err != nil || status != http.StatusCreated {
		t.Fatalf("%d %v %v", status, first, err)
	}
	s.kill(t)
	if err := os.Remove(mail); err != nil {
		t.Fatal(err)
	}
	key := s.key
	s = start(t, data)
	if status, raw := s.get(t, s.url+"/partner/customer/1", key); status != http.StatusOK || !bytes.Contains(raw, []byte("a@example.com")) {
		t.Errorf("after the kill: %d %s", status, raw)
	}
	status, again, header, err := s.create(t, key, body, "Idempotency-Key", "k")
	if err != nil || status != http.StatusCreated || header.Get("Idempotency-Replayed") != "true" || fmt.Sprint(again) != fmt.Sprint(first) {
		t.Errorf("retried: %d %v %v %v", status, again, header, err)
	}
	eventually(t, "the e-mail is written", func() bool {
		files, err := filepath.Glob(filepath.Join(mail, "*.eml"))
		return err == nil && len(files) == 1
	})
}

// TestKillUnderLoad kills the server in the midst of creations, again and again:
// whatever was acknowledged is there, and each customer's e-mail is written
// once.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	acknowledged := make(map[string]float64) // ids by address
	var key string
	for round := range 4 {
		s := start(t, data, "--rate-limit", "0")
		if round == 0 {
			key = s.key
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		enough := make(chan struct{})
		var once sync.Once
		for worker := range 4 {
			wg.Go(func() {
				for i := 0; ; i++ {
					email := fmt.Sprintf("%d-%d-%d@example.com", round, worker, i)
					status, body, _, err := s.create(t, key, `{"email":"`+email+`"}`)
					if err != nil {
						return // killed
					}
					if status != http.StatusCreated {
						t.Errorf("%d %v", status, body)
						return
					}
					mu.Lock()
					id, _ := body["id"].(float64)
					acknowledged[email] = id
					if len(acknowledged) >= 100*(round+1) {
						once.Do(func() { close(enough) })
					}
					mu.Unlock()
				}
			})
		}
		<-enough
		s.kill(t)
		wg.Wait()
	}
	s := start(t, data)
	for email, id := range acknowledged {
		if status, body := s.get(t, fmt.Sprintf("%s/partner/customer/%.0f", s.url, id), key); status != http.StatusOK || !bytes.Contains(body, []byte(email)) {
			t.Errorf("%s was acknowledged: %d %s", email, status, body)
		}
	}
	t.Logf("%d acknowledged customers survived 4 kills", len(acknowledged))
	written := make(map[string]int)
	eventually(t, "all e-mails are written", func() bool {
		clear(written)
		files, err := filepath.Glob(filepath.Join(data, "mail", "*.eml"))
		if err != nil {
			return false
		}
		for _, f := range files {
			content, err := os.ReadFile(f)
			if err != nil {
				return false
			}
			scanner := bufio.NewScanner(bytes.NewReader(content))
			for scanner.Scan() {
				if to, found := strings.CutPrefix(scanner.Text(), "To: <"); found {
					written[strings.TrimSuffix(to, ">")]++
				}
			}
		}
		for email := range acknowledged {
			if written[email] == 0 {
				return false
			}
		}
		return true
	})
	for email, n := range written {
		if n != 1 {
			t.Errorf("%s has %d e-mails", email, n)
		}
	}
}

// TestRace lets 64 racers create one address, 100 times over: one of them wins
// each time.
func TestRace(t *testing.T) {
	t.Parallel()
	s := start(t, filepath.Join(t.TempDir(), "data"), "--rate-limit", "0")
	const racers, rounds = 64, 100
	for round := range rounds {
		body := fmt.Sprintf(`{"email":"%d@example.com"}`, round)
		statuses := make([]int, racers)
		gate := make(chan struct{})
		var wg sync.WaitGroup
		for i := range racers {
			wg.Go(func() {
				<-gate
				status, _, _, err := s.create(t, s.key, body)
				if err != nil {
					t.Error(err)
				}
				statuses[i] = status
			})
		}
		close(gate)
		wg.Wait()
		seen := make(map[int]int)
		for _, status := range statuses {
			seen[status]++
		}
		if seen[http.StatusCreated] != 1 || seen[http.StatusForbidden] != racers-1 {
			t.Fatalf("round %d: %v", round, seen)
		}
	}
}

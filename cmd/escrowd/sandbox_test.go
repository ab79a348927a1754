package main_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

var sandboxKeyPattern = regexp.MustCompile(`cex_test_[0-9A-Za-z_-]{16,}`)

// startSandbox runs a sandbox in an empty folder.
func startSandbox(t *testing.T, env []string, before []string, args ...string) *server {
	t.Helper()
	command := append([]string{programs.escrowd, "serve", "--listen", "127.0.0.1:0"}, args...)
	s := startCommand(t, env, append(before, command...)...)
	s.key = sandboxKeyPattern.FindString(s.printed)
	return s
}

// TestSandboxStart does what a partner's developer does.
func TestSandboxStart(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	s := startSandbox(t, nil, nil, "--sandbox")
	command := curl(t, s.printed)
	if created := shell(t, command); created["id"] != 1.0 || created["email"] != "johny.smith@example.com" {
		t.Errorf("created %v", created)
	}
	provoking := strings.Replace(command, "johny.smith@example.com", "rate_limit_exceeded@sandbox.example", 1)
	if refused := shell(t, provoking); refused["status"] != 429.0 || refused["code"] != "rate_limit_exceeded" {
		t.Errorf("refused %v", refused)
	}
	for _, want := range []string{"This is a sandbox", s.root + "/dev/mail\n", "Documentation: " + s.root + "/docs"} {
		if !strings.Contains(s.printed, want) {
			t.Errorf("the start does not print %q:\n%s", want, s.printed)
		}
	}
	eventually(t, "the e-mail is in the mailbox", func() bool {
		status, body := s.get(t, s.root+"/dev/mail", "")
		return status == http.StatusOK && strings.Contains(string(body), "johny.smith@example.com")
	})
	if strings.Contains(s.log.String(), "cex_") || strings.Contains(s.log.String(), "johny") || !strings.Contains(s.log.String(), "sandbox=true") {
		t.Errorf("the log:\n%s", s.log)
	}
}

// TestSandboxKey starts a sandbox with a key that was chosen, twice.
func TestSandboxKey(t *testing.T) {
	t.Parallel()
	const key = "cex_test_our-team_0123456789"
	for range 2 {
		s := startSandbox(t, []string{"ESCROW_SANDBOX=true", "ESCROW_SANDBOX_KEY=" + key}, nil)
		if status, body, _, err := s.create(t, key, `{"email":"ana@example.com"}`); status != 201 || err != nil {
			t.Errorf("%d %v %v", status, body, err)
		}
		if s.key != key {
			t.Errorf("it prints %s", s.key)
		}
		s.kill(t)
	}
}

// TestSandboxUsage checks what does not go together, and that nothing comes of it.
func TestSandboxUsage(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	for _, tt := range []struct {
		env, args []string
		code      int
		want      string
	}{
		{nil, []string{"--sandbox", "--data", data}, 1, "data folder: a sandbox keeps everything in memory"},
		{nil, []string{"--sandbox", "--data", "./data"}, 1, "data folder: a sandbox keeps everything in memory"},
		{[]string{"ESCROW_DATA=" + data}, []string{"--sandbox"}, 1, "data folder: a sandbox keeps everything in memory"},
		{nil, []string{"--sandbox", "--keyset", data}, 1, "keyset: a sandbox has its keys in memory"},
		{nil, []string{"--sandbox", "--smtp-url", "smtp://mail.example.com:587"}, 1, "mail server: no e-mail leaves a sandbox"},
		{nil, []string{"--sandbox", "--sandbox-key", "cex_live_0123456789abcdef"}, 1, "key of the sandbox: want cex_test_"},
		{nil, []string{"--data", data, "--sandbox-key", "cex_test_0123456789abcdef"}, 1, "key of a sandbox: this is no sandbox"},
		{[]string{"ESCROW_SANDBOX=perhaps"}, nil, 2, "ESCROW_SANDBOX"},
		{nil, []string{"--data", data, "--cors-origins", "https://a.example,null"}, 1, `CORS origin "null"`},
	} {
		got := program(t, programs.escrowd, tt.env, append([]string{"serve", "--listen", "127.0.0.1:0"}, tt.args...)...)
		if got.code != tt.code || got.out != "" || !strings.Contains(got.err, tt.want) || strings.Contains(got.err, "0123456789abcdef") {
			t.Errorf("%v %v: %+v, want %q", tt.env, tt.args, got, tt.want)
		}
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("there is a data folder")
	}
}

// touch is a call that makes a file, or opens one to write to it.
var touch = regexp.MustCompile(`^\d+ +(?:(?:openat2?|open)\(.*(?:O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE)|(?:creat|mkdir|mkdirat|rename|renameat2?|link|linkat|symlink|symlinkat|mknod|mknodat|truncate|memfd_create)\()`)

// touched gives the calls of a trace that touch a file which outlives the process.
func touched(calls []byte) []string {
	var list []string
	for line := range bytes.Lines(calls) {
		// What is of the system and no file: the runtime asks it for huge pages.
		if touch.Match(line) && !bytes.Contains(line, []byte(`"/dev/null"`)) {
			list = append(list, string(line))
		}
	}
	return list
}

// TestSandboxKeepsNothing watches the system calls of a sandbox that does all that
// it can, in folders of its own: it opens no file to write to, not even for a
// moment, and makes none. A server with a data folder is watched as well, to see
// that this is noticed.
func TestSandboxKeepsNothing(t *testing.T) {
	t.Parallel()
	strace := need(t, "strace")
	for name, args := range map[string][]string{"sandbox": {"--sandbox", "--rate-limit", "0"}, "data folder": {"--rate-limit", "0"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here, trace := t.TempDir(), filepath.Join(t.TempDir(), "trace")
			env := []string{"HOME=" + here, "TMPDIR=" + here, "SQLITE_TMPDIR=" + here}
			s := startSandbox(t, env, []string{"env", "-C", here, strace, "-D", "-f", "-q", "-e", "trace=%file,memfd_create", "-e", "signal=none", "-o", trace}, args...)
			if s.key == "" {
				s.key = keyPattern.FindString(s.printed)
			}
			useMuch(t, s)
			entries, err := os.ReadDir(here)
			if err != nil || (len(entries) > 0) != (name == "data folder") {
				t.Errorf("while it runs: %v, %v", entries, err)
			}
			if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			_ = s.cmd.Wait()
			var calls []byte
			exited := regexp.MustCompile(fmt.Sprintf(`(?m)^%d +\+\+\+`, s.cmd.Process.Pid))
			eventually(t, "strace ends", func() bool {
				calls, err = os.ReadFile(trace)
				return err == nil && exited.Match(calls)
			})
			list := touched(calls)
			if name == "data folder" {
				if !strings.Contains(strings.Join(list, ""), "escrow.db") {
					t.Errorf("nothing was seen of the database: %v", list)
				}
				return
			}
			for _, call := range list {
				t.Errorf("it touches a file: %s", call)
			}
			if after, err := os.ReadDir(here); err != nil || len(after) > 0 {
				t.Errorf("it has left %v, %v", after, err)
			}
		})
	}
}

// mailsPattern tells that the e-mails of useMuch are there. Outside of a sandbox,
// the addresses that provoke failures have some too.
var mailsPattern = regexp.MustCompile(`There are 21\d e-mails`)

// useMuch has many customers created and read, with bank data and e-mails, and
// looks at what is published.
func useMuch(t *testing.T, s *server) {
	t.Helper()
	for i := range 210 {
		body := fmt.Sprintf(`{"email":"ana.%d@example.com","first_name":"Ana","disbursement_methods":[{"type":"ach","account_name":"Ana","account_type":"checking","bank_aba_routing_number":"021000021","bank_account_number":"000123456789","bank_name":"Bank of Coffee","bank_address":{"city":"New York","state":"NY"},"currency":"usd"}]}`, i)
		status, created, _, err := s.create(t, s.key, body, "Idempotency-Key", fmt.Sprint("k-", i))
		if err != nil || status != http.StatusCreated {
			t.Fatalf("%d %v %v", status, created, err)
		}
		if status, body := s.get(t, fmt.Sprint(s.url, "/partner/customer/", created["id"]), s.key); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
	}
	for _, email := range []string{"email_already_in_use", "internal_error", "service_unavailable"} {
		_, _, _, _ = s.create(t, s.key, `{"email":"`+email+`@sandbox.example"}`)
	}
	eventually(t, "the e-mails are there", func() bool {
		_, body := s.get(t, s.root+"/dev/mail", "")
		return mailsPattern.Match(body)
	})
	for _, path := range []string{"/docs", "/openapi.yaml", "/openapi.json", "/problems/not_found", "/sign-up", "/readyz"} {
		if status, _ := s.get(t, s.root+path, ""); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
}

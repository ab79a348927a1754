package main_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// result is what a program left behind.
type result struct {
	out, err string
	code     int
}

func program(t *testing.T, path string, env []string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = environment(env...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func TestOperatorCommands(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	env := []string{"ESCROW_DATA=" + data}
	run := func(args ...string) result { return program(t, programs.escrowd, env, args...) }

	made := run("partner", "create", "Muñoz & Söhne")
	key := keyPattern.FindString(made.out)
	if made.code != 0 || key == "" || !strings.Contains(made.err, "not shown again") {
		t.Fatalf("%+v", made)
	}
	// With a partner there, the first start makes none.
	s := start(t, data)
	if s.printed != "" {
		t.Errorf("the start printed %s", s.printed)
	}
	if status, body, _, err := s.create(t, key, `{"email":"a@example.com"}`); status != 201 {
		t.Fatalf("%d %v %v", status, body, err)
	}
	steps := []struct {
		args []string
		code int
		out  string // a pattern
		err  string
	}{
		{[]string{"partner", "list"}, 0, `^PARTNER +CREATED +NAME\n1 +\S+Z +Muñoz & Söhne\n$`, ""},
		{[]string{"key", "create", "1"}, 0, `^ID +KEY\n2 +cex_live_[A-Z2-7]{26}\n$`, "not shown again"},
		{[]string{"key", "revoke", "1"}, 0, `^key 1 revoked\n$`, ""},
		{[]string{"key", "list", "1"}, 0, `^ID +KEY +CREATED +REVOKED\n1 +\.\.\.` + key[len(key)-4:] + ` +\S+Z +\S+Z\n2 +\S+ +\S+Z +-\n$`, ""},
		{[]string{"customer", "show", "1"}, 0, `(?s)^\{\n  "id": 1,.*"email": "a@example.com"`, ""},
		{[]string{"customer", "show", "2"}, 1, `^$`, "escrowd: error: customer 2: not found\n"},
		{[]string{"key", "revoke", "9"}, 1, `^$`, "key 9: not found"},
		{[]string{"key", "list", "9"}, 1, `^$`, "partner 9: not found"},
		{[]string{"key", "create", "9"}, 1, `^$`, "partner 9: not found"},
		{[]string{"partner", "create", ""}, 1, `^$`, "name of a partner"},
		{[]string{"partner", "create", "a\nb"}, 1, `^$`, "name of a partner"},
		{[]string{"partner", "create", "a\u202eb"}, 1, `^$`, "name of a partner: leave out characters that change the direction"},
		{[]string{"partner", "create", "\u200b"}, 1, `^$`, "name of a partner: give text that can be seen"},
		{[]string{"partner", "create"}, 2, `^$`, "escrowd --help"},
		{[]string{"bogus"}, 2, `^$`, "escrowd --help"},
		{[]string{"--listen", "nowhere", "--public-url", "x"}, 1, `^$`, "listen address"},
		{[]string{"--public-url", "https://example.com/escrow"}, 1, `^$`, "public URL: must have no path"},
		{[]string{"--trusted-proxies", "x"}, 2, `^$`, "--trusted-proxies"},
		{[]string{"--version"}, 0, `^escrowd \S+ \(go1\.\S+.*\)\n$`, ""},
		{[]string{"--help"}, 0, `(?s)Examples:.*partner create.*Commands:`, ""},
	}
	for _, step := range steps {
		got := run(step.args...)
		if got.code != step.code || !regexp.MustCompile(step.out).MatchString(got.out) || !strings.Contains(got.err, step.err) {
			t.Errorf("escrowd %v: %d\n%s%s", step.args, got.code, got.out, got.err)
		}
	}
	// The key was revoked by another process than the one that serves.
	if status, _ := s.get(t, s.url+"/partner/customer/1", key); status != 401 {
		t.Errorf("with a revoked key: %d", status)
	}
}

// TestMistypedFolder checks that commands which look at a folder do not make one.
func TestMistypedFolder(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "typo")
	for _, args := range [][]string{{"partner", "list"}, {"key", "create", "1"}, {"key", "list", "1"}, {"key", "revoke", "1"}, {"customer", "show", "1"}, {"mail", "list"}} {
		got := program(t, programs.escrowd, nil, append([]string{"--data", data}, args...)...)
		if _, err := os.Stat(data); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%v: the folder is there: %v", args, err)
		}
		if got.code != 1 || got.out != "" || !strings.Contains(got.err, data+": there is no data of escrowd here") {
			t.Errorf("%v: %+v", args, got)
		}
	}
	if got := program(t, programs.escrowd, nil, "--data", data, "partner", "create", "Shop"); got.code != 0 {
		t.Errorf("%+v", got)
	}
}

func TestPartnerCommands(t *testing.T) {
	t.Parallel()
	s := start(t, filepath.Join(t.TempDir(), "data"))
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	defer elsewhere.Close()
	env := []string{"ESCROW_URL=" + s.url, "ESCROW_KEY=" + s.key}
	steps := []struct {
		args []string
		code int
		out  string // a pattern
		err  string
	}{
		{
			[]string{"customer", "create", "--email", "ana@example.com", "--first-name", "Ana", "--line1", "Calle 1", "--city", "Madrid", "--country", "ES", "--post-code", "28014", "--phone-number", "912 34 56 78"},
			0, `^id +1\nemail +ana@example.com\nname +Ana\nphone +\+34912345678\naddress +Calle 1\n +28014 Madrid ES\ncreated +\S+Z\n$`, "",
		},
		{[]string{"customer", "get", "1"}, 0, `^id +1\n`, ""},
		{[]string{"customer", "get", "1", "--json"}, 0, `(?s)^\{\n  "id": 1,.*"address": \{`, ""},
		{[]string{"customer", "create", "--email", "ANA@example.com"}, 3, `^$`, "it is in use by your customer 1"},
		{[]string{"customer", "create", "--email", "b@example.com", "--idempotency-key", "k"}, 0, `^id +2\n`, ""},
		{[]string{"customer", "create", "--email", "b@example.com", "--idempotency-key", "k"}, 0, `^id +2\n`, ""},
		{[]string{"customer", "create", "--email", "b"}, 3, `^$`, "email: This must"},
		{[]string{"customer", "create", "--email", "c@example.com", "--line1", "1", "--city", "c", "--country", "ZZ", "--post-code", "1"}, 3, `^$`, "address.country:"},
		{[]string{"customer", "create", "--email", "c@example.com", "--state", "CA"}, 2, `^$`, "parts of an address"},
		{[]string{"customer", "create", "--email", "c@example.com", "--line1", "1"}, 2, `^$`, "--post-code must be used together"},
		{[]string{"customer", "create"}, 2, `^$`, "--email"},
		{[]string{"customer", "get", "9"}, 3, `^$`, "customer_not_found"},
		{[]string{"customer", "get", "0"}, 3, `^$`, "customer_id: This must be at least 1."},
		{[]string{"--key", "wrong", "customer", "get", "1"}, 4, `^$`, "unauthenticated"},
		{[]string{"--url", s.root, "customer", "get", "1"}, 3, `^$`, "not_found"},
		{[]string{"--url", elsewhere.URL, "customer", "get", "1"}, 1, `^$`, "is this the URL of the API?"},
		{[]string{"--url", "http://127.0.0.1:1", "customer", "get", "1"}, 5, `^$`, "connection refused"},
		{[]string{"--version"}, 0, `^escrow \S+ \(go1\.\S+.*\)\n$`, ""},
		{[]string{"--help"}, 0, `(?s)Exit codes:.*Commands:`, ""},
	}
	for _, step := range steps {
		got := program(t, programs.escrow, env, step.args...)
		if got.code != step.code || !regexp.MustCompile(step.out).MatchString(got.out) || !strings.Contains(got.err, step.err) {
			t.Errorf("escrow %v: %d\n%s%s", step.args, got.code, got.out, got.err)
		}
		if strings.Contains(got.out+got.err, s.key) {
			t.Errorf("escrow %v prints the key", step.args)
		}
	}
	for _, url := range []string{"nonsense", "ftp://example.com", "http://", "127.0.0.1:8080"} {
		if got := program(t, programs.escrow, []string{"ESCROW_URL=" + url, "ESCROW_KEY=k"}, "customer", "get", "1"); got.code != 2 || !strings.Contains(got.err, "ESCROW_URL") {
			t.Errorf("%s: %+v", url, got)
		}
	}
	if got := program(t, programs.escrow, nil); got.code != 2 || got.out != "" || !strings.Contains(got.err, "Usage: escrow") || strings.Contains(got.err, "error") {
		t.Errorf("without arguments: %+v", got)
	}
	if got := program(t, programs.escrow, nil, "customer", "get", "1"); got.code != 2 || !strings.Contains(got.err, "--key") {
		t.Errorf("without a key: %+v", got)
	}
}

// TestLostAnswer checks that who gets no answer is told how to repeat safely.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	silent := listenAndHangUp(t)
	got := program(t, programs.escrow, []string{"ESCROW_URL=http://" + silent, "ESCROW_KEY=k"}, "customer", "create", "--email", "a@example.com")
	if got.code != 5 || !regexp.MustCompile(`repeat it safely with --idempotency-key [A-Z2-7]{26}\n`).MatchString(got.err) {
		t.Errorf("%+v", got)
	}
}

// listenAndHangUp is a server that reads requests and never answers.
func listenAndHangUp(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = connection.Read(make([]byte, 1))
			_ = connection.Close()
		}
	}()
	return listener.Addr().String()
}

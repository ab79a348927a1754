package main_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

const (
	secretPhrase = "violet tractors under seven moons"
	zelda        = `{"email":"Zelda.Quintero@example.com","first_name":"Zelda","middle_name":"Wilhelmina","last_name":"Quintero","language":"es",
		"address":{"line1":"Paseo Recoletos 77","line2":"Entresuelo","city":"Villanueva","country":"ES","post_code":"28014"},"phone_number":"+34912345678"}`
)

// personal is what nothing may be left of.
var personal = []string{"quintero", "zelda", "wilhelmina", "912345678", "912 345 678", "recoletos", "entresuelo", "villanueva"}

// found tells which of some texts are in the files of a folder, whatever the case.
func found(t *testing.T, folder string, wanted []string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, text := range wanted {
			if bytes.Contains(bytes.ToLower(content), []byte(text)) {
				list = append(list, filepath.Base(path)+": "+text)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// customer sends a request as a customer's browser does.
func (s *server) customer(t *testing.T, method, path, body, cookie string) (int, map[string]any, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+"/customer"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Cookie", cookie)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var decoded map[string]any
	_ = json.NewDecoder(response.Body).Decode(&decoded) // a 204 has no body
	set, _, _ := strings.Cut(response.Header.Get("Set-Cookie"), ";")
	return response.StatusCode, decoded, set
}

// join makes a customer who has accepted the invitation and logged in, and gives
// the cookie.
func (s *server) join(t *testing.T, data, body string) (cookie string) {
	t.Helper()
	if status, made, _, err := s.create(t, s.key, body, "Idempotency-Key", "k"); status != http.StatusCreated {
		t.Fatalf("%d %v %v", status, made, err)
	}
	var token []string
	eventually(t, "the invitation is there", func() bool {
		paths, _ := filepath.Glob(filepath.Join(data, "mail", "*.eml"))
		for _, path := range paths {
			content, _ := os.ReadFile(path)
			plain := strings.ReplaceAll(string(content), "=\r\n", "")
			if found := regexp.MustCompile(`#token=(?:3D)?([\w-]+)`).FindStringSubmatch(plain); found != nil {
				token = found
			}
		}
		return token != nil
	})
	if status, problem, _ := s.customer(t, http.MethodPost, "/invitation/accept", `{"token":"`+token[1]+`","password":"`+secretPhrase+`"}`, ""); status != http.StatusOK {
		t.Fatalf("%d %v", status, problem)
	}
	return s.logIn(t, http.StatusOK, "")
}

func (s *server) logIn(t *testing.T, want int, code string) (cookie string) {
	t.Helper()
	body := `{"email":"zelda.quintero@example.com","password":"` + secretPhrase + `"`
	if code != "" {
		body += `,"code":"` + code + `"`
	}
	status, problem, cookie := s.customer(t, http.MethodPost, "/session", body+"}", "")
	if status != want {
		t.Fatalf("log in: %d %v, want %d", status, problem, want)
	}
	return cookie
}

type step struct {
	args []string
	code int
	out  string // a pattern
	err  string
}

func runSteps(t *testing.T, data string, steps []step) {
	t.Helper()
	for _, s := range steps {
		got := program(t, programs.escrowd, []string{"ESCROW_DATA=" + data}, s.args...)
		if got.code != s.code || !regexp.MustCompile(s.out).MatchString(got.out) || !strings.Contains(got.err, s.err) || s.err == "" && got.err != "" {
			t.Errorf("escrowd %v: %d\n%s%s", s.args, got.code, got.out, got.err)
		}
	}
}

const wrongStatus = "the account is not in the status that this changes"

// TestCustomerCommands suspends, restores and erases a customer while the server
// runs, and looks through everything that is left.
func TestCustomerCommands(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	s := start(t, data)
	cookie := s.join(t, data, zelda)
	runSteps(t, data, []step{
		{[]string{"customer", "restore", "1"}, 1, `^$`, "escrowd: error: customer 1: " + wrongStatus + "\n"},
		{[]string{"customer", "suspend", "9"}, 1, `^$`, "escrowd: error: customer 9: not found\n"},
		{[]string{"customer", "restore", "9"}, 1, `^$`, "customer 9: not found"},
		{[]string{"customer", "erase", "9", "--yes"}, 1, `^$`, "customer 9: not found"},
		{[]string{"customer", "suspend", "x"}, 2, `^$`, "escrowd --help"},
		{[]string{"customer", "suspend"}, 2, `^$`, "escrowd --help"},
		{[]string{"customer", "erase", "1"}, 2, `^$`, "--yes"},
		{[]string{"customer", "suspend", "1"}, 0, `^customer 1 suspended\n$`, ""},
		{[]string{"customer", "suspend", "1"}, 1, `^$`, "customer 1: " + wrongStatus},
	})
	if status, _, _ := s.customer(t, http.MethodGet, "/me", "", cookie); status != http.StatusUnauthorized {
		t.Errorf("with a session from before: %d", status)
	}
	s.logIn(t, http.StatusForbidden, "")
	runSteps(t, data, []step{{[]string{"customer", "restore", "1"}, 0, `^customer 1 restored\n$`, ""}})
	if status, _, _ := s.customer(t, http.MethodGet, "/me", "", cookie); status != http.StatusUnauthorized {
		t.Errorf("the suspended session is back: %d", status)
	}
	cookie = s.logIn(t, http.StatusOK, "")
	if status, body, _ := s.customer(t, http.MethodPatch, "/me", `{"middle_name":"Wilhelmina"}`, cookie); status != http.StatusOK {
		t.Errorf("%d %v", status, body)
	}
	if status, body, _ := s.customer(t, http.MethodPost, "/password-reset", `{"email":"zelda.quintero@example.com"}`, ""); status != http.StatusAccepted {
		t.Errorf("%d %v", status, body)
	}
	// What a process that died while it was writing has left.
	paths, err := filepath.Glob(filepath.Join(data, "mail", "*.eml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%v, %v", paths, err)
	}
	if err := os.WriteFile(paths[0]+".tmp", []byte("To: Zelda"), 0o600); err != nil {
		t.Fatal(err)
	}
	if in := found(t, data, personal); len(in) < len(personal)-1 {
		t.Fatalf("before, there is only %v", in)
	}
	runSteps(t, data, []step{
		{[]string{"customer", "erase", "1", "--yes"}, 0, `^customer 1 erased\nkept: the id, the partner, the status, the times of the account, and the kinds and times of its e-mails\n$`, "backups"},
		{[]string{"customer", "show", "1"}, 0, `"email": "erased-1@erased.invalid"`, ""},
		{[]string{"customer", "restore", "1"}, 1, `^$`, "customer 1: " + wrongStatus},
		{[]string{"customer", "suspend", "1"}, 1, `^$`, "customer 1: " + wrongStatus},
		{[]string{"mail", "list"}, 0, `(?m)^\S+ +introduction +1 +sent`, ""},
		{[]string{"mail", "retry", "--all-failed"}, 0, `^e-mails to be tried again: 0\n$`, ""},
		{[]string{"customer", "erase", "1", "--yes"}, 0, `^customer 1 erased\n`, "backups"},
	})
	nothingLeft(t, data)
	s.logIn(t, http.StatusUnauthorized, "")
	if status, body := s.get(t, s.url+"/partner/customer/1", s.key); status != http.StatusOK || !bytes.Contains(body, []byte(`"status":3`)) {
		t.Errorf("%d %s", status, body)
	}
	s.stop(t)
	nothingLeft(t, data)
}

// nothingLeft checks that nothing personal is in the data folder.
func nothingLeft(t *testing.T, data string) {
	t.Helper()
	// The worker takes back what it was just writing.
	eventually(t, "the folder is clean", func() bool { return len(found(t, filepath.Join(data, "mail"), personal)) == 0 })
	if in := found(t, data, personal); len(in) != 0 {
		t.Errorf("left: %v", in)
	}
}

// stop ends the server as a supervisor does.
func (s *server) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestEraseAfterCrash erases a customer when a server that was killed has left
// its journal, an e-mail that was not sent, and a request that nobody settled.
func TestEraseAfterCrash(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	s := start(t, data)
	s.join(t, data, zelda)
	for range 3 {
		if status, body, _ := s.customer(t, http.MethodPost, "/sign-up", `{"email":"zelda.quintero@example.com","first_name":"Zelda"}`, ""); status != http.StatusAccepted {
			t.Fatalf("%d %v", status, body)
		}
	}
	s.kill(t)
	runSteps(t, data, []step{{[]string{"customer", "erase", "1", "--yes"}, 0, `^customer 1 erased\nkept: `, "backups"}})
	nothingLeft(t, data)
	// The next server finds nothing to bring it back with.
	s = start(t, data)
	if status, _ := s.get(t, s.root+"/readyz", ""); status != http.StatusOK {
		t.Errorf("not ready: %d", status)
	}
	s.stop(t)
	nothingLeft(t, data)
}

// TestKeysetCommand rotates the keyset, and the second factor is as good as
// before.
func TestKeysetCommand(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	data, keyset := filepath.Join(folder, "data"), filepath.Join(folder, "keys.json")
	s := start(t, data, "--keyset", keyset)
	cookie := s.join(t, data, zelda)
	status, enrolled, _ := s.customer(t, http.MethodPost, "/me/totp", `{"password":"`+secretPhrase+`"}`, cookie)
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, enrolled)
	}
	code := func(ahead time.Duration) string {
		code, err := totp.GenerateCode(enrolled["secret"].(string), time.Now().Add(ahead))
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	if status, problem, _ := s.customer(t, http.MethodPost, "/me/totp/confirm", `{"code":"`+code(0)+`"}`, cookie); status != http.StatusOK {
		t.Fatalf("%d %v", status, problem)
	}
	before, err := os.ReadFile(keyset)
	if err != nil {
		t.Fatal(err)
	}
	runSteps(t, data, []step{
		{[]string{"keyset", "rotate"}, 1, `^$`, "keyset.json: restore it"}, // looks at another file
		{[]string{"--keyset", keyset, "keyset", "rotate"}, 0, `^keyset rotated, 1 values encrypted anew\n$`, "keep a copy"},
		{[]string{"--keyset", filepath.Join(folder, "typo"), "keyset", "rotate"}, 1, `^$`, "key file is missing"},
		{[]string{"keyset"}, 2, `^$`, "rotate"},
	})
	if after, err := os.ReadFile(keyset); err != nil || slices.Equal(before, after) {
		t.Errorf("%v, or nothing changed", err)
	}
	s.logIn(t, http.StatusUnauthorized, "") // a code is needed
	s.logIn(t, http.StatusOK, code(30*time.Second))
	if err := os.WriteFile(keyset, before, 0o600); err != nil {
		t.Fatal(err)
	}
	got := program(t, programs.escrowd, nil, "--data", data, "--keyset", keyset, "--listen", "127.0.0.1:0")
	if got.code != 1 || got.out != "" || !strings.Contains(got.err, "escrowd: error: keyset: "+keyset+" lacks the key ") {
		t.Errorf("a start with an old copy: %+v", got)
	}
}

package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cryptoexchange.com/escrow/impl/smtptest"
)

// TestMailCommands has a mail server that refuses a recipient for good: the
// operator finds the e-mail, and tries again when the server has changed its
// mind.
func TestMailCommands(t *testing.T) {
	t.Parallel()
	refuse := make(chan struct{})
	s := smtptest.Start(t, smtptest.Config{Act: func(_ int, stage smtptest.Stage) smtptest.Action {
		select {
		case <-refuse: // not any more
			return smtptest.Action{}
		default:
			if stage == smtptest.Rcpt {
				return smtptest.Action{Code: 550}
			}
			return smtptest.Action{}
		}
	}})
	data := filepath.Join(t.TempDir(), "data")
	d := start(t, data, "--smtp-url", "smtp://"+s.Addr+"?tls=none")
	if status, body, _, err := d.create(t, d.key, `{"email":"ana@example.com"}`); status != 201 {
		t.Fatalf("%d %v %v", status, body, err)
	}
	run := func(args ...string) result {
		return program(t, programs.escrowd, []string{"ESCROW_DATA=" + data}, append([]string{"mail"}, args...)...)
	}
	var id string
	eventually(t, "the e-mail is given up", func() bool {
		found := regexp.MustCompile(`(?m)^(\S+) +introduction +1 +failed +1 +\S+Z +\S+Z +RCPT: 550 5\.2\.1$`).FindStringSubmatch(run("list", "--state", "failed").out)
		if found != nil {
			id = found[1]
		}
		return found != nil
	})
	if log := d.log.String(); !strings.Contains(log, `msg="e-mail given up"`) || strings.Contains(log, "ana@") || strings.Contains(log, "not now") {
		t.Errorf("log: %s", log)
	}
	for _, step := range []struct {
		args []string
		code int
		out  string // a pattern
		err  string
	}{
		{[]string{"list"}, 0, `^ID +KIND +CUSTOMER +STATE +ATTEMPTS +CREATED +AT +ERROR\n\S+ +introduction [^@]*\n$`, ""},
		{[]string{"list", "--state", "sent"}, 0, `^ID.*\n$`, ""},
		{[]string{"list", "--state", "lost"}, 2, `^$`, "--state must be one of"},
		{[]string{"list", "--limit", "0"}, 1, `^$`, "--limit"},
		{[]string{"retry"}, 2, `^$`, "give either ids or --all-failed"},
		{[]string{"retry", id, "--all-failed"}, 2, `^$`, "give either ids or --all-failed"},
		{[]string{"retry", "bogus", id, "void"}, 1, `^$`, "escrowd: error: e-mail bogus: there is no such e-mail\nescrowd: error: e-mail void: there is no such e-mail\n"},
	} {
		got := run(step.args...)
		if got.code != step.code || !regexp.MustCompile(step.out).MatchString(got.out) || !strings.Contains(got.err, step.err) {
			t.Errorf("escrowd mail %v: %d\n%s%s", step.args, got.code, got.out, got.err)
		}
	}
	close(refuse)
	if got := run("retry", id, id); got.code != 0 || got.out != "e-mails to be tried again: 1\n" {
		t.Errorf("%+v", got)
	}
	eventually(t, "the e-mail arrives", func() bool { return len(s.Deliveries()) == 1 })
	eventually(t, "the e-mail is sent", func() bool {
		return regexp.MustCompile(`introduction +1 +sent +2 `).MatchString(run("list").out)
	})
	if got := run("retry", id); got.code != 1 || !strings.Contains(got.err, "it has not failed") {
		t.Errorf("retried after it was sent: %+v", got)
	}
	if got := run("retry", "--all-failed"); got.code != 0 || got.out != "e-mails to be tried again: 0\n" {
		t.Errorf("%+v", got)
	}
}

// TestMailSettings sends through a server with TLS and a password, as settings
// have it.
func TestMailSettings(t *testing.T) {
	t.Parallel()
	config, _, authority := smtptest.Authority(t)
	folder := t.TempDir()
	roots, secret := filepath.Join(folder, "roots.pem"), filepath.Join(folder, "password")
	templates := filepath.Join(folder, "templates")
	for path, content := range map[string]string{
		roots: string(authority), secret: "p@ss word\n",
		filepath.Join(templates, "en", "introduction.txt"): "Subject: Hello from us\n\n{{.Partner}}!\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := smtptest.Start(t, smtptest.Config{TLS: config, User: "johny", Password: "p@ss word"})
	d := startEnv(t, filepath.Join(folder, "data"), []string{
		"SSL_CERT_FILE=" + roots, "ESCROW_SMTP_URL=smtp://johny@" + s.Addr, "ESCROW_SMTP_PASSWORD_FILE=" + secret, "ESCROW_MAIL_TEMPLATES=" + templates,
	})
	if status, body, _, err := d.create(t, d.key, `{"email":"ana@example.com"}`); status != 201 {
		t.Fatalf("%d %v %v", status, body, err)
	}
	eventually(t, "the e-mail arrives", func() bool { return len(s.Deliveries()) == 1 })
	got := s.Deliveries()[0]
	if !got.TLS || got.User != "johny" || !strings.Contains(string(got.Data), "Subject: Hello from us") || !strings.Contains(string(got.Data), "Example Marketplace!") {
		t.Errorf("%+v\n%s", got, got.Data)
	}
	if strings.Contains(d.log.String(), "p@ss") {
		t.Error("the log has the password")
	}
	// What cannot work is refused at the start.
	if err := os.WriteFile(filepath.Join(templates, "en", "introduction.html"), []byte("{{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"en/introduction.html:1":                           {"--mail-templates", templates},
		"mail server: it must begin with smtp://":          {"--smtp-url", "imap://u:topsecret@h"},
		"password of the mail server: it is given twice":   {"--smtp-url", "smtp://u@h", "--smtp-password", "topsecret", "--smtp-password-file", secret},
		"password of the mail server: there is no mail":    {"--smtp-password", "topsecret"},
		"no such file or directory":                        {"--smtp-url", "smtp://u@h", "--smtp-password-file", filepath.Join(folder, "nowhere")},
		"age at which e-mails are given up: want a minute": {"--mail-give-up-after", "5s"},
	} {
		got := program(t, programs.escrowd, []string{"ESCROW_DATA=" + filepath.Join(folder, "other")}, append([]string{"--listen", "127.0.0.1:0"}, args...)...)
		if got.code != 1 || !strings.Contains(got.err, want) || strings.Contains(fmt.Sprint(got), "topsecret") {
			t.Errorf("%v: %+v; want %q", args, got, want)
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	apiPath = "/api/v1/escrow"
	// keyFile holds, in a data folder, the key that the first start printed.
	keyFile = "bench-key"

	startTimeout = time.Minute
	pollInterval = time.Millisecond
)

// server is a system that runs.
type server struct {
	system  system
	cmd     *exec.Cmd
	url     string
	key     string
	started time.Duration // from the start of the process to the first 200
	log     string        // file that has what it says
	ended   chan struct{} // closed when the process has
}

var bearer = regexp.MustCompile(`Authorization: Bearer ([^'"\s]+)`)

// start starts a system on a data folder and waits until it is ready. It ends
// with ctx at the latest.
func (b *session) start(ctx context.Context, s system, data string) (*server, error) {
	command, err := b.build(ctx, s)
	if err != nil {
		return nil, err
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(data + ".log")
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the process has its own
	printed, err := os.Create(data + ".out")
	if err != nil {
		return nil, err
	}
	defer func() { _ = printed.Close() }()
	args := slices.Concat(command[1:], s.arguments(address, data, b.mail.address(s.mail)))
	cmd := exec.CommandContext(ctx, command[0], args...) //nolint:gosec // the systems are those of this package
	cmd.Env = append(environment(), s.env...)
	cmd.Stdout, cmd.Stderr = printed, log
	ownGroup(cmd)
	v := &server{system: s, cmd: cmd, url: "http://" + address, log: log.Name(), ended: make(chan struct{})}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	go func() {
		_ = cmd.Wait()
		close(v.ended)
	}()
	if err := v.ready(ctx, began); err != nil {
		v.kill()
		return nil, err
	}
	if v.key, err = keyOf(data, printed.Name()); err != nil {
		v.kill()
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	return v, nil
}

// environment is ours without what configures our server.
func environment() []string {
	var kept []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "ESCROW_") {
			kept = append(kept, e)
		}
	}
	return kept
}

func freeAddress(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// ready polls until the server answers that it is.
func (v *server) ready(ctx context.Context, began time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+"/readyz", http.NoBody)
		if err != nil {
			return err
		}
		if response, err := client.Do(r); err == nil {
			_ = response.Body.Close()
			if response.StatusCode/100 == 2 {
				v.started = time.Since(began)
				return nil
			}
		}
		select {
		case <-v.ended:
			return fmt.Errorf("start %s: it ended with %s; it said\n%s", v.system.name, v.cmd.ProcessState, v.said())
		case <-ctx.Done():
			return fmt.Errorf("start %s: not ready: %w; it said\n%s", v.system.name, ctx.Err(), v.said())
		case <-ticker.C:
		}
	}
}

// said gives the end of what the server said.
func (v *server) said() string {
	const most = 2000
	content, err := os.ReadFile(v.log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(content[max(0, len(content)-most):]))
}

// keyOf gives the key of a data folder: what was printed if this was its first
// start, which it notes, and else what it has noted.
func keyOf(data, printed string) (string, error) {
	note := filepath.Join(data, keyFile)
	content, err := os.ReadFile(printed)
	if err != nil {
		return "", err
	}
	if m := bearer.FindSubmatch(content); m != nil {
		return string(m[1]), os.WriteFile(note, m[1], 0o600) //nolint:gosec // a fixed name in a folder of ours
	}
	key, err := os.ReadFile(note)
	if err != nil {
		return "", fmt.Errorf("it printed no key, and %w", err)
	}
	return string(key), nil
}

// kill ends the server at once.
func (v *server) kill() {
	_ = killGroup(v.cmd) // it may have ended by itself
	<-v.ended
}

// stop lets the server finish.
func (v *server) stop(ctx context.Context) error {
	if err := terminate(v.cmd); err != nil {
		return err
	}
	select {
	case <-v.ended:
		return nil
	case <-ctx.Done():
	case <-time.After(startTimeout):
	}
	v.kill()
	return fmt.Errorf("%s did not stop by itself", v.system.name)
}

// documented is the request that the contract documents.
const documented = `{"email":"` + templateEmail + `","first_name":"Johny","middle_name":"Kanez","last_name":"Smith","address":{"line1":"1234 East Lane","line2":"Apartment 2","city":"San Francisco","state":"CA","country":"US","post_code":10203},"phone_number":8885118600}`

// createOne makes the customer that others are copied from.
func (v *server) createOne(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.url+apiPath+"/partner/customers", strings.NewReader(documented))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+v.key)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s: create: %s\n%s", v.system.name, response.Status, body)
	}
	return nil
}

// wait waits, or gives up with ctx.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

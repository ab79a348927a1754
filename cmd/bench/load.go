package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// workload is what requests do.
type workload string

const (
	create workload = "create"
	get    workload = "get"
)

// load is what a server is put under.
type load struct {
	workload    workload
	connections int
	duration    time.Duration
	customers   int64 // there are, for gets
}

// result is what wrk says.
type result struct {
	took          time.Duration
	requests      int64
	p50, p99, max time.Duration
	bad           int64 // answers other than 2xx and 3xx
	broken        int64 // errors of sockets
}

func needWrk() error {
	if _, err := exec.LookPath("wrk"); err != nil {
		return errors.New("there is no wrk on PATH; install it: apt-get install wrk (Debian, Ubuntu), brew install wrk")
	}
	return nil
}

var wrkResult = regexp.MustCompile(`(?m)^RES dur_us=(\d+) n=(\d+) p50_us=(\d+) p99_us=(\d+) max_us=(\d+) bad=(\d+) sockerr=(\d+)$`)

// parseResult reads the line that the scripts in testdata/load end with.
func parseResult(out string) (result, error) {
	m := wrkResult.FindStringSubmatch(strings.ReplaceAll(strings.ReplaceAll(out, ".0 ", " "), ".0\n", "\n"))
	if m == nil {
		return result{}, fmt.Errorf("wrk printed no result:\n%s", out)
	}
	var n [8]int64
	for i := 1; i < len(m); i++ {
		var err error
		if n[i], err = strconv.ParseInt(m[i], 10, 64); err != nil {
			return result{}, fmt.Errorf("result of wrk: %w", err)
		}
	}
	us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	return result{took: us(n[1]), requests: n[2], p50: us(n[3]), p99: us(n[4]), max: us(n[5]), bad: n[6], broken: n[7]}, nil
}

// wrk puts a server under load, and gives the CPU time that this took as well.
func (b *session) wrk(ctx context.Context, v *server, l load) (result, time.Duration, error) {
	// A server that is slow is not one that fails.
	cmd := exec.CommandContext(ctx, "wrk", "-t1", "-c"+strconv.Itoa(l.connections), fmt.Sprintf("-d%.0fs", l.duration.Seconds()), //nolint:gosec // numbers
		"--timeout", "30s", "--latency", "-s", filepath.Join(b.root, "cmd", "bench", "testdata", "load", string(l.workload)+".lua"), v.url)
	var run [6]byte
	if _, err := rand.Read(run[:]); err != nil {
		return result{}, 0, err
	}
	cmd.Env = append(environment(), "TOKEN="+v.key, fmt.Sprintf("RUN=%x", run), fmt.Sprintf("CUSTOMERS=%d", l.customers))
	ownGroup(cmd)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		return result{}, 0, fmt.Errorf("wrk: %w\n%s%s", err, &out, &stderr)
	}
	r, err := parseResult(out.String())
	return r, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), err
}

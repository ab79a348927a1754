package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestSyncBeforeAnswer watches the system calls of the server: no customer is
// acknowledged before the journal that holds it was on storage. Killing the
// server would not show it, for what was written outlives the process. A server
// that does not wait for storage is watched too, to see that this is noticed.
func TestSyncBeforeAnswer(t *testing.T) {
	t.Parallel()
	strace := need(t, "strace")
	const creations = 200
	t.Run("synced", func(t *testing.T) {
		t.Parallel()
		if early := watch(t, strace, programs.escrowd, creations); len(early) > 0 {
			t.Errorf("%d of %d customers were acknowledged before they were on storage, %s among them", len(early), creations, early[0])
		}
	})
	t.Run("unsynced", func(t *testing.T) {
		t.Parallel()
		program := filepath.Join(t.TempDir(), "escrowd")
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "unsynced", "-o", program, ".").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if early := watch(t, strace, program, creations); len(early) < creations/2 {
			t.Errorf("of a server that does not wait for storage, only %d of %d answers were found to be early", len(early), creations)
		}
	})
}

// watch creates customers, several at once, and gives the addresses of those who
// were acknowledged early.
func watch(t *testing.T, strace, program string, creations int) []string {
	t.Helper()
	folder := t.TempDir()
	trace := filepath.Join(folder, "trace")
	s := startCommand(t, nil,
		strace, "-D", "-f", "-q", "-y", "-s", "8192", "-e", "trace=fsync,fdatasync,write,writev,sendto,sendmsg,pwrite64,pwritev", "-e", "signal=none", "-o", trace,
		program, "--data", filepath.Join(folder, "data"), "--listen", "127.0.0.1:0", "--rate-limit", "0")
	const together = 16
	var wg sync.WaitGroup
	for worker := range together {
		wg.Go(func() {
			for i := worker; i < creations; i += together {
				if status, body, _, err := s.create(t, s.key, fmt.Sprintf(`{"email":"%s"}`, address(i))); err != nil || status != http.StatusCreated {
					t.Errorf("%d %v %v", status, body, err)
				}
			}
		})
	}
	wg.Wait()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
	var calls []byte
	exited := regexp.MustCompile(fmt.Sprintf(`(?m)^%d +\+\+\+`, s.cmd.Process.Pid))
	eventually(t, "strace ends", func() bool {
		var err error
		calls, err = os.ReadFile(trace)
		return err == nil && exited.Match(calls)
	})
	return earlyAnswers(t, calls, creations)
}

// address is found as it is in the middle of binary data.
func address(i int) string { return fmt.Sprintf("synced.%d.end@example.com", i) }

var (
	addressPattern = regexp.MustCompile(`synced\.\d+\.end@example\.com`)
	callPattern    = regexp.MustCompile(`^(\d+) +(?:<\.\.\. )?(\w+)(?:\(\d+<([^>]*)>| resumed>)`)
)

// earlyAnswers goes through system calls as they began and ended. An address is
// written when the first write to the journal that has it ends, stored when a
// sync of the journal ends that began after that, and acknowledged when an answer
// that has it begins.
func earlyAnswers(t *testing.T, calls []byte, creations int) []string {
	t.Helper()
	written := make(map[string]int)      // to the line at which it was
	stored := make(map[string]bool)      // or not
	answered := make(map[string]bool)    // or not
	syncing := make(map[string]int)      // threads, to the line at which their sync began
	writing := make(map[string][]string) // threads, to addresses
	var early []string
	lines := bufio.NewScanner(bytes.NewReader(calls))
	lines.Buffer(nil, 1<<20)
	for at := 0; lines.Scan(); at++ {
		line := lines.Text()
		call := callPattern.FindStringSubmatch(line)
		if call == nil {
			continue
		}
		thread, name, file := call[1], call[2], call[3]
		begins, ends := file != "", !strings.HasSuffix(line, "<unfinished ...>")
		isJournal, isSync := strings.HasSuffix(file, "escrow.db-wal"), name == "fsync" || name == "fdatasync"
		switch {
		case begins && isJournal && isSync:
			syncing[thread] = at
		case begins && isJournal:
			writing[thread] = addressPattern.FindAllString(line, -1)
		case begins && strings.Contains(line, "HTTP/1.1 201 "):
			for _, a := range addressPattern.FindAllString(line, 1) {
				if answered[a] = true; !stored[a] {
					early = append(early, a)
				}
			}
		}
		if !ends {
			continue
		}
		for _, a := range writing[thread] {
			if _, before := written[a]; !before {
				written[a] = at
			}
		}
		delete(writing, thread)
		if began, is := syncing[thread]; is && isSync {
			for a, when := range written {
				stored[a] = stored[a] || when < began
			}
			delete(syncing, thread)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(answered) != creations || len(written) != creations {
		t.Fatalf("of %d customers, %d were seen to be written and %d to be acknowledged", creations, len(written), len(answered))
	}
	return early
}

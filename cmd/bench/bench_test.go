package main

import (
	"bytes"
	"database/sql"
	"errors"
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

func TestParseResult(t *testing.T) {
	t.Parallel()
	const out = `Running 5s test @ http://127.0.0.1:18080
  64 connections
Requests/sec:   1895.00
RES dur_us=5004321 n=9476 p50_us=30123.0 p99_us=113456 max_us=201000 bad=3 sockerr=2
`
	got, err := parseResult(out)
	if err != nil {
		t.Fatal(err)
	}
	want := result{took: 5004321 * time.Microsecond, requests: 9476, p50: 30123 * time.Microsecond, p99: 113456 * time.Microsecond, max: 201 * time.Millisecond, bad: 3, broken: 2}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Error(diff)
	}
	for _, broken := range []string{"", "RES dur_us=1 n=2", strings.Replace(out, "n=9476", "n=many", 1)} {
		if r, err := parseResult(broken); err == nil {
			t.Errorf("%q: %+v", broken, r)
		}
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	tests := []struct {
		of   []float64
		want float64
	}{{nil, 0}, {[]float64{4}, 4}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 100}, 3.5}}
	for _, test := range tests {
		given := append([]float64(nil), test.of...)
		if got := median(test.of); got != test.want {
			t.Errorf("median of %v is %v, want %v", test.of, got, test.want)
		}
		if diff := cmp.Diff(given, test.of); diff != "" {
			t.Error("the values were moved", diff)
		}
	}
}

// TestRatios checks that each run is compared with the one of its own pair, and
// that pairs with failures count for nothing.
func TestRatios(t *testing.T) {
	t.Parallel()
	run := func(requests, bad int64) sample {
		return sample{result: result{took: 2 * time.Second, requests: requests, bad: bad}}
	}
	pairs := []pair{{run(2000, 0), run(1000, 0)}, {run(300, 0), run(100, 0)}, {run(9000, 0), run(10, 1)}, {run(100, 0), run(0, 0)}}
	got := ratios(pairs, throughput)
	if diff := cmp.Diff([]float64{2, 3}, got); diff != "" {
		t.Error(diff)
	}
	text := ratioTable(ours, []comparison{{peer: peers()[0], pairs: pairs}}, 10)
	if !regexp.MustCompile(`textbook, 1 connection +\| +2\.50 \| +2\.00–3\.00 `).MatchString(text) {
		t.Error(text)
	}
	if text := ratioTable(ours, []comparison{{peer: peers()[0], pairs: pairs[2:]}}, 10); !strings.Contains(text, "void") {
		t.Error(text)
	}
	if text := systemTable(ours, []comparison{{peer: peers()[0], pairs: pairs}}, 10); !strings.Contains(text, "1, void") {
		t.Error(text)
	}
}

func TestOthersShare(t *testing.T) {
	t.Parallel()
	before, err := parseMachineTime("cpu  100 10 50 1000 5 7 3 0 0 0\ncpu0 1 1 1 1\n")
	if err != nil {
		t.Fatal(err)
	}
	// 200 ticks of all CPUs: 120 busy, 20 in interrupts, 60 idle.
	after, err := parseMachineTime("cpu  180 20 70 1050 15 17 13 10 0 0\ncpu0 1 1 1 1\n")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		own  time.Duration
		want float64
	}{{0, 0.6}, {800 * time.Millisecond, 0.2}, {1200 * time.Millisecond, 0}, {2 * time.Second, 0}}
	for _, test := range tests {
		if got := othersShare(before, after, test.own); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("others with %s of our own: %v, want %v", test.own, got, test.want)
		}
	}
	if got := othersShare(before, before, 0); got != 0 {
		t.Errorf("others in no time: %v", got)
	}
	if _, err := parseMachineTime("intr 1 2 3"); err == nil {
		t.Error("what is no CPU line was read")
	}
}

func TestParseCPU(t *testing.T) {
	t.Parallel()
	got, err := parseCPU("42 (a name) with (parens)) S 1 42 42 0 -1 4194560 1 2 3 4 250 50 7 8 20 0 9 0 1 2 3")
	if err != nil || got != 3*time.Second {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := parseCPU("42 (x) S 1"); err == nil {
		t.Error("a short line was read")
	}
}

// TestQuiet checks that a disturbed run is repeated a bounded number of times,
// and that the quietest one is kept.
func TestQuiet(t *testing.T) {
	t.Parallel()
	tests := []struct {
		others []float64
		want   float64
		tries  int
	}{{[]float64{0.05}, 0.05, 1}, {[]float64{0.5, 0.1}, 0.1, 2}, {[]float64{0.5, 0.3}, 0.3, 2}, {[]float64{0.3, 0.5}, 0.3, 2}}
	for _, test := range tests {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			b := &session{cli: &cli{MaxOthers: 10, Repeats: 1}, out: ui{out: new(bytes.Buffer), err: new(bytes.Buffer)}}
			tries := 0
			got, err := b.quiet(t.Context(), "a run", func() ([]sample, error) {
				tries++
				if tries > len(test.others) {
					return nil, errors.New("too often")
				}
				return []sample{{others: 0.01}, {others: test.others[tries-1]}}, nil
			})
			if err != nil || tries != test.tries || noise(got) != test.want {
				t.Errorf("%d tries, %v, %v; want %d and %v", tries, got, err, test.tries, test.want)
			}
		})
	}
}

// TestFill copies a customer of a schema that has what ours and the peers' have.
func TestFill(t *testing.T) {
	t.Parallel()
	db, err := openDB(filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `
		CREATE TABLE customers (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL, email_key TEXT NOT NULL UNIQUE, name TEXT) STRICT;
		CREATE TABLE outbox (id TEXT NOT NULL PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), payload TEXT) STRICT;
		CREATE TABLE attempts (message_id TEXT NOT NULL REFERENCES outbox (id), attempt INTEGER NOT NULL, PRIMARY KEY (message_id, attempt)) STRICT, WITHOUT ROWID;
		CREATE TABLE links (customer_id INTEGER NOT NULL REFERENCES customers (id), id TEXT NOT NULL, hash BLOB NOT NULL UNIQUE, PRIMARY KEY (customer_id, id)) STRICT, WITHOUT ROWID;
		CREATE TABLE notes (id INTEGER PRIMARY KEY, customer_id TEXT NOT NULL);
		CREATE TABLE keys (id INTEGER PRIMARY KEY, hash TEXT);
		INSERT INTO customers VALUES (1, 'johny.template@example.com', 'johny.template@example.com', 'Johny');
		INSERT INTO outbox VALUES ('018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081', 1, '{"to":"johny.template@example.com"}');
		INSERT INTO attempts VALUES ('018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081', 1);
		INSERT INTO links VALUES (1, '018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081', randomblob(32));
		INSERT INTO notes VALUES (7, '1');
		INSERT INTO keys VALUES (1, 'x');`); err != nil {
		t.Fatal(err)
	}
	const n = fillChunk + 2 // more than a transaction's
	if err := fill(t.Context(), db, "customers", n); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{
		`SELECT count(*) FROM customers WHERE id BETWEEN 1 AND 50002 AND name = 'Johny' AND email = email_key`:                                        n,
		`SELECT count(*) FROM outbox o JOIN customers c ON c.id = o.customer_id WHERE o.payload = '{"to":"' || c.email || '"}' AND length(o.id) = 36`: n,
		`SELECT count(*) FROM attempts a JOIN outbox o ON o.id = a.message_id WHERE a.attempt = 1`:                                                    n,
		`SELECT count(*) FROM links l JOIN outbox o ON o.id = l.id AND o.customer_id = l.customer_id WHERE length(l.hash) = 32`:                       n,
		`SELECT count(DISTINCT customer_id) FROM notes`:                                                                                               n,
		`SELECT count(*) FROM keys`: 1,
	} {
		if got := count(t, db, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

func count(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestReplaceSection(t *testing.T) {
	t.Parallel()
	report := ""
	for _, s := range [][2]string{{titleSize, "big"}, {titleRatios, "old"}, {titleRatios, "new"}} {
		report = replaceSection(report, s[0], "## "+s[0]+"\n\n"+s[1]+"\n")
	}
	if want := preface + "\n## Ratios\n\nnew\n\n## By number of customers\n\nbig\n"; report != want {
		t.Error(cmp.Diff(want, report))
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	for f, want := range map[float64]string{0.456: "0.46", 12.34: "12.3", 999.6: "1,000", 1234567: "1,234,567"} {
		if got := decimals(f); got != want {
			t.Errorf("%v is %s, want %s", f, got, want)
		}
	}
	for f, want := range map[float64]float64{0: 1, 0.7: 0.8, 3: 4, 41: 60, 90: 100} {
		if got := niceMost(f); math.Abs(got-want) > 1e-9 {
			t.Errorf("the axis for %v ends at %v, want %v", f, got, want)
		}
	}
}

// TestHelp checks that every command has an example, which names it.
func TestHelp(t *testing.T) {
	t.Parallel()
	help := func(args ...string) string {
		var c cli
		var out bytes.Buffer
		type exited struct{}
		parser, err := newParser(&c, ui{out: &out, err: &out}, kong.Exit(func(int) { panic(exited{}) }))
		if err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() { _ = recover().(exited) }()
			_, _ = parser.Parse(append(args, "--help"))
		}()
		return out.String()
	}
	_, list, _ := strings.Cut(help(), "Commands:")
	commands := regexp.MustCompile(`(?m)^  ([a-z]+) `).FindAllStringSubmatch(list, -1)
	if len(commands) != 6 {
		t.Errorf("%d commands in %s", len(commands), list)
	}
	for _, m := range commands {
		if text := help(m[1]); !regexp.MustCompile(`(?m)^Examples?:\n(.*\n)* +bench ` + m[1]).MatchString(text) {
			t.Errorf("%s has no example:\n%s", m[1], text)
		}
	}
}

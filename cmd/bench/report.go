package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Titles of sections, in the order in which they stand.
const (
	titleRatios     = "Ratios"
	titleValidation = "The price of validation"
	titleLatency    = "Latency, start and memory"
	titleSize       = "By number of customers"
)

var titles = []string{titleRatios, titleValidation, titleLatency, titleSize}

const preface = `# Results of cmd/bench

How our server compares with what one would use instead, on one machine under one
load. Made by ` + "`go run ./cmd/bench all --out cmd/bench/RESULTS.md`" + `; what is measured,
and how, is in the [comment of the package](main.go). Ratios within one run count,
absolute figures depend on the machine. Each section says when and where it was made.
`

// publish prints a section, and puts it into the report, where it takes the
// place of the one of the same title.
func (b *session) publish(ctx context.Context, title, body string) error {
	facts, err := b.machineFacts(ctx)
	if err != nil {
		return err
	}
	facts = append(facts, b.absent...)
	section := fmt.Sprintf("## %s\n\n%s\n%s", title, strings.TrimRight(body, "\n")+"\n", strings.TrimRight("- "+strings.Join(facts, "\n- "), "\n")+"\n")
	b.out.printf("%s\n", section)
	if b.cli.Out == "" {
		return nil
	}
	old, err := os.ReadFile(b.cli.Out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("report: %w", err)
	}
	if err := os.WriteFile(b.cli.Out, []byte(replaceSection(string(old), title, section)), 0o644); err != nil { //nolint:gosec // to be published
		return fmt.Errorf("report: %w; name another file with --out", err)
	}
	return nil
}

// replaceSection gives a report with a section replaced or added.
func replaceSection(report, title, section string) string {
	sections := map[string]string{}
	for _, part := range strings.Split("\n"+report, "\n## ")[1:] {
		name, _, _ := strings.Cut(part, "\n")
		sections[name] = "## " + strings.TrimRight(part, "\n") + "\n"
	}
	sections[title] = section
	var out strings.Builder
	out.WriteString(preface)
	for _, name := range titles {
		if s, ok := sections[name]; ok {
			out.WriteString("\n" + s)
		}
	}
	return out.String()
}

// machineFacts say what a figure depends on.
func (b *session) machineFacts(ctx context.Context) ([]string, error) {
	date := "Made on " + time.Now().UTC().Format(time.DateOnly)
	if b.facts != nil {
		return append([]string{date}, b.facts...), nil
	}
	fsync, err := b.fsyncTime()
	if err != nil {
		return nil, err
	}
	commit := "unknown"
	if out, err := output(ctx, b.root, "git", "describe", "--always", "--dirty"); err == nil {
		commit = strings.TrimSpace(out)
	}
	goVersion, err := output(ctx, b.root, "go", "env", "GOVERSION")
	if err != nil {
		return nil, err
	}
	b.facts = []string{
		fmt.Sprintf("Machine: %d cores, %s, Linux %s, %s; an fsync of 4 KiB takes %s (median)", runtime.NumCPU(), cpuModel(), kernel(), memoryTotal(), fsync.Round(10*time.Microsecond)),
		fmt.Sprintf("Load: wrk %s, one thread; warm-up %s, measured %s; rounds: %d", wrkVersion(ctx), b.cli.WarmUp, b.cli.Duration, b.cli.Rounds),
		fmt.Sprintf("escrowd: commit %s, %s, default settings, but for a rate limit that is not reached; e-mails stay queued, except where it is \"sending\" them", commit, strings.TrimSpace(goVersion)),
	}
	b.facts = append(b.facts, b.peerFacts(ctx)...)
	return append([]string{date}, b.facts...), nil
}

// peerFacts are the versions of the peers that were built.
func (b *session) peerFacts(ctx context.Context) []string {
	var facts []string
	for _, p := range []struct{ source, want string }{
		{"textbook", `github.com/getkin/kin-openapi|github.com/labstack/echo/v4|modernc.org/sqlite`},
		{"pocketbase", `github.com/pocketbase/pocketbase|modernc.org/sqlite`},
	} {
		if _, built := b.built[p.source+"+"]; !built {
			continue
		}
		content, err := os.ReadFile(filepath.Join(b.sourceOf(system{source: p.source}), "go.mod"))
		if err != nil {
			continue // it was built from it
		}
		found := regexp.MustCompile(`(?m)^\s*((?:`+p.want+`) v\S+)`).FindAllStringSubmatch(string(content), -1)
		var versions []string
		for _, m := range found {
			versions = append(versions, m[1])
		}
		facts = append(facts, p.source+": "+strings.Join(versions, ", "))
	}
	if _, built := b.built["fastify+"]; built {
		version := "of unknown version"
		if out, err := output(ctx, ".", "node", "--version"); err == nil {
			version = strings.TrimSpace(out)
		}
		facts = append(facts, "fastify: node "+version+", "+strings.Join(lockedVersions(b.sourceOf(system{source: "fastify"})), ", "))
	}
	return facts
}

// lockedVersions are those of the packages that package.json names.
func lockedVersions(folder string) []string {
	content, err := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	var lock struct {
		Packages map[string]struct {
			Version      string            `json:"version"`
			Dependencies map[string]string `json:"dependencies"`
		} `json:"packages"`
	}
	if err != nil || json.Unmarshal(content, &lock) != nil {
		return nil
	}
	var all []string
	for name := range lock.Packages[""].Dependencies {
		all = append(all, name+" "+lock.Packages["node_modules/"+name].Version)
	}
	slices.Sort(all)
	return all
}

// fsyncTime measures what durability costs where the runs work.
func (b *session) fsyncTime() (median time.Duration, err error) {
	file, err := os.CreateTemp(b.scratch, "fsync-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	block := make([]byte, 4096)
	times := make([]time.Duration, 101)
	for i := range times {
		began := time.Now()
		if _, err := file.Write(block); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
		times[i] = time.Since(began)
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// wrkVersion reads the first line of wrk -v, which exits with 1.
func wrkVersion(ctx context.Context) string {
	out, _ := exec.CommandContext(ctx, "wrk", "-v").Output()
	fields := strings.Fields(string(out))
	if len(fields) < 2 {
		return "of unknown version"
	}
	return fields[1]
}

func cpuModel() string {
	return lineOf("/proc/cpuinfo", "model name", "unknown CPU")
}

func kernel() string {
	content, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "of unknown version"
	}
	return strings.TrimSpace(string(content))
}

func memoryTotal() string {
	var kib int64
	if _, err := fmt.Sscanf(lineOf("/proc/meminfo", "MemTotal", ""), "%d kB", &kib); err != nil {
		return "unknown memory"
	}
	return fmt.Sprintf("%d GiB of memory", (kib+1<<19)>>20)
}

// lineOf gives the value of a name in a file of lines "name: value".
func lineOf(path, name, otherwise string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return otherwise
	}
	for line := range strings.Lines(string(content)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return otherwise
}

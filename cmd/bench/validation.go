package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// validationCommand compares our server with itself without the judge.
type validationCommand struct {
	Customers int64 `help:"Customers that are there when they are read." default:"1000000"`
}

// Run measures, and reports.
func (v *validationCommand) Run(ctx context.Context, b *session) error {
	known, err := hasTag(b.root, unjudged.tags)
	if err != nil {
		return err
	}
	t := table{heading: []string{"Workload", "CPU µs", "unvalidated", "difference", "lowest–highest", "share %", "requests/s", "unvalidated", "others %"}}
	for _, w := range []workload{create, get} {
		l := load{workload: w, connections: b.cli.Connections, duration: b.cli.Duration, customers: v.Customers}
		comparisons, err := b.compare(ctx, ours, []system{unjudged}, l)
		if err != nil {
			return err
		}
		t.validation(w, comparisons[0].pairs, b.cli.MaxOthers)
	}
	body := `What it costs the server to hold requests and responses to the contract: CPU for
each request, against the same server built with ` + "`-tags unvalidated`" + `, which decodes and
binds but does not judge. Medians of pairs of runs, back to back.

` + t.String()
	if !known {
		body += "\nThis tree does not know the tag: both are the same program, and the difference is chance.\n"
	}
	return b.publish(ctx, titleValidation, body)
}

func (t *table) validation(w workload, pairs []pair, maxOthers float64) {
	var differences, shares []float64
	for _, p := range pairs {
		if p.void() {
			continue
		}
		differences = append(differences, cpuMicros(p.ours)-cpuMicros(p.theirs))
		shares = append(shares, 100*(1-cpuMicros(p.theirs)/cpuMicros(p.ours)))
	}
	if len(differences) == 0 {
		t.add(string(w), "void", "", "", "", "", "", "", "")
		return
	}
	judged, plain := split(pairs)
	all := slices.Concat(judged, plain)
	t.add(string(w), decimals(medianOf(judged, cpuMicros)), decimals(medianOf(plain, cpuMicros)),
		fmt.Sprintf("%.1f", median(differences)), spread(differences), fmt.Sprintf("%.1f", median(shares)),
		decimals(medianOf(judged, throughput)), decimals(medianOf(plain, throughput)),
		fmt.Sprintf("%.1f%s", noise(all)*100, mark(all, maxOthers)))
}

// hasTag tells whether a build tag changes anything.
func hasTag(root, tag string) (bool, error) {
	line := regexp.MustCompile(`(?m)^//go:build .*\b` + regexp.QuoteMeta(tag) + `\b`)
	found := false
	sources := os.DirFS(filepath.Join(root, "impl"))
	err := fs.WalkDir(sources, ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		content, err := fs.ReadFile(sources, path)
		found = found || line.Match(content)
		return err
	})
	return found, err
}

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// ratiosCommand compares with peers.
type ratiosCommand struct {
	Peers     []string   `help:"What to compare with; all if none is named." placeholder:"NAME,..."`
	Workloads []workload `help:"What requests do: create, get." default:"create,get" enum:"create,get"`
	Customers int64      `help:"Customers that are there when they are read." default:"1000000"`
}

// comparison is that with one peer under one workload.
type comparison struct {
	peer   system
	theirs func() (sample, error)
	pairs  []pair
}

// Run measures, and reports.
func (r *ratiosCommand) Run(ctx context.Context, b *session) error {
	peers, err := b.systems(ctx, r.Peers)
	if err != nil {
		return err
	}
	var body strings.Builder
	for _, w := range r.Workloads {
		if w == get { // which sends no e-mail
			peers = slices.DeleteFunc(peers, func(s system) bool { return s.mail == mailSent })
		}
		l := load{workload: w, connections: b.cli.Connections, duration: b.cli.Duration, customers: r.Customers}
		comparisons, err := b.compare(ctx, ours, peers, l)
		if err != nil {
			return err
		}
		body.WriteString(r.intro(l))
		body.WriteString(ratioTable(ours, comparisons, b.cli.MaxOthers))
		body.WriteByte('\n')
		body.WriteString(systemTable(ours, comparisons, b.cli.MaxOthers))
		body.WriteByte('\n')
	}
	body.WriteString(legend)
	return b.publish(ctx, titleRatios, body.String())
}

func (r *ratiosCommand) intro(l load) string {
	if l.workload == create {
		return fmt.Sprintf("Create, %d connections, beginning with no customers:\n\n", l.connections)
	}
	return fmt.Sprintf("Get, %d connections, any of %s customers:\n\n", l.connections, thousands(l.customers))
}

const legend = `Ratios are medians of pairs of runs, back to back, with the lowest and the highest;
those of requests are ours to theirs, those of CPU theirs to ours: higher is better
for us. CPU is that of the server's whole process for each request; others is the
greatest share of the machine that something else used. * marks what was measured
on a busy machine.

`

// compare runs pairs with each peer, in each round.
func (b *session) compare(ctx context.Context, first system, peers []system, l load) ([]comparison, error) {
	mine, err := b.ready(ctx, first, l)
	if err != nil {
		return nil, err
	}
	comparisons := make([]comparison, len(peers))
	for i, peer := range peers {
		comparisons[i].peer = peer
		if comparisons[i].theirs, err = b.ready(ctx, peer, l); err != nil {
			return nil, err
		}
	}
	for round := range b.cli.Rounds {
		for i := range comparisons {
			c := &comparisons[i]
			about := fmt.Sprintf("round %d, %s, %s", round+1, l.workload, c.peer.name)
			p, err := b.pair(ctx, about, mine, c.theirs)
			if err != nil {
				return nil, err
			}
			c.pairs = append(c.pairs, p)
			b.out.progress("%s: %s and %s requests/s", about, thousands(int64(p.ours.perSecond())), thousands(int64(p.theirs.perSecond())))
		}
	}
	return comparisons, nil
}

func (b *session) pair(ctx context.Context, about string, mine, theirs func() (sample, error)) (pair, error) {
	samples, err := b.quiet(ctx, about, func() ([]sample, error) {
		first, err := mine()
		if err != nil {
			return nil, err
		}
		second, err := theirs()
		return []sample{first, second}, err
	})
	if err != nil {
		return pair{}, err
	}
	return pair{samples[0], samples[1]}, nil
}

// split gives the runs of both sides.
func split(pairs []pair) (ours, theirs []sample) {
	for _, p := range pairs {
		ours, theirs = append(ours, p.ours), append(theirs, p.theirs)
	}
	return ours, theirs
}

func ratioTable(first system, comparisons []comparison, maxOthers float64) string {
	t := table{heading: []string{first.title + " to", "requests/s", "lowest–highest", "CPU", "pairs"}}
	for _, c := range comparisons {
		requests := ratios(c.pairs, throughput)
		if len(requests) == 0 {
			t.add(c.peer.title, "void", "", "", "0")
			continue
		}
		ours, theirs := split(c.pairs)
		marked := mark(slices.Concat(ours, theirs), maxOthers)
		cpu := median(inverse(ratios(c.pairs, cpuMicros)))
		t.add(c.peer.title, decimals(median(requests))+marked, decimals(slices.Min(requests))+"–"+decimals(slices.Max(requests)), decimals(cpu), fmt.Sprint(len(requests)))
	}
	return t.String()
}

func inverse(all []float64) []float64 {
	var inverted []float64
	for _, f := range all {
		if f > 0 {
			inverted = append(inverted, 1/f)
		}
	}
	return inverted
}

func systemTable(first system, comparisons []comparison, maxOthers float64) string {
	t := table{heading: []string{"System", "requests/s", "p50 ms", "p99 ms", "CPU µs", "RSS MiB", "non-2xx", "others %"}}
	var all []sample
	for _, c := range comparisons {
		ours, _ := split(c.pairs)
		all = append(all, ours...)
	}
	t.system(first, all, maxOthers)
	for _, c := range comparisons {
		_, theirs := split(c.pairs)
		t.system(c.peer, theirs, maxOthers)
	}
	return t.String()
}

// system adds the medians of the runs of one.
func (t *table) system(s system, runs []sample, maxOthers float64) {
	if len(runs) == 0 {
		return
	}
	var bad int64
	for _, r := range runs {
		bad += r.bad + r.broken
	}
	failures := thousands(bad)
	if bad > 0 {
		failures += ", void"
	}
	row := []string{s.title}
	for _, figure := range []func(sample) float64{throughput, p50Millis, p99Millis, cpuMicros, memoryMiB} {
		row = append(row, decimals(medianOf(runs, figure)))
	}
	t.add(append(row, failures, fmt.Sprintf("%.1f%s", noise(runs)*100, mark(runs, maxOthers)))...)
}

// mark is put to what was measured while others used the machine.
func mark(runs []sample, maxOthers float64) string {
	if noise(runs)*100 > maxOthers {
		return "*"
	}
	return ""
}

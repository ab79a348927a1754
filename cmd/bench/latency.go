package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	idleTime = 5 * time.Second
	// maxLoads bounds how often a server is put under load to make creates.
	maxLoads = 100
)

// latencyCommand measures what throughput does not show.
type latencyCommand struct {
	Peers     []string `help:"What to compare with." default:"textbook-1" placeholder:"NAME,..."`
	Customers int64    `help:"Customers that are there when they are read, and at the start." default:"1000000"`
	Starts    int      `help:"How often each server is started." default:"10"`
	Creates   int64    `help:"Customers to create before memory is measured again." default:"100000"`
}

// Defaults of the flags, for [allCommand].
const (
	defaultStarts  = 10
	defaultCreates = 100_000
)

// Run measures, and reports.
func (l *latencyCommand) Run(ctx context.Context, b *session) error {
	peers, err := b.systems(ctx, l.Peers)
	if err != nil {
		return err
	}
	var body strings.Builder
	for _, one := range []load{
		{workload: create, connections: b.cli.Connections},
		{workload: create, connections: 1},
		{workload: get, connections: 1},
	} {
		one.duration, one.customers = b.cli.Duration, l.Customers
		comparisons, err := b.compare(ctx, ours, peers, one)
		if err != nil {
			return err
		}
		fmt.Fprintf(&body, "%s\n\n%s\n", loadTitle(one), latencyTable(comparisons, b.cli.MaxOthers))
	}
	t := table{heading: []string{"System", "start ms", "lowest–highest", "idle MiB", fmt.Sprintf("after %s creates, MiB", thousands(l.Creates))}}
	for _, s := range append([]system{ours}, peers...) {
		if err := l.life(ctx, b, s, &t); err != nil {
			return err
		}
	}
	fmt.Fprintf(&body, "Start, from the process to the first 200 of /readyz, median of %d, and resident memory\n%s later, both with %s customers; and memory after creates from an empty folder:\n\n%s\n", l.Starts, idleTime, thousands(l.Customers), &t)
	return b.publish(ctx, titleLatency, body.String())
}

func loadTitle(l load) string {
	connections := fmt.Sprintf("%d connections", l.connections)
	if l.connections == 1 {
		connections = "1 connection"
	}
	if l.workload == create {
		return fmt.Sprintf("Create, %s:", connections)
	}
	return fmt.Sprintf("Get, %s, any of %s customers:", connections, thousands(l.customers))
}

// latencyTable has the ratios of latencies, theirs to ours.
func latencyTable(comparisons []comparison, maxOthers float64) string {
	t := table{heading: []string{"System", "p50 ms", "p99 ms", "requests/s", "p50, ours is × faster", "p99, ours is × faster", "non-2xx", "others %"}}
	row := func(s system, runs []sample, p50, p99 string) {
		var bad int64
		for _, r := range runs {
			bad += r.bad + r.broken
		}
		t.add(s.title, milliseconds(medianOf(runs, p50Millis)), milliseconds(medianOf(runs, p99Millis)), decimals(medianOf(runs, throughput)), p50, p99,
			thousands(bad), fmt.Sprintf("%.1f%s", noise(runs)*100, mark(runs, maxOthers)))
	}
	var all []sample
	for _, c := range comparisons {
		mine, _ := split(c.pairs)
		all = append(all, mine...)
	}
	if len(all) > 0 {
		row(ours, all, "", "")
	}
	for _, c := range comparisons {
		_, theirs := split(c.pairs)
		row(c.peer, theirs, decimals(median(inverse(ratios(c.pairs, p50Millis)))), decimals(median(inverse(ratios(c.pairs, p99Millis)))))
	}
	return t.String()
}

func milliseconds(f float64) string { return fmt.Sprintf("%.2f", f) }

// life measures the start and the memory of one system.
func (l *latencyCommand) life(ctx context.Context, b *session, s system, t *table) error {
	dataset, err := b.dataset(ctx, s, l.Customers)
	if err != nil {
		return err
	}
	data, err := b.copyOf(s, dataset)
	if err != nil {
		return err
	}
	var starts []float64
	var idle int64
	for i := range l.Starts {
		v, err := b.start(ctx, s, data)
		if err != nil {
			return err
		}
		starts = append(starts, micros(v.started)/1000)
		if i == l.Starts-1 {
			if err := wait(ctx, idleTime); err != nil {
				v.kill()
				return err
			}
			if idle, err = memoryOf(strconv.Itoa(v.cmd.Process.Pid)); err != nil {
				v.kill()
				return err
			}
		}
		if i > 0 || s.mail == mailNone {
			v.kill()
		} else if err := v.stop(ctx); err != nil { // so that the next ones are after a clean stop
			return err
		}
	}
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	grown, err := l.grow(ctx, b, s)
	if err != nil {
		return err
	}
	b.out.progress("%s: starts in %.0f ms", s.name, median(starts))
	t.add(s.title, decimals(median(starts)), spread(starts), mib(idle), mib(grown))
	return nil
}

func mib(n int64) string { return decimals(float64(n) / (1 << 20)) }

// grow gives the memory after many creates.
func (l *latencyCommand) grow(ctx context.Context, b *session, s system) (int64, error) {
	data, err := b.folder(s)
	if err != nil {
		return 0, err
	}
	v, err := b.start(ctx, s, data)
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(data) }()
	defer v.kill()
	var done int64
	for range maxLoads {
		m, err := b.measure(ctx, v, load{workload: create, connections: b.cli.Connections, duration: b.cli.Duration})
		if err != nil {
			return 0, err
		}
		if m.void() {
			return 0, fmt.Errorf("%s: %d creates failed", s.name, m.bad+m.broken)
		}
		if done += m.requests; done >= l.Creates {
			return m.memory, nil
		}
	}
	return 0, fmt.Errorf("%s: made only %d customers; lower --creates or raise --duration", s.name, done)
}

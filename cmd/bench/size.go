package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// sizeCommand measures what the number of customers does to latency.
type sizeCommand struct {
	Sizes []int64 `help:"Numbers of customers to measure at." default:"10000,1000000,5000000" placeholder:"N,..."`
}

// measured is what there is of one size under one load.
type measured struct {
	customers int64
	load      load
	runs      []sample
}

// shelf is a copy of a data set that creates add to.
type shelf struct {
	dataset, data string
	customers     int64
	added         int64
}

// Run measures, and reports.
func (z *sizeCommand) Run(ctx context.Context, b *session) error {
	sizes := slices.Compact(slices.Sorted(slices.Values(z.Sizes)))
	if len(sizes) == 0 || sizes[0] < 1 {
		return errors.New("--sizes: want numbers such as 10000,1000000")
	}
	var shelves []*shelf
	for _, n := range sizes {
		dataset, err := b.dataset(ctx, ours, n)
		if err != nil {
			return err
		}
		data, err := b.copyOf(ours, dataset)
		if err != nil {
			return err
		}
		shelves = append(shelves, &shelf{dataset: dataset, data: data, customers: n})
	}
	var all []measured
	for _, w := range []workload{get, create} {
		for _, connections := range []int{b.cli.Connections, 1} {
			l := load{workload: w, connections: connections, duration: b.cli.Duration}
			some, err := b.bySize(ctx, shelves, l)
			if err != nil {
				return err
			}
			all = append(all, some...)
		}
	}
	body := `Our server with different numbers of customers, medians of the runs, and what
they are to those with the fewest. Gets are of any customer; creates add to those that are
there, from a copy that has not grown by more than a tenth.

` + sizeTable(all, b.cli.MaxOthers)
	plot, err := b.plotSizes(all)
	if err != nil {
		return err
	}
	return b.publish(ctx, titleSize, body+plot)
}

// bySize measures one load at each size, in each round.
func (b *session) bySize(ctx context.Context, shelves []*shelf, l load) ([]measured, error) {
	all := make([]measured, len(shelves))
	for i, s := range shelves {
		all[i] = measured{customers: s.customers, load: l}
	}
	for round := range b.cli.Rounds {
		for i, s := range shelves {
			about := fmt.Sprintf("round %d, %s, %d connections, %d customers", round+1, l.workload, l.connections, s.customers)
			runs, err := b.quiet(ctx, about, func() ([]sample, error) {
				m, err := b.onShelf(ctx, s, l)
				return []sample{m}, err
			})
			if err != nil {
				return nil, err
			}
			all[i].runs = append(all[i].runs, runs...)
			b.out.progress("%s: p99 %.2f ms", about, p99Millis(runs[0]))
		}
	}
	return all, nil
}

func (b *session) onShelf(ctx context.Context, s *shelf, l load) (sample, error) {
	l.customers = s.customers
	if s.added > s.customers/10 {
		if err := os.RemoveAll(s.data); err != nil {
			return sample{}, err
		}
		data, err := b.copyOf(ours, s.dataset)
		if err != nil {
			return sample{}, err
		}
		s.data, s.added = data, 0
	}
	m, err := b.bench(ctx, ours, s.data, l)
	if l.workload == create {
		s.added += int64(m.perSecond() * (b.cli.WarmUp + b.cli.Duration).Seconds())
	}
	return m, err
}

func sizeTable(all []measured, maxOthers float64) string {
	t := table{heading: []string{"Workload", "connections", "customers", "p50 ms", "p99 ms", "requests/s", "p50 ×", "p99 ×", "non-2xx", "others %"}}
	var smallest measured
	for _, m := range all {
		if m.load.workload != smallest.load.workload || m.load.connections != smallest.load.connections {
			smallest = m
		}
		var bad int64
		for _, r := range m.runs {
			bad += r.bad + r.broken
		}
		relative := func(figure func(sample) float64) string {
			if base := medianOf(smallest.runs, figure); base > 0 {
				return decimals(medianOf(m.runs, figure) / base)
			}
			return "void"
		}
		t.add(string(m.load.workload), fmt.Sprint(m.load.connections), thousands(m.customers),
			milliseconds(medianOf(m.runs, p50Millis)), milliseconds(medianOf(m.runs, p99Millis)), decimals(medianOf(m.runs, throughput)),
			relative(p50Millis), relative(p99Millis), thousands(bad), fmt.Sprintf("%.1f%s", noise(m.runs)*100, mark(m.runs, maxOthers)))
	}
	return t.String()
}

const plotName = "size.svg"

// plotSizes draws what many connections see, beside the report.
func (b *session) plotSizes(all []measured) (string, error) {
	if b.cli.Out == "" {
		return "", nil
	}
	var panels []panel
	for _, w := range []workload{get, create} {
		p := panel{title: fmt.Sprintf("%s, %d connections", w, b.cli.Connections), p50: map[int64]float64{}, p99: map[int64]float64{}}
		for _, m := range all {
			if m.load.workload == w && m.load.connections == b.cli.Connections {
				p.p50[m.customers], p.p99[m.customers] = medianOf(m.runs, p50Millis), medianOf(m.runs, p99Millis)
			}
		}
		panels = append(panels, p)
	}
	path := filepath.Join(filepath.Dir(b.cli.Out), plotName)
	if err := os.WriteFile(path, []byte(plot(panels)), 0o644); err != nil { //nolint:gosec // to be published
		return "", fmt.Errorf("plot: %w", err)
	}
	return fmt.Sprintf("\n![Latency by number of customers](%s)\n", plotName), nil
}

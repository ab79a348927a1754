package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"
)

// sample is one run.
type sample struct {
	result
	cpu    time.Duration // of the server, per request
	memory int64         // of the server, after it
	others float64       // share of the machine
}

func (s sample) perSecond() float64 { return float64(s.requests) / s.took.Seconds() }

// void tells that the run counts for nothing.
func (s sample) void() bool { return s.bad > 0 || s.broken > 0 || s.requests == 0 }

// bench starts a system, warms it up, measures, and ends it.
func (b *session) bench(ctx context.Context, s system, data string, l load) (sample, error) {
	v, err := b.start(ctx, s, data)
	if err != nil {
		return sample{}, err
	}
	defer v.kill()
	warmUp := l
	warmUp.duration = b.cli.WarmUp
	if _, _, err := b.wrk(ctx, v, warmUp); err != nil {
		return sample{}, err
	}
	return b.measure(ctx, v, l)
}

// measure puts a running server under load.
func (b *session) measure(ctx context.Context, v *server, l load) (sample, error) {
	pid, self := strconv.Itoa(v.cmd.Process.Pid), strconv.Itoa(os.Getpid())
	before, err := readClocks(pid, self)
	if err != nil {
		return sample{}, err
	}
	r, wrkCPU, err := b.wrk(ctx, v, l)
	if err != nil {
		return sample{}, err
	}
	after, err := readClocks(pid, self)
	if err != nil {
		return sample{}, fmt.Errorf("%w\n%s said\n%s", err, v.system.name, v.said())
	}
	memory, err := memoryOf(pid)
	if err != nil {
		return sample{}, err
	}
	s := sample{result: r, memory: memory}
	s.others = othersShare(before.machine, after.machine, after.server-before.server+after.self-before.self+wrkCPU)
	if r.requests > 0 {
		s.cpu = (after.server - before.server) / time.Duration(r.requests)
	}
	return s, nil
}

type clocks struct {
	machine      machineTime
	server, self time.Duration
}

func readClocks(server, self string) (c clocks, err error) {
	if c.server, err = cpuOf(server); err != nil {
		return c, err
	}
	if c.self, err = cpuOf(self); err != nil {
		return c, err
	}
	c.machine, err = machineNow()
	return c, err
}

// quiet repeats runs while others use the machine, and gives the quietest.
func (b *session) quiet(ctx context.Context, about string, runs func() ([]sample, error)) ([]sample, error) {
	var best []sample
	for try := 0; ; try++ {
		samples, err := runs()
		if err != nil {
			return nil, err
		}
		if best == nil || noise(samples) < noise(best) {
			best = samples
		}
		if noise(best)*100 <= b.cli.MaxOthers {
			return best, nil
		}
		if try >= b.cli.Repeats {
			b.out.progress("%s: others used %.0f %% of the machine; kept and marked", about, noise(best)*100)
			return best, nil
		}
		b.out.progress("%s: others used %.0f %% of the machine; again", about, noise(samples)*100)
		if err := wait(ctx, time.Second); err != nil {
			return nil, err
		}
	}
}

// noise is the greatest share that others had.
func noise(samples []sample) float64 {
	return slices.MaxFunc(samples, func(a, b sample) int { return compare(a.others, b.others) }).others
}

// fresh measures a system whose data folder is empty, and removes it.
func (b *session) fresh(ctx context.Context, s system, l load) (sample, error) {
	data, err := b.folder(s)
	if err != nil {
		return sample{}, err
	}
	m, err := b.bench(ctx, s, data, l)
	if err != nil {
		return sample{}, err
	}
	return m, os.RemoveAll(data)
}

// ready makes what measures a system under one workload: creates begin with an
// empty folder each time, gets have one with many customers.
func (b *session) ready(ctx context.Context, s system, l load) (func() (sample, error), error) {
	if l.workload == create {
		return func() (sample, error) { return b.fresh(ctx, s, l) }, nil
	}
	dataset, err := b.dataset(ctx, s, l.customers)
	if err != nil {
		return nil, err
	}
	data, err := b.copyOf(s, dataset)
	if err != nil {
		return nil, err
	}
	return func() (sample, error) { return b.bench(ctx, s, data, l) }, nil
}

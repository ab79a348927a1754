package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

func compare(a, b float64) int { return cmp.Compare(a, b) }

// median is the middle one, or the mean of the two in the middle; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// pair is two runs, back to back.
type pair struct{ ours, theirs sample }

func (p pair) void() bool { return p.ours.void() || p.theirs.void() }

// ratios are those of a figure of the pairs that are not void, ours to theirs.
func ratios(pairs []pair, figure func(sample) float64) []float64 {
	var all []float64
	for _, p := range pairs {
		if theirs := figure(p.theirs); !p.void() && theirs > 0 {
			all = append(all, figure(p.ours)/theirs)
		}
	}
	return all
}

// medianOf is that of a figure of all runs that are not void.
func medianOf(samples []sample, figure func(sample) float64) float64 {
	var all []float64
	for _, s := range samples {
		if !s.void() {
			all = append(all, figure(s))
		}
	}
	return median(all)
}

// Figures of a run.
func throughput(s sample) float64    { return s.perSecond() }
func cpuMicros(s sample) float64     { return micros(s.cpu) }
func p50Millis(s sample) float64     { return micros(s.p50) / 1000 }
func p99Millis(s sample) float64     { return micros(s.p99) / 1000 }
func memoryMiB(s sample) float64     { return float64(s.memory) / (1 << 20) }
func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// spread writes the lowest and the highest.
func spread(all []float64) string {
	return fmt.Sprintf("%.1f–%.1f", slices.Min(all), slices.Max(all))
}

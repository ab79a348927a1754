package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// panel is one diagram: milliseconds by number of customers.
type panel struct {
	title    string
	p50, p99 map[int64]float64
}

// Sizes of a panel, in a picture that is as wide as a phone.
const (
	plotWidth, panelHeight   = 360.0, 230.0
	left, right, top, bottom = 52.0, 44.0, 34.0, 48.0
	p50Colour, p99Colour     = "#1f6feb", "#c2410c"
	inkColour, gridColour    = "#24292f", "#d0d7de"
	textSize                 = 13
	gridLines                = 4
)

// plot draws panels below each other: a logarithmic axis of customers, a linear
// one of milliseconds from 0.
func plot(panels []panel) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%[1]g" font-family="sans-serif" font-size="%[3]d" role="img" aria-label="Latency by number of customers">`+"\n", plotWidth, panelHeight*float64(len(panels)), textSize)
	b.WriteString(`<rect width="100%" height="100%" fill="#ffffff"/>` + "\n")
	for i, p := range panels {
		p.draw(&b, panelHeight*float64(i))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (p panel) draw(b *strings.Builder, y0 float64) {
	sizes := slices.Sorted(maps.Keys(p.p99))
	if len(sizes) == 0 {
		return
	}
	low, high := math.Log10(float64(sizes[0])), math.Log10(float64(sizes[len(sizes)-1]))
	if high == low {
		high = low + 1
	}
	most := niceMost(max(slices.Max(slices.Collect(maps.Values(p.p99))), slices.Max(slices.Collect(maps.Values(p.p50)))))
	x := func(n int64) float64 {
		return left + (math.Log10(float64(n))-low)/(high-low)*(plotWidth-left-right)
	}
	y := func(ms float64) float64 { return y0 + panelHeight - bottom - ms/most*(panelHeight-top-bottom) }
	text := func(x, y float64, anchor, colour, s string) {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`+"\n", x, y, anchor, colour, s)
	}
	text(left, y0+20, "start", inkColour, p.title+", ms")
	for i := range gridLines + 1 {
		ms := most * float64(i) / gridLines
		fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1[2]f" stroke="%[4]s"/>`+"\n", left, y(ms), plotWidth-right, gridColour)
		text(left-6, y(ms)+4, "end", inkColour, fmt.Sprintf("%.3g", ms))
	}
	for _, n := range sizes {
		text(x(n), y0+panelHeight-bottom+18, "middle", inkColour, short(n))
	}
	text((left+plotWidth-right)/2, y0+panelHeight-10, "middle", inkColour, "customers")
	for _, line := range []struct {
		name, colour string
		values       map[int64]float64
	}{{"p50", p50Colour, p.p50}, {"p99", p99Colour, p.p99}} {
		var points []string
		for _, n := range sizes {
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(n), y(line.values[n])))
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n", x(n), y(line.values[n]), line.colour)
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), line.colour)
		last := sizes[len(sizes)-1]
		text(x(last)+8, y(line.values[last])+4, "start", line.colour, line.name)
	}
}

// niceMost is the end of an axis whose quarters read well.
func niceMost(most float64) float64 {
	if most <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(most)))
	for _, step := range []float64{1, 2, 4, 6, 8} {
		if most <= step*unit {
			return step * unit
		}
	}
	return 10 * unit
}

// short writes a number of customers as 10k or 5M.
func short(n int64) string {
	switch {
	case n >= 1_000_000:
		return fmt.Sprintf("%.3gM", float64(n)/1e6)
	case n >= 1000:
		return fmt.Sprintf("%.3gk", float64(n)/1e3)
	default:
		return fmt.Sprint(n)
	}
}

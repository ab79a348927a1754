package main

import "strings"

// examples are what the help of a sub-command ends with.
func examples(lines ...string) string {
	title := "Examples:"
	if len(lines) == 1 {
		title = "Example:"
	}
	return title + "\n\n  bench " + strings.Join(lines, "\n  bench ")
}

// Help gives examples.
func (*ratiosCommand) Help() string {
	return examples("ratios", "ratios --peers textbook-1,hello --rounds 3", "ratios --workloads get --customers 10000 --duration 2s")
}

// Help gives an example.
func (*validationCommand) Help() string { return examples("validation --rounds 9") }

// Help gives an example.
func (*latencyCommand) Help() string {
	return examples("latency --peers textbook-1,fastify --creates 100000")
}

// Help gives examples.
func (*sizeCommand) Help() string {
	return examples("size", "size --sizes 10000,1000000 --out cmd/bench/RESULTS.md")
}

// Help gives an example.
func (*allCommand) Help() string { return examples("all --out cmd/bench/RESULTS.md") }

// Help gives an example.
func (*prepareCommand) Help() string { return examples("prepare --sizes 1000000") }

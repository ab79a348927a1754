package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// cli is the command line.
type cli struct {
	Cache       string        `help:"Folder that builds and data sets are kept in, and runs work in. Not one in memory: there fsync costs nothing." default:"${cache}" env:"ESCROW_BENCH_CACHE" placeholder:"DIR"`
	Out         string        `help:"Markdown file to write the results to. What other commands wrote to it stays; a plot goes beside it." placeholder:"FILE"`
	Rounds      int           `help:"How often everything is measured." default:"5"`
	Duration    time.Duration `help:"Length of one measurement, in whole seconds." default:"5s"`
	WarmUp      time.Duration `help:"Length of the load before it, the same for every system, in whole seconds." default:"2s"`
	Connections int           `help:"Connections that are kept busy at once." default:"64"`
	MaxOthers   float64       `help:"Share of the machine, in percent, that others may use during a run before it is repeated." default:"10" placeholder:"PERCENT"`
	Repeats     int           `help:"How often a run is repeated that others disturbed, before it is kept and marked." default:"2"`

	Ratios     ratiosCommand     `cmd:"" default:"withargs" help:"Compare with peers (the default)."`
	Validation validationCommand `cmd:"" help:"Measure what it costs to hold requests and responses to the contract."`
	Latency    latencyCommand    `cmd:"" help:"Measure latency, the time to start, and memory."`
	Size       sizeCommand       `cmd:"" help:"Measure latency at different numbers of customers, and plot it."`
	All        allCommand        `cmd:"" help:"Do all of these."`
	Prepare    prepareCommand    `cmd:"" help:"Build everything and make the data sets, without measuring."`
}

// Validate finds what cannot be measured.
func (c *cli) Validate() error {
	var faults []error
	for name, d := range map[string]time.Duration{"duration": c.Duration, "warm-up": c.WarmUp} {
		if d < time.Second || d%time.Second != 0 {
			faults = append(faults, fmt.Errorf("--%s=%s: want whole seconds, such as 5s", name, d))
		}
	}
	if c.Rounds < 1 || c.Connections < 1 {
		faults = append(faults, errors.New("--rounds and --connections: want 1 or more"))
	}
	return errors.Join(faults...)
}

const description = `Measures escrowd against what one would use instead, on this machine, and prints
ratios. Run it in the repository, on a machine that does nothing else.

Examples:

  bench                                    compare with all peers
  bench ratios --peers textbook-1,hello    compare with these
  bench validation                         the price of holding to the contract
  bench latency                            latency, time to start, memory
  bench size --sizes 10000,1000000         latency by the number of customers
  bench all --out cmd/bench/RESULTS.md     everything, written down
  bench --duration 1s --warm-up 1s --rounds 1 --customers 10000    a quick look

Peers: ${peers}.

Needs Linux, Go and wrk (apt-get install wrk), for Fastify Node with npm.

Exit codes: 0 done, 1 failure, 2 usage.`

func newParser(c *cli, out ui, options ...kong.Option) (*kong.Kong, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return kong.New(c, append([]kong.Option{
		kong.Name("bench"),
		kong.Description(description),
		kong.Writers(out.out, out.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 90}),
		kong.Vars{"cache": filepath.Join(cache, "escrow-bench"), "peers": strings.Join(names(peers()), ", ")},
	}, options...)...)
}

func run(ctx context.Context, args []string, out ui) int {
	var c cli
	parser, err := newParser(&c, out, kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		out.fail(err)
		return exitFailure
	}
	command, err := parser.Parse(args)
	if err != nil {
		out.fail(err)
		out.hint("run bench --help")
		return exitUsage
	}
	b, err := newSession(ctx, &c, out)
	if err != nil {
		out.fail(err)
		return exitFailure
	}
	err = command.Run(b)
	if ctx.Err() != nil {
		err = errors.New("interrupted; all servers are stopped")
	}
	if err = errors.Join(err, b.close()); err != nil {
		out.fail(err)
		return exitFailure
	}
	return exitOK
}

func choose(wanted []string) ([]system, error) {
	all := peers()
	var chosen []system
	for _, name := range wanted {
		i := slices.IndexFunc(all, func(s system) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("--peers=%s: there is no such peer; there are %s", name, strings.Join(names(all), ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

func names(systems []system) []string {
	var all []string
	for _, s := range systems {
		all = append(all, s.name)
	}
	return all
}

// allCommand runs the others in turn.
type allCommand struct {
	Peers     []string `help:"What to compare with; all if none is named." placeholder:"NAME,..."`
	Customers int64    `help:"Customers that are there when they are read." default:"1000000"`
	Sizes     []int64  `help:"Numbers of customers to measure at." default:"10000,1000000,5000000"`
}

// Run goes on when one of them fails, and says so at the end.
func (a *allCommand) Run(ctx context.Context, b *session) error {
	latency := latencyCommand{Peers: a.Peers, Customers: a.Customers, Starts: defaultStarts, Creates: defaultCreates}
	if len(a.Peers) == 0 {
		latency.Peers = []string{textbookOne}
	}
	var faults []error
	for _, command := range []interface {
		Run(context.Context, *session) error
	}{
		&ratiosCommand{Peers: a.Peers, Customers: a.Customers, Workloads: []workload{create, get}},
		&validationCommand{Customers: a.Customers},
		&latency,
		&sizeCommand{Sizes: a.Sizes},
	} {
		if err := command.Run(ctx, b); err != nil {
			faults = append(faults, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(faults...)
}

// prepareCommand makes what the others would make first.
type prepareCommand struct {
	Peers     []string `help:"What to compare with; all if none is named." placeholder:"NAME,..."`
	Customers int64    `help:"Customers that are there when they are read." default:"1000000"`
	Sizes     []int64  `help:"Further data sets for our server." placeholder:"N,..."`
}

// Run builds and fills.
func (p *prepareCommand) Run(ctx context.Context, b *session) error {
	systems, err := b.systems(ctx, p.Peers)
	if err != nil {
		return err
	}
	for _, s := range append([]system{ours}, systems...) {
		if _, err := b.dataset(ctx, s, p.Customers); err != nil {
			return err
		}
	}
	for _, n := range p.Sizes {
		if _, err := b.dataset(ctx, ours, n); err != nil {
			return err
		}
	}
	return nil
}

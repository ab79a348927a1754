package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/alecthomas/kong"

	"cryptoexchange.com/escrow/impl/client"
)

// Exit codes.
const (
	exitOK              = 0
	exitFailure         = 1
	exitUsage           = 2
	exitRefused         = 3
	exitUnauthenticated = 4
	exitUnavailable     = 5
)

// cli is the command line.
type cli struct {
	URL     string           `help:"Where the API is." default:"http://127.0.0.1:8080/api/v1/escrow" env:"ESCROW_URL"`
	Key     string           `help:"API key. Better given in the environment, where others cannot see it." required:"" env:"ESCROW_KEY" placeholder:"KEY"`
	JSON    bool             `help:"Print the answer as JSON."`
	Version kong.VersionFlag `help:"Print the version and exit."`

	Customer customerCommand `cmd:"" help:"Create customers and read them back."`
}

// Validate checks what the parser cannot.
func (c *cli) Validate() error {
	if u, err := url.Parse(c.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("--url (ESCROW_URL): want where the API is, such as " + client.DefaultBaseURL)
	}
	if _, err := c.client(ui{}); err != nil {
		return fmt.Errorf("--url (ESCROW_URL) or --key (ESCROW_KEY): %w", err)
	}
	return nil
}

const description = `A partner's command line to the CryptoExchange escrow service.

Examples:

  export ESCROW_KEY=cex_live_...
  escrow customer create --email johny.smith@example.com --first-name Johny
  escrow customer create --email ana.garcia@example.com --line1 "Calle de Alcalá 50" \
      --city Madrid --country ES --post-code 28014 --phone-number "+34 912 34 56 78"
  escrow customer get 2548 --json

Exit codes: 0 done, 1 failure, 2 usage, 3 refused, 4 key not accepted, 5 not reachable.`

func run(ctx context.Context, args []string, out ui) int {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("escrow"),
		kong.Description(description),
		kong.Writers(out.out, out.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 90}),
		kong.Vars{"version": version()},
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(out),
	)
	if err != nil {
		out.fail(err)
		return exitFailure
	}
	if len(args) == 0 {
		// Who does not know how to call it is told so, not what is missing.
		parser.Stdout, parser.Exit = out.err, func(int) {}
		_, _ = parser.Parse([]string{"--help"})
		return exitUsage
	}
	command, err := parser.Parse(args)
	if err != nil {
		out.fail(err)
		out.hint("run escrow --help")
		return exitUsage
	}
	if err := command.Run(&c); err != nil {
		return report(err, out)
	}
	return exitOK
}

// report says what went wrong and gives the exit code for it.
func report(err error, out ui) int {
	var (
		failed  *client.Error
		problem *client.Problem
	)
	switch {
	case errors.As(err, &problem):
		out.problem(problem)
	case errors.As(err, &failed):
		out.fail(failed.Err)
	default:
		out.fail(err)
		return exitFailure
	}
	code := exitCode(err, problem)
	mayHaveBeenDone := code == exitUnavailable || errors.Is(err, client.ErrIdempotencyKeyInUse)
	if errors.As(err, &failed) && failed.Sent && failed.IdempotencyKey != "" && mayHaveBeenDone {
		out.hint("it may have arrived; repeat it safely with --idempotency-key " + failed.IdempotencyKey)
	}
	return code
}

// exitCode gives the code for a call that failed, of the problem if it is one.
func exitCode(err error, problem *client.Problem) int {
	var (
		failed     *client.Error
		unexpected *client.UnexpectedError
	)
	switch {
	case problem != nil && problem.Status == http.StatusUnauthorized:
		return exitUnauthenticated
	case problem != nil && problem.Status < http.StatusInternalServerError:
		return exitRefused
	case problem != nil:
		return exitUnavailable
	case errors.As(err, &failed) && failed.Attempts == 0:
		return exitUsage
	case errors.As(err, &unexpected) && !unexpected.CutShort && unexpected.Status < http.StatusInternalServerError:
		return exitFailure
	default:
		return exitUnavailable
	}
}

// client makes the client, which tells of its pauses.
func (c *cli) client(out ui) (*client.Client, error) {
	return client.New(c.Key, &client.Options{
		BaseURL:   c.URL,
		AllowHTTP: true, // who types the URL sees what it begins with
		UserAgent: "escrow",
		OnRetry:   func(_ context.Context, err error, wait time.Duration) { out.again(err, wait) },
	})
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "escrow"
	}
	return fmt.Sprintf("escrow %s (%s)", info.Main.Version, info.GoVersion)
}

package main

import (
	"context"
	"errors"
	"time"

	"github.com/alecthomas/kong"

	"cryptoexchange.com/escrow/conformance"
)

// Exit codes.
const (
	exitOK          = 0
	exitFindings    = 1
	exitUsage       = 2
	exitUnreachable = 3
)

// cli is the command line.
type cli struct {
	Run    runCommand    `cmd:"" default:"withargs" help:"Test a server. This is what is done without a sub-command."`
	Mutate mutateCommand `cmd:"" help:"Test the tester: flip a clause of the document at a time, and expect the server to contradict it."`
}

// target is what is tested.
type target struct {
	URL             string        `help:"Where the API is: what the paths of the document are put behind." required:"" env:"CONFORMANCE_URL" placeholder:"URL"`
	Spec            string        `help:"OpenAPI document (3.0 or 3.1; YAML or JSON). Without it, that of the escrow service." placeholder:"FILE" type:"existingfile"`
	Key             string        `help:"API key or token, where the document has one scheme that takes it. Better given in the environment." env:"CONFORMANCE_KEY" placeholder:"KEY"`
	OtherKey        string        `help:"Key of another tenant, to test that they are kept apart." env:"CONFORMANCE_OTHER_KEY" placeholder:"KEY"`
	Credential      []string      `help:"Credential of a security scheme. May be repeated." placeholder:"SCHEME=VALUE" sep:"none"`
	OtherCredential []string      `help:"The same, of another tenant." placeholder:"SCHEME=VALUE" sep:"none"`
	Mailbox         string        `help:"Folder in which the server's e-mails arrive: links in them lead to what is a customer's." placeholder:"DIR" type:"existingdir"`
	Arazzo          string        `help:"Arazzo document, whose workflows are tested too." placeholder:"FILE" type:"existingfile"`
	Seed            uint64        `help:"Makes all values. The same seed sends the same." default:"1"`
	Workers         int           `help:"Probes at a time." default:"2"`
	RateLimit       float64       `help:"Requests a second at most; 0 is no limit. Retry-After is honoured anyway." default:"0" placeholder:"N"`
	Timeout         time.Duration `help:"For one request." default:"10s"`
	Include         []string      `help:"Only these: ids of operations, tags, methods, paths, classes. May be repeated." placeholder:"WORD"`
	Exclude         []string      `help:"Not these." placeholder:"WORD"`
}

func (t *target) config() conformance.Config {
	return conformance.Config{
		URL: t.URL, Spec: t.Spec, Key: t.Key, OtherKey: t.OtherKey,
		Credentials: t.Credential, OtherCredentials: t.OtherCredential, Mailbox: t.Mailbox, Arazzo: t.Arazzo,
		Seed: t.Seed, Workers: t.Workers, RateLimit: t.RateLimit, Timeout: t.Timeout,
		Include: t.Include, Exclude: t.Exclude,
	}
}

const description = `Tests from outside whether a server does what an OpenAPI document says.

Examples:

  conformance --url http://127.0.0.1:8080/api/v1/escrow --key cex_live_...
  conformance --url URL --key KEY --other-key KEY --mailbox data/mail --html report.html
  conformance --url URL --spec petstore.yaml --credential ApiKey=s3cret --read-only
  conformance --url URL --key KEY --replay 3f9c2a1b0d
  conformance mutate --url URL --key KEY --sample 100

Exit codes: 0 nothing found, 1 findings, 2 usage, 3 server not reachable.`

func run(ctx context.Context, args []string, out ui) int {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("conformance"),
		kong.Description(description),
		kong.Writers(out.out, out.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 90}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(out),
	)
	if err != nil {
		out.fail(err)
		return exitUsage
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
		out.hint("run conformance --help")
		return exitUsage
	}
	switch err := command.Run(); {
	case err == nil:
		return exitOK
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.Is(err, conformance.ErrUnreachable):
		out.fail(err)
		out.hint("is it running, and is the URL right?")
		return exitUnreachable
	default:
		out.fail(err)
		return exitUsage
	}
}

// errFindings is returned if something was found that weighs enough.
var errFindings = errors.New("findings")

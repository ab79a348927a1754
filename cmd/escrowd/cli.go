package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"strconv"

	"github.com/alecthomas/kong"

	"cryptoexchange.com/escrow/impl"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// cli is the command line.
type cli struct {
	Data    *string          `help:"Folder that everything is kept in. Without it, ${data}." env:"ESCROW_DATA" placeholder:"DIR"`
	Keyset  string           `help:"File of the keys that encrypt what is secret at rest. Without it, keyset.json in the data folder." env:"ESCROW_KEYSET" placeholder:"FILE"`
	Version kong.VersionFlag `help:"Print the version and exit."`

	Serve         serveCommand    `cmd:"" default:"withargs" help:"Answer requests (the default)."`
	Partner       partnerCommand  `cmd:"" help:"Make and list partners."`
	Key           keyCommand      `cmd:"" help:"Make, list and revoke API keys."`
	Customer      customerCommand `cmd:"" help:"Look at customers, suspend, restore and erase them."`
	Mail          mailCommand     `cmd:"" help:"List e-mails and try failed ones again."`
	KeysetCommand keysetCommand   `cmd:"" name:"keyset" help:"Look after the keys that encrypt what is secret at rest."`
	Backup        backupCommand   `cmd:"" help:"Write a consistent copy of the database while the server runs. The keyset is not in it: keep that apart."`
	Docs          docsCommand     `cmd:"" help:"Write the documentation as files, for any web host."`
}

const description = `The CryptoExchange escrow service for partners.

Examples:

  escrowd                                serve on 127.0.0.1:8080, data in ./data
  escrowd serve --help                   list the settings
  escrowd --listen :8080 --public-url https://escrow.example.com
  escrowd partner create "Example Marketplace"
  escrowd key revoke 3
  escrowd customer show 2548
  escrowd mail list --state failed
  escrowd mail retry --all-failed
  escrowd backup /srv/backup/escrow.db
  escrowd docs --out /var/www/escrow --public-url https://escrow.example.com

Exit codes: 0 done, 1 failure, 2 usage.`

func run(ctx context.Context, args []string, out ui) int {
	defaults := impl.DefaultConfig()
	var c cli
	parser, err := kong.New(&c,
		kong.Name("escrowd"),
		kong.Description(description),
		kong.Writers(out.out, out.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 90}),
		kong.Vars{
			"version":            version(),
			"data":               defaults.Data,
			"listen":             defaults.Listen,
			"mail_from":          defaults.MailFrom,
			"mail_give_up_after": defaults.MailGiveUpAfter.String(),
			"link_validity":      defaults.LinkValidity.String(),
			"login_limit":        defaults.Limits.Login.String(),
			"mail_limit":         defaults.Limits.Mail.String(),
			"network_limit":      defaults.Limits.Network.String(),
			"rate_limit":         fmt.Sprint(defaults.RateLimit),
			"access_log":         strconv.Itoa(defaults.AccessLog),
		},
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(out),
	)
	if err != nil {
		out.fail(err)
		return exitFailure
	}
	command, err := parser.Parse(args)
	if err != nil {
		out.fail(err)
		out.hint("run escrowd --help")
		return exitUsage
	}
	if err := command.Run(&c); err != nil {
		out.fail(err)
		return exitFailure
	}
	return exitOK
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "escrowd"
	}
	return fmt.Sprintf("escrowd %s (%s)", info.Main.Version, info.GoVersion)
}

// operator runs f on the data folder, which must have data: a folder that was
// mistyped is not to be made.
func operator(ctx context.Context, c *cli, f func(*impl.Operator) error) error {
	return operate(ctx, c, impl.OpenOperator, f)
}

// folder is the data folder.
func (c *cli) folder() string {
	if c.Data == nil {
		return impl.DefaultConfig().Data
	}
	return *c.Data
}

func operate(ctx context.Context, c *cli, open func(context.Context, string) (*impl.Operator, error), f func(*impl.Operator) error) (err error) {
	o, err := open(ctx, c.folder())
	if err != nil {
		return err
	}
	defer func() {
		if e := o.Close(); err == nil {
			err = e
		}
	}()
	return f(o)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// system is a server that can be measured.
type system struct {
	name   string
	title  string   // what the tables call it
	source string   // its folder in testdata; empty for this module
	tags   string   // build tags
	env    []string // what makes it this variant
	db     string   // its database in the data folder; empty if it keeps nothing
	table  string   // of customers
	mail   mailMode // of ours
}

// mailMode is what becomes of e-mails.
type mailMode int

const (
	mailNone mailMode = iota // the system sends none
	mailHeld                 // the mail server never greets: e-mails stay queued
	mailSent                 // the mail server takes everything
)

// textbookOne is the peer that is nearest to ours in what it does.
const textbookOne = "textbook-1"

var (
	ours = system{name: "escrowd", title: "escrowd", db: "escrow.db", table: "customers", mail: mailHeld}
	// unjudged is ours without the judge of requests and responses.
	unjudged = system{name: "escrowd-unvalidated", title: "escrowd, unvalidated", tags: "unvalidated", db: ours.db, table: ours.table, mail: mailHeld}
)

// peers are what ours is compared with.
func peers() []system {
	return []system{
		{name: textbookOne, title: "textbook, 1 connection", source: "textbook", env: []string{"MAXCONN=1"}, db: "textbook.db", table: "customers"},
		{name: "textbook", title: "textbook, many connections", source: "textbook", db: "textbook.db", table: "customers"},
		{name: "fastify", title: "Fastify", source: "fastify", db: "fastify.db", table: "customers", env: []string{"NODE_ENV=production"}},
		{name: "pocketbase", title: "PocketBase, with outbox", source: "pocketbase", db: "data.db", table: "customers"},
		{name: "hello", title: "hello (ceiling)", source: "hello"},
		{name: "escrowd-sending", title: "escrowd, sending", db: ours.db, table: ours.table, mail: mailSent},
	}
}

// family is the same for all variants that share a data set.
func (s system) family() string {
	if s.source == "" {
		return ours.name
	}
	return s.source
}

// arguments are those of the program.
func (s system) arguments(listen, data, mailServer string) []string {
	args := []string{"serve", "--listen", listen, "--data", data}
	if s.source == "" {
		// The limiter is in the path, and is not reached.
		args = append(args, "--rate-limit", "1000000", "--smtp-url", "smtp://"+mailServer+"?tls=none")
	}
	return args
}

// session is one call of the program: what it has built, and where it works.
type session struct {
	cli     *cli
	out     ui
	root    string // of the module
	scratch string // removed at the end
	mail    *mailServers
	built   map[string][]string // command lines by [system.key]
	absent  []string            // peers that could not be built, and why
	facts   []string            // of the machine and the programs
	folders int                 // how many folders were made in scratch
}

func newSession(ctx context.Context, c *cli, out ui) (*session, error) {
	if err := needWrk(); err != nil {
		return nil, err
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	cache, err := filepath.Abs(c.Cache)
	if err != nil {
		return nil, err
	}
	c.Cache = cache
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return nil, fmt.Errorf("cache: %w; name another with --cache", err)
	}
	// An hour's work must not end here.
	if c.Out != "" {
		if err := os.MkdirAll(filepath.Dir(c.Out), 0o755); err != nil { //nolint:gosec // to be published
			return nil, fmt.Errorf("report: %w; name another file with --out", err)
		}
	}
	scratch, err := os.MkdirTemp(cache, "run-")
	if err != nil {
		return nil, fmt.Errorf("cache: %w; name another with --cache", err)
	}
	b := &session{cli: c, out: out, root: root, scratch: scratch, built: map[string][]string{}}
	if b.mail, err = listenForMail(ctx); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *session) close() error {
	if b.mail != nil {
		b.mail.close()
	}
	return os.RemoveAll(b.scratch)
}

// folder makes an empty one to work in.
func (b *session) folder(s system) (string, error) {
	b.folders++
	path := filepath.Join(b.scratch, fmt.Sprintf("%s-%d", s.name, b.folders))
	return path, os.Mkdir(path, 0o700)
}

// systems builds ours and the peers that are named, all if none is; what cannot
// be built is left out, and noted.
func (b *session) systems(ctx context.Context, wanted []string) ([]system, error) {
	if len(wanted) == 0 {
		wanted = names(peers())
	}
	chosen, err := choose(wanted)
	if err != nil {
		return nil, err
	}
	if _, err := b.build(ctx, ours); err != nil {
		return nil, err
	}
	var present []system
	for _, s := range chosen {
		_, err := b.build(ctx, s)
		switch {
		case err == nil:
			present = append(present, s)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		default:
			b.out.fail(err)
			if note := fmt.Sprintf("%s could not be built: %s", s.title, firstLine(err)); !slices.Contains(b.absent, note) {
				b.absent = append(b.absent, note)
			}
		}
	}
	return present, nil
}

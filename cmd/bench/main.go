// Command bench measures the server against what one would use instead, on one
// machine, under one load, and writes down the ratios.
//
// # What is compared
//
// Peers are in testdata, each reduced to the same job: create a customer with a
// unique e-mail address, durably (synchronous=FULL), with a record in an outbox,
// behind a bearer key; read it back. All of them start as ours does, with
// "serve --listen HOST:PORT --data DIR", print their key in a curl, and answer
// /readyz. hello keeps nothing and checks nothing: it is the ceiling of net/http.
//
// # How it is measured
//
// wrk sends the documented request over 64 connections. Absolute figures depend
// on the machine and its hour, so none of them is a result by itself: each round
// runs our server and then the peer, back to back, and the ratio of such a pair
// is one sample. The median of the pairs is printed, with the lowest and the
// highest. For each run there are
//
//   - requests a second, p50 and p99, as wrk has them;
//   - CPU per request: user and system time of the whole process of the server,
//     background work included, from /proc/PID/stat;
//   - resident memory after the run;
//   - answers other than 2xx and 3xx, and errors of sockets: a run with any is void;
//   - the share of the machine that others had: the time that all CPUs were busy
//     (/proc/stat) less that of the server, of wrk and of this program. If it is
//     over a tenth, the pair is repeated a few times, and marked if none was quiet.
//
// Time in interrupts is nobody's: the load itself causes most of it. Every system
// is started anew for each run and gets the same warm-up. Creates begin with an
// empty folder, gets with many customers, whose ids are drawn uniformly.
//
// # E-mail
//
// Peers only queue an e-mail. Ours sends it, which cannot be turned off, so there
// are two systems. escrowd has a mail server that never greets: e-mails stay
// queued. "escrowd, sending" has one that takes everything, so that e-mails go
// out during the run, as fast as they are sent. Its other settings are the
// defaults, but for a rate limit which is not reached.
//
// # Data sets
//
// A million customers are made in a minute: one is created over the API, its
// e-mail is sent, the server stops, and SQL copies its row and all rows that refer
// to it, generically (see fill.go). Builds and data sets stay in the cache; a data
// set is made anew when the schema changes. Runs work on copies, on the same file
// system as the cache, which should not be in memory: there fsync costs nothing.
//
// It needs Linux, Go, wrk (apt-get install wrk), and for Fastify Node with npm. A
// peer that cannot be built is left out, and the report says so.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(start()) }

func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], ui{out: os.Stdout, err: os.Stderr})
}

// Command escrowd is the escrow service for partners, and its operator's tool.
//
// Without a sub-command it serves: it keeps everything in one folder, answers
// the API under /api/v1/escrow, publishes its documentation under /docs, and
// stops on SIGINT or SIGTERM when the requests under way are done. The other
// sub-commands work on the same folder, whether or not a server runs on it.
//
// Results go to standard output, messages and logs to standard error. It exits
// with 0 if all went well, with 1 on failure, and with 2 if it was called in a
// way that it does not understand.
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
	// After the first signal the next one ends the process at once.
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], ui{out: os.Stdout, err: os.Stderr})
}

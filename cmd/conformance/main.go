// Command conformance tests whether a server keeps a contract: given the URL of a
// server and an OpenAPI document, it sends what the document allows and what it
// forbids, and says in which way the answers are wrong, and where that is written.
//
// Findings and reports go to standard output or to the files that are named,
// progress and messages to standard error. It exits with
//
//	0  if nothing was found
//	1  if there are findings that weigh as much as --fail-on says
//	2  if it was called in a way that it does not understand
//	3  if the server cannot be reached
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
	return run(ctx, os.Args[1:], newUI(os.Stdout, os.Stderr))
}

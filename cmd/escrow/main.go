// Command escrow is a partner's command line to the escrow service, made of package
// client: what fails in passing is tried again where that is safe.
//
// The API key is best given in the environment (ESCROW_KEY), where other users
// of the machine cannot see it. Results go to standard output, everything else
// to standard error. It exits with
//
//	0  if all went well
//	1  on a failure of its own, or an answer that it does not understand
//	2  if it was called in a way that it does not understand
//	3  if the service refused the request
//	4  if the service does not accept the key
//	5  if the service cannot be reached or cannot answer at the moment
package main

import (
	"context"
	"os"
	"os/signal"
)

func main() { os.Exit(start()) }

func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return run(ctx, os.Args[1:], ui{out: os.Stdout, err: os.Stderr})
}

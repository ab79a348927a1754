// Package client is the escrow service as a partner's Go program wants it: create
// customers, read them back, invite them again, and ask what a disbursement method
// needs.
//
//	escrow, err := client.New(os.Getenv("ESCROW_KEY"), nil)
//	if err != nil {
//		return err
//	}
//	customer, err := escrow.CreateCustomer(ctx, gen.NewCustomer{
//		Email:     "ana.garcia@example.com",
//		FirstName: new("Ana"),
//	})
//	var problem *client.Problem
//	switch {
//	case errors.Is(err, client.ErrEmailAlreadyInUse):
//		// somebody has this address already
//	case errors.As(err, &problem):
//		// refused; problem.Faults says where, by JSON Pointers
//	case err != nil:
//		// no answer, or none that can be understood
//	default:
//		save(customer.ID)
//	}
//
// A [Client] may be used by any number of goroutines. What is sent and received are
// the models of package gen, which are generated from the contract. Whatever has no
// method here is reached by [Client.Generated], the generated client with the same
// key, the same repetitions and the same guards.
//
// # Repetitions
//
// A call is sent again, after a pause, if no answer came, if it was cut short, or if
// its status says that it may go better another time: 408, 429, 500, 502, 503, 504,
// and 409 while the first request with the same Idempotency-Key is under way. The
// pauses grow exponentially, each of a random length up to its bound ("full jitter"),
// so that callers who were refused together do not come back together. Retry-After is
// obeyed, in seconds and as a date, unless it asks for more patience than
// [Options.MaxWait] or than the context has: then the answer is returned at once.
//
// Only what cannot do harm is sent again: GET, and POST with an Idempotency-Key if the
// operation takes one. [Client.CreateCustomer] always has such a key, the same for
// every attempt, so that an answer which was lost never makes a second customer. To go
// on after a crash of your own, give the key yourself, by [IdempotencyKey].
// [Client.ResendInvitation] is sent once.
//
// The context bounds a call as a whole, [Options.AttemptTimeout] each attempt. When
// the context ends, the call returns at once.
//
// # Errors
//
// Every error of a call is an [*Error], which says how often it was tried, whether the
// service may have done what was asked, and by which Idempotency-Key it can be asked
// again. Inside is one of
//
//   - [*Problem], if the service refused; [errors.Is] tells its [Code]
//   - [*UnexpectedError], if what answered is not the service, or was cut short
//   - the error of the context, or of the network
//
// # What it keeps to itself
//
// The key is sent to the base URL's host and to nobody else: redirects, of which the
// service has none, are not followed, and requests of the generated client to another
// host are refused. Without TLS it is sent only to this machine, unless
// [Options.AllowHTTP] permits it. It is never printed, neither in an error nor by fmt
// or a log, however a Client is passed to them. Of answers that are not the service's,
// nothing but status and media type gets into an error.
//
// # Design
//
// The generated client builds requests, and this package sends them: between the two
// is the generated client's own seam, its HttpRequestDoer. Answers are read as a whole
// inside the attempt, up to 4 MiB, so that one that was cut short is noticed while it
// can still be repeated, and so that there is no body that a caller could forget to
// close. What is known of the contract only from its prose or its parameters (the
// codes, the URL, which operations take an Idempotency-Key) is generated too.
//
// The schedule is that of github.com/cenkalti/backoff, which depends on nothing else.
// github.com/hashicorp/go-retryablehttp does more, but waits for as long as Retry-After
// says, has no jitter in its exponential pauses, and repeats POST whether or not that
// is safe.
//
// Nothing of the server comes with this package.
package client

//go:generate go run ./internal/constants ../../openapi.yaml constants.gen.go

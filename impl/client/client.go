package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"cryptoexchange.com/escrow/gen"
)

// Client calls the service with one partner's key. It must be made by [New], and may
// be used by any number of goroutines.
type Client struct {
	sender    *sender
	generated *gen.ClientWithResponses
}

// New makes a client for an API key. With nil for the options, it has the defaults.
// The error names everything that is wrong with what it was given, without the key.
func New(key string, options *Options) (*Client, error) {
	sender, err := newSender(key, options)
	if err != nil {
		return nil, err
	}
	generated, err := gen.NewClientWithResponses(sender.base.String(), gen.WithHTTPClient(sender))
	if err != nil {
		return nil, err
	}
	return &Client{sender: sender, generated: generated}, nil
}

// Generated gives the generated client, for what has no method here. Its requests get
// the key, are repeated where that is safe, and get an Idempotency-Key where the
// contract has one. What the service refuses is no error there, but a response.
func (c *Client) Generated() *gen.ClientWithResponses { return c.generated }

// CreateOption says how a customer is to be created: [IdempotencyKey] or [Lenient].
type CreateOption func(*gen.CreateCustomerParams)

// IdempotencyKey names the request, so that it can be repeated, even by another
// process, without creating a second customer: 1 to 255 visible ASCII characters,
// unique for each customer, such as your own id of them. Without it, every call makes
// a new one.
func IdempotencyKey(key string) CreateOption {
	return func(p *gen.CreateCustomerParams) { p.IdempotencyKey = &key }
}

// Lenient has disbursement methods stored, as not usable and with warnings, whose
// numbers and addresses fail their checks: for data that is no real money's.
func Lenient() CreateOption {
	return func(p *gen.CreateCustomerParams) { p.Prefer = new("handling=lenient") }
}

// CreateCustomer creates a customer, who gets an introductory e-mail. Only the e-mail
// address is required. An address that is in use is refused with
// [ErrEmailAlreadyInUse]; [Problem.CustomerID] says by whom if they are yours.
func (c *Client) CreateCustomer(ctx context.Context, customer gen.NewCustomer, options ...CreateOption) (*gen.Customer, error) {
	var params gen.CreateCustomerParams
	for _, option := range options {
		if option != nil {
			option(&params)
		}
	}
	request, err := gen.NewCreateCustomerRequest(c.generatedBase(), &params, customer)
	return call[gen.Customer](ctx, c, "createCustomer", http.StatusCreated, request, err)
}

// GetCustomer reads a customer whom you created. Any other id is refused with
// [ErrCustomerNotFound].
func (c *Client) GetCustomer(ctx context.Context, id int64) (*gen.Customer, error) {
	request, err := gen.NewGetCustomerRequest(c.generatedBase(), id)
	return call[gen.Customer](ctx, c, "getCustomer", http.StatusOK, request, err)
}

// ResendInvitation sends a customer another introductory e-mail with a new link. It is
// refused with [ErrInvitationAccepted] if they have set their password, and with
// [ErrRateLimitExceeded] more often than once a minute and five times a day.
func (c *Client) ResendInvitation(ctx context.Context, id int64) (*gen.Invitation, error) {
	request, err := gen.NewResendInvitationRequest(c.generatedBase(), id)
	return call[gen.Invitation](ctx, c, "resendInvitation", http.StatusAccepted, request, err)
}

// GetDisbursementRequirements tells which fields a disbursement method of one kind
// needs for a country and a currency, in the order of a form. What there is no route
// for is refused with [ErrUnacceptableData].
func (c *Client) GetDisbursementRequirements(ctx context.Context, route gen.GetDisbursementRequirementsParams) (*gen.DisbursementRequirements, error) {
	request, err := gen.NewGetDisbursementRequirementsRequest(c.generatedBase(), &route)
	return call[gen.DisbursementRequirements](ctx, c, "getDisbursementRequirements", http.StatusOK, request, err)
}

// generatedBase is the base URL as the generated functions want it, to which paths are
// relative.
func (c *Client) generatedBase() string { return c.sender.base.String() + "/" }

// call sends a request of the generated client and reads its answer: a T with the
// status of success, or a problem.
func call[T any](ctx context.Context, c *Client, operation string, success int, request *http.Request, err error) (*T, error) {
	if err != nil {
		return nil, &Error{Operation: operation, Err: err}
	}
	answered := c.sender.send(request.WithContext(ctx))
	err = answered.err
	if err == nil {
		var result T
		if err = answered.decode(success, &result); err == nil {
			return &result, nil
		}
	}
	return nil, answered.failure(operation, err)
}

// decode reads an answer, whose status ought to be that of success.
func (o *outcome) decode(success int, result any) error {
	media := mediaType(o.response)
	switch {
	case o.response.StatusCode >= http.StatusBadRequest && media == mediaProblem:
		return o.problem()
	case o.response.StatusCode != success || media != mediaJSON:
		return o.unexpected("", nil)
	case !bytes.HasPrefix(bytes.TrimLeft(o.body, " \t\r\n"), []byte("{")):
		return o.unexpected("not a JSON object", nil)
	}
	if err := json.Unmarshal(o.body, result); err != nil {
		return o.unexpected("not what the contract says", withoutValues(err))
	}
	return nil
}

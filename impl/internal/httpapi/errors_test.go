package httpapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl/internal/contract"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/partner"
)

// TestProblemsAreDocumented compares the table of codes with the one that
// partners read.
func TestProblemsAreDocumented(t *testing.T) {
	t.Parallel()
	rows := regexp.MustCompile("(?m)^    \\| (\\d{3}) \\| `([a-z_]+)` \\| (.*) \\|$").FindAllSubmatch(spec.YAML, -1)
	var documented, table []string
	for _, r := range rows {
		documented = append(documented, fmt.Sprintf("%s %s: %s", r[1], r[2], r[3]))
	}
	for _, p := range Problems() {
		table = append(table, fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Meaning))
	}
	if diff := cmp.Diff(documented, table); diff != "" {
		t.Errorf("(-documented +table)\n%s", diff)
	}
}

// TestProblemsAreExplained checks that every problem says when callers meet it,
// what to do, and whether to try again: in sentences.
func TestProblemsAreExplained(t *testing.T) {
	t.Parallel()
	for _, p := range Problems() {
		for field, text := range map[string]string{"Meaning": p.Meaning, "Mend": p.Mend, "Cause": p.Cause, "Remedy": p.Remedy, "Retry": p.Retry} {
			if len(text) < 10 || !strings.HasSuffix(text, ".") {
				t.Errorf("%s: %s is no sentence: %q", p.Code, field, text)
			}
			if strings.Count(text, "`")%2 != 0 {
				t.Errorf("%s: %s has a quotation of code without an end: %q", p.Code, field, text)
			}
		}
	}
}

// TestDescribe checks what the errors of the domain are answered with, wrapped
// as they come.
func TestDescribe(t *testing.T) {
	t.Parallel()
	mine := int64(1)
	tests := []struct {
		err    error
		status int
		code   string
	}{
		{customer.ErrNotFound, 404, "customer_not_found"},
		{customer.ErrKeyInUse, 409, "idempotency_key_in_use"},
		{customer.ErrKeyReused, 422, "idempotency_key_reused"},
		{customer.ErrUnavailable, 503, "service_unavailable"},
		{&customer.EmailInUseError{CustomerID: 7, PartnerID: &mine}, 403, "email_already_in_use"},
		{&customer.UnacceptableError{}, 422, "unacceptable_data"},
		{&credentialError{}, 401, "unauthenticated"},
		{&RateLimitError{Seconds: 3}, 429, "rate_limit_exceeded"},
		{&contract.RequestError{Kind: contract.Timeout}, 408, "request_timeout"},
		{&contract.RequestError{Kind: contract.Overloaded}, 503, "service_unavailable"},
		{&contract.ResponseError{}, 500, "internal_error"},
		{&contract.PanicError{}, 500, "internal_error"},
		{partner.ErrNotFound, 500, "internal_error"},
		{io.EOF, 500, "internal_error"},
	}
	for _, tt := range tests {
		p := (&API{}).describe(fmt.Errorf("create: %w", errors.Join(tt.err)), &call{partnerID: mine})
		if p.Status != tt.status || p.Code != tt.code || p.detail == "" {
			t.Errorf("%v: %d %s %q; want %d %s", tt.err, p.Status, p.Code, p.detail, tt.status, tt.code)
		}
		// Every 409, 429 and 503 says when to come back, as the contract requires.
		wants := p.Status == http.StatusConflict || p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable
		if (p.retryAfter > 0) != wants {
			t.Errorf("%v: Retry-After %d", tt.err, p.retryAfter)
		}
	}
}

// TestKinds checks that each kind of refusal has its problem.
func TestKinds(t *testing.T) {
	t.Parallel()
	for kind := contract.NotFound; kind <= contract.Invalid; kind++ {
		if p := ofKind[kind]; p.Status < 400 || p.Code == "" {
			t.Errorf("kind %d has no problem", kind)
		}
	}
}

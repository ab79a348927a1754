package impl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"cryptoexchange.com/escrow/impl/internal/keyset"
	"cryptoexchange.com/escrow/impl/internal/partner"
	"cryptoexchange.com/escrow/impl/internal/sqlite"
)

const (
	// sandboxForgetsAt is from how many bytes of data on a sandbox forgets the oldest
	// customers, about 100 000 of those who have no bank data.
	sandboxForgetsAt = 64 << 20
	// sandboxMost is how many bytes its data takes at most. Who comes so fast that
	// nothing is forgotten meanwhile is told to try again.
	sandboxMost = 2 * sandboxForgetsAt
	// boundInterval is how often the size of the data is looked at.
	boundInterval = time.Second
)

// sandboxFaults tells what is set and means nothing in a sandbox, or outside of
// one. Nothing of that is passed over: who sets a folder believes that something is
// kept, and who sets a mail server that something is sent.
func (c *Config) sandboxFaults() []error {
	var faults []error
	fault := func(text string) { faults = append(faults, errors.New(text)) }
	if !c.Sandbox {
		if c.SandboxKey != "" {
			fault("key of a sandbox: this is no sandbox, and makes its own keys")
		}
		return faults
	}
	if c.Data != "" {
		fault("data folder: a sandbox keeps everything in memory; leave the folder out")
	}
	if c.Keyset != "" {
		fault("keyset: a sandbox has its keys in memory; leave the file out")
	}
	if c.SMTPURL != "" {
		fault("mail server: no e-mail leaves a sandbox; leave its URL out")
	}
	if c.SandboxKey != "" {
		if err := partner.CheckSandboxKey(c.SandboxKey); err != nil {
			faults = append(faults, fmt.Errorf("key of the sandbox: %w", err))
		}
	}
	return faults
}

// sandboxLimit is from how many bytes of data on a sandbox forgets; 0 if this is
// none.
func (c *Config) sandboxLimit() int64 {
	switch {
	case !c.Sandbox:
		return 0
	case c.forgetAt > 0:
		return c.forgetAt
	default:
		return sandboxForgetsAt
	}
}

// open opens what everything is kept in, and the keys.
func (c *Config) open(ctx context.Context) (*sqlite.DB, *keyset.Keyset, error) {
	if c.Sandbox {
		return openSandbox(ctx)
	}
	store, err := sqlite.Open(ctx, c.Data)
	if err != nil {
		return nil, nil, err
	}
	keys, err := openKeyset(ctx, store, c.keysetPath())
	return store, keys, err
}

func openSandbox(ctx context.Context) (*sqlite.DB, *keyset.Keyset, error) {
	keys, err := keyset.InMemory()
	if err != nil {
		return nil, nil, fmt.Errorf("keyset: %w", err)
	}
	store, err := sqlite.OpenMemory(ctx, sandboxMost)
	return store, keys, err
}

// bound keeps the data of a sandbox from growing for ever.
func (s *Service) bound(ctx context.Context) {
	if s.forgetAt == 0 {
		return
	}
	ticker := time.NewTicker(boundInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		switch forgotten, err := s.store.Forget(ctx, s.forgetAt); {
		case err != nil && ctx.Err() == nil:
			s.logger.WarnContext(ctx, "cannot forget the oldest customers", slog.Any("error", err))
		case forgotten > 0:
			s.logger.InfoContext(ctx, "the sandbox was full, and has forgotten its oldest customers", slog.Int64("customers", forgotten))
		}
	}
}

package mail

import (
	"context"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"

	"cryptoexchange.com/escrow/impl/internal/outbox"
)

// maxKept is how many e-mails a [Memory] has. One takes about 15 kB.
const maxKept = 1000

// Memory is a [outbox.Sender] that keeps the newest e-mails in memory, and the
// rest nowhere, for a sandbox: none of them is sent, or is ever in a file.
// [Memory.Mailbox] shows them. It is safe for concurrent use.
type Memory struct {
	composer *Composer
	logger   *slog.Logger

	mu    sync.Mutex
	mails []keptMail // guarded by mu; the oldest first
}

type keptMail struct {
	id      string
	at      time.Time
	content []byte
}

var (
	_ outbox.Sender    = (*Memory)(nil)
	_ outbox.Retractor = (*Memory)(nil)
	_ archive          = (*Memory)(nil)
)

// NewMemory makes a sender.
func NewMemory(composer *Composer, logger *slog.Logger) *Memory {
	return &Memory{composer: composer, logger: logger}
}

// Mailbox makes the pages that show the e-mails.
func (m *Memory) Mailbox() *Mailbox { return &Mailbox{archive: m} }

// Send implements [outbox.Sender]. A message that is sent again takes the place of
// the first.
func (m *Memory) Send(ctx context.Context, message outbox.Message) error {
	content, err := m.composer.Compose(message)
	if err != nil {
		return err
	}
	made := keptMail{message.ID, time.Now().UTC(), content}
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.find(message.ID); i >= 0 {
		m.mails[i] = made
	} else {
		if len(m.mails) == maxKept {
			m.mails = slices.Delete(m.mails, 0, 1)
		}
		m.mails = append(m.mails, made)
	}
	m.logger.InfoContext(ctx, "e-mail kept in memory", slog.String("message_id", message.ID), slog.String("kind", message.Kind))
	return nil
}

// Retract implements [outbox.Retractor].
func (m *Memory) Retract(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.find(id); i >= 0 {
		m.mails = slices.Delete(m.mails, i, i+1)
	}
	return nil
}

// find gives the index of an e-mail, or -1. The caller has the mutex.
func (m *Memory) find(id string) int {
	return slices.IndexFunc(m.mails, func(k keptMail) bool { return k.id == id })
}

func (m *Memory) list() ([]entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	entries := make([]entry, len(m.mails))
	for i, k := range m.mails {
		entries[i] = entry{ID: k.id, Time: k.at}
	}
	return entries, nil
}

func (m *Memory) file(id string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.find(id); i >= 0 {
		return m.mails[i].content, nil
	}
	return nil, fs.ErrNotExist
}

func (*Memory) place() place { return place{Kept: maxKept} }

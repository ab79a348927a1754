package sqlite

import "context"

const (
	// checkpointAt is how many pages the journal has when they are moved to the
	// file: 32 MiB. Pages that many change, as those of an index to which
	// customers come in any order, are then moved once for many changes.
	checkpointAt = 32 << 20 / pageSize
	// checkpointRest is how many are left to the writer at most, unless the
	// journal has become several times as long because it writes faster than
	// storage takes pages in any order.
	checkpointRest  = 128
	checkpointMost  = 4 // times checkpointAt
	checkpointTries = 3
	// checkpointEvery is how many commits are between two looks at the journal.
	checkpointEvery = 16
)

// checkpointer moves pages from the journal to the file while others write.
// SQLite would have the one do it whose commit makes the journal too long, and
// all who wait with it. The journal begins anew only if all of it was moved and
// nobody was adding to it: so the few that have come to it meanwhile are moved by
// the writer, between two transactions.
type checkpointer struct {
	db   *DB
	at   int           // checkpointAt
	due  chan struct{} // told by the writer
	done chan struct{} // closed when nothing is moved any more

	commits int // since the writer looked
	tried   int // pages in the journal when they were to be moved; 0 if they were
}

func newCheckpointer(db *DB) *checkpointer {
	return &checkpointer{db: db, at: checkpointAt, due: make(chan struct{}, 1), done: make(chan struct{})}
}

// serve moves pages when it is told to, until ctx is done. What fails is tried
// the next time: nothing is lost as long as it is in the journal.
func (k *checkpointer) serve(ctx context.Context) {
	defer close(k.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.due:
		}
		if k.move(ctx) {
			_ = k.db.apart(ctx, func(c *conn) error {
				_, _, err := c.checkpoint("PASSIVE")
				return err
			})
		}
	}
}

// move moves pages, and tells whether the writer is to move the rest.
func (k *checkpointer) move(ctx context.Context) (finish bool) {
	err := k.db.readers.use(ctx, func(c *conn) error {
		for range checkpointTries {
			if _, _, err := c.checkpoint("PASSIVE"); err != nil {
				return err
			}
			pages, moved, err := c.checkpoint("NOOP") // what has come meanwhile too
			if err != nil {
				return err
			}
			if finish = pages-moved <= checkpointRest; finish {
				return nil
			}
			finish = pages > checkpointMost*k.at
		}
		return nil
	})
	return finish && err == nil
}

// committed is called by the writer after each commit.
func (k *checkpointer) committed(c *conn) {
	if k.commits++; k.commits < checkpointEvery {
		return
	}
	k.commits = 0
	pages, moved, err := c.checkpoint("NOOP")
	switch {
	case err != nil:
	case pages-moved < k.at:
		k.tried = 0
	case k.tried == 0 || pages >= k.tried+k.at:
		k.tried = pages
		select {
		case k.due <- struct{}{}:
		default: // it has been told
		}
	}
}

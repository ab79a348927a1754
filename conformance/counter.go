package conformance

import "sync"

// counter counts what several goroutines do.
type counter struct {
	all int

	mu   sync.Mutex
	done int // guarded by mu
}

func (c *counter) add() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	return c.done
}

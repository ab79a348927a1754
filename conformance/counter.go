package conformance

import (
	"sync/atomic"
	"time"
)

const (
	progressEvery     = 50 // flips
	progressPrecision = time.Second / 10
)

// counter counts what several goroutines do.
type counter struct{ n atomic.Int64 }

func (c *counter) add() int { return int(c.n.Add(1)) }

func (c *counter) get() int { return int(c.n.Load()) }

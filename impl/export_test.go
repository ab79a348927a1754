package impl

import "time"

// ClientIPForTest is [clientIP].
var ClientIPForTest = clientIP

// SetClockForTest sets the clock that a service goes by.
func SetClockForTest(c *Config, now func() time.Time) { c.now = now }

package impl

import (
	"time"

	"cryptoexchange.com/escrow/impl/internal/password"
)

// ClientIPForTest is [clientIP].
var ClientIPForTest = clientIP

// SetClockForTest sets the clock that a service goes by.
func SetClockForTest(c *Config, now func() time.Time) { c.now = now }

// ForgetAtForTest sets from how many bytes of data on a sandbox forgets.
func ForgetAtForTest(c *Config, bytes int64) { c.forgetAt = bytes }

// CheapPasswordsForTest makes a service hash passwords at next to no cost.
func CheapPasswordsForTest(c *Config) {
	c.passwords = &password.Params{Memory: 8, Iterations: 1, Parallelism: 1, Concurrency: 4, Waiting: 1000, MaxWait: time.Minute}
}

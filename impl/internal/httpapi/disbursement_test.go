package httpapi

import "testing"

// TestPrefersLenient reads headers as RFC 7240 §2 has them.
func TestPrefersLenient(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"handling=lenient":                  true,
		`Handling = "lenient"`:              true,
		"respond-async, handling=lenient":   true,
		"handling=lenient; foo=bar, wait=1": true,
		"handling=strict, handling=lenient": false, // the first counts
		"handling=strict":                   false,
		"handling":                          false,
		"lenient":                           false,
		"xhandling=lenient":                 false,
		"":                                  false,
	} {
		if got := prefersLenient(header); got != want {
			t.Errorf("%q: %t, want %t", header, got, want)
		}
	}
}

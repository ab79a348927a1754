package contract

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestBudget checks that large bodies share a bound, that small ones do not
// count, and that what was taken is given back.
func TestBudget(t *testing.T) {
	t.Parallel()
	const large = smallBody + 1000
	shared := newBudget(1500)
	read := func(size int) (*judged, error) {
		b := &judged{raw: new(bytes.Buffer)}
		b.limited = limited{Reader: strings.NewReader(strings.Repeat(" ", size)), limit: 1 << 20, budget: shared}
		_, err := io.Copy(b.raw, &b.limited)
		return b, err
	}
	first, err := read(large)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := read(smallBody); err != nil {
		t.Errorf("a small body beside a large one: %v", err)
	}
	second, err := read(large)
	if !errors.Is(err, errOverloaded) {
		t.Errorf("a second large body: %v", err)
	}
	second.free()
	first.free()
	if left := shared.left.Load(); left != 1500 {
		t.Errorf("%d bytes are left of 1500", left)
	}
	third, err := read(large)
	if err != nil {
		t.Errorf("after the first has gone: %v", err)
	}
	third.free()
	third.free() // which gives nothing back twice
	if left := shared.left.Load(); left != 1500 {
		t.Errorf("%d bytes are left of 1500", left)
	}
}

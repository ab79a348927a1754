package httpapi

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
)

// TestAccessLog checks what is logged of a flood: some of each kind, all
// failures, and how many were left out.
func TestAccessLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := newAccessLog(slog.New(slog.NewTextHandler(&out, nil)), 2)
	at := time.Unix(1_800_000_000, 0)
	add := func(status int) {
		c := echo.New().NewContext(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), httptest.NewRecorder())
		c.Response().Status = status
		l.add(c, &call{}, at, time.Millisecond)
	}
	for range 5 {
		add(http.StatusOK)
		add(http.StatusNotFound)
		add(http.StatusServiceUnavailable)
	}
	for status, want := range map[string]int{"status=200": 2, "status=404": 2, "status=503": 5} {
		if got := strings.Count(out.String(), status); got != want {
			t.Errorf("%s is logged %d times, want %d", status, got, want)
		}
	}
	l.addUnread(t.Context(), at)
	if strings.Contains(out.String(), "unread") {
		t.Error("what could not be read is logged beyond the quota of what is refused")
	}
	out.Reset()
	at = at.Add(time.Second)
	l.addUnread(t.Context(), at)
	if got := out.String(); !strings.Contains(got, "left_out=4") {
		t.Errorf("in the next second: %s", got)
	}
	out.Reset()
	add(http.StatusOK)
	add(http.StatusOK)
	if got := out.String(); strings.Count(got, "\n") != 2 || strings.Count(got, "left_out=3") != 1 {
		t.Errorf("in the next second: %s", got)
	}
}

// TestAccessLogOfAll checks that without a limit nothing is left out.
func TestAccessLogOfAll(t *testing.T) {
	t.Parallel()
	q := quota{}
	for range 1000 {
		if leftOut, room := q.take(time.Unix(1, 0)); leftOut != 0 || !room {
			t.Fatal("something was left out")
		}
	}
}

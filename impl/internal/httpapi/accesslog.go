package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// accessLog has a line for each request, up to so many in a second: to write a
// line takes longer than much of what else is done for a request. What the
// service failed at is always logged; of what went well and of what was refused,
// the first of each second, each by itself, so that a flood of the one does not
// hide the other. The next line tells how many were left out.
type accessLog struct {
	logger  *slog.Logger
	well    quota
	refused quota
}

func newAccessLog(logger *slog.Logger, perSecond int) *accessLog {
	return &accessLog{logger: logger, well: quota{perSecond: perSecond}, refused: quota{perSecond: perSecond}}
}

// add logs a request that ended, if there is room for it.
func (l *accessLog) add(c echo.Context, made *call, ended time.Time, took time.Duration) {
	status := c.Response().Status
	leftOut, room := 0, true
	switch {
	case status >= http.StatusInternalServerError:
	case status >= http.StatusBadRequest:
		leftOut, room = l.refused.take(ended)
	default:
		leftOut, room = l.well.take(ended)
	}
	if !room {
		return
	}
	attributes := make([]slog.Attr, 0, 10)
	attributes = append(attributes,
		slog.String("request_id", made.requestID.String()),
		slog.String("method", c.Request().Method),
		slog.String("route", c.Path()),
		slog.Int("status", status),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
	)
	if made.partnerID != 0 {
		attributes = append(attributes, slog.Int64("partner_id", made.partnerID), slog.Int64("key_id", made.keyID))
	}
	if made.session != nil {
		attributes = append(attributes, slog.Int64("customer_id", made.session.CustomerID))
	}
	if made.code != "" {
		attributes = append(attributes, slog.String("code", made.code))
	}
	if leftOut > 0 {
		attributes = append(attributes, slog.Int("left_out", leftOut))
	}
	l.logger.LogAttrs(c.Request().Context(), slog.LevelInfo, "request", attributes...)
}

// addUnread logs what the HTTP server could not read, as something that was
// refused.
func (l *accessLog) addUnread(ctx context.Context, now time.Time, attributes ...slog.Attr) {
	leftOut, room := l.refused.take(now)
	if !room {
		return
	}
	if leftOut > 0 {
		attributes = append(attributes, slog.Int("left_out", leftOut))
	}
	l.logger.LogAttrs(ctx, slog.LevelInfo, "request refused unread", attributes...)
}

// quota lets so many of each second through.
type quota struct {
	perSecond int // 0 for all

	mu      sync.Mutex
	second  int64 // that is counted, since 1970; guarded by mu, as are the others
	taken   int   // of this second
	leftOut int   // since the last that was let through
}

// take tells whether there is room, and if so how many found none before.
func (q *quota) take(now time.Time) (leftOut int, room bool) {
	if q.perSecond == 0 {
		return 0, true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if second := now.Unix(); second != q.second {
		q.second, q.taken = second, 0
	}
	if q.taken >= q.perSecond {
		q.leftOut++
		return 0, false
	}
	q.taken++
	leftOut, q.leftOut = q.leftOut, 0
	return leftOut, true
}

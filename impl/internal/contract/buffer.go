package contract

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"sync"

	"github.com/labstack/echo/v4"
)

// answerBuffer holds an answer until it has been judged. Its headers are its own,
// so that those of an answer that is thrown away go with it.
type answerBuffer struct {
	echo.Response // what the handler sees; writes to the buffer
	store         *store
	status        int // 0 until it is written
}

// store is what buffers are made of. It is used again by other requests.
type store struct {
	header http.Header
	body   bytes.Buffer
}

var stores = sync.Pool{New: func() any { return &store{header: make(http.Header)} }}

// keptBuffer is how large a body's buffer may be to be used again.
const keptBuffer = 64 << 10

func newBuffer(e *echo.Echo) *answerBuffer {
	b := &answerBuffer{store: stores.Get().(*store)}
	b.Response = *echo.NewResponse(writer{b}, e)
	return b
}

// writer is the buffer to write to.
type writer struct{ b *answerBuffer }

var errAnswered = errors.New("the request has been answered")

// Header implements [http.ResponseWriter].
func (w writer) Header() http.Header {
	if w.b.store == nil {
		return make(http.Header)
	}
	return w.b.store.header
}

// WriteHeader implements [http.ResponseWriter].
func (w writer) WriteHeader(status int) {
	if w.b.status == 0 {
		w.b.status = status
	}
}

// Write implements [http.ResponseWriter].
func (w writer) Write(p []byte) (int, error) {
	if w.b.store == nil {
		return 0, errAnswered
	}
	w.WriteHeader(http.StatusOK)
	return w.b.store.body.Write(p)
}

func (b *answerBuffer) header() http.Header { return b.store.header }

func (b *answerBuffer) body() []byte { return b.store.body.Bytes() }

// send writes the answer to a client. One to HEAD may have no body, which says
// nothing of its length.
func (b *answerBuffer) send(w http.ResponseWriter, head bool) error {
	to := w.Header()
	for name, values := range b.header() {
		to[name] = values
	}
	switch {
	case b.status == http.StatusNoContent || b.status == http.StatusNotModified, head && len(b.body()) == 0:
		delete(to, "Content-Length")
	default:
		to["Content-Length"] = []string{strconv.Itoa(len(b.body()))}
	}
	w.WriteHeader(b.status)
	if len(b.body()) > 0 {
		// That the client is gone is no error of the answer.
		_, _ = w.Write(b.body())
	}
	return nil
}

// free gives the store back. Who writes to the buffer later is told that it is
// too late.
func (b *answerBuffer) free() {
	s := b.store
	b.store = nil
	if s == nil || s.body.Cap() > keptBuffer {
		return
	}
	clear(s.header)
	s.body.Reset()
	stores.Put(s)
}

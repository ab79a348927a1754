package contract

import (
	"bytes"
	"net/http"
	"strconv"
)

// buffer holds an answer until it has been judged. Its headers are its own, so
// that those of an answer that is thrown away go with it.
type buffer struct {
	header http.Header
	status int // 0 until it is written
	body   bytes.Buffer
}

func newBuffer() *buffer { return &buffer{header: make(http.Header)} }

// Header implements [http.ResponseWriter].
func (b *buffer) Header() http.Header { return b.header }

// WriteHeader implements [http.ResponseWriter].
func (b *buffer) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

// Write implements [http.ResponseWriter].
func (b *buffer) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.body.Write(p)
}

// send writes the answer to a client.
func (b *buffer) send(w http.ResponseWriter) error {
	for name, values := range b.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(b.body.Len()))
	w.WriteHeader(b.status)
	// That the client is gone is no error of the answer.
	_, _ = w.Write(b.body.Bytes())
	return nil
}

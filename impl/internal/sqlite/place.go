package sqlite

import (
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"

	"zombiezen.com/go/sqlite"
)

// place is where a database is: in a file, or in the memory of the process.
type place struct {
	path   string // of the file
	memory string // name of what is in memory; empty for a file
}

// memories counts what is in memory, for names of their own.
var memories atomic.Int64

// newMemory gives a place that no other database has.
func newMemory() place {
	return place{memory: "escrow-" + strconv.FormatInt(memories.Add(1), 10)}
}

func (p place) inMemory() bool { return p.memory != "" }

// uri names what is in memory (https://www.sqlite.org/src/doc/trunk/src/memdb.c):
// connections of one process that give the same name, which begins with a slash,
// share it. It is gone when the last of them is closed.
func (p place) uri() string { return "file:/" + p.memory + "?vfs=memdb" }

func (p place) connect() (*sqlite.Conn, error) {
	if p.inMemory() {
		return sqlite.OpenConn(p.uri(), sqlite.OpenReadWrite, sqlite.OpenCreate, sqlite.OpenURI)
	}
	return sqlite.OpenConn(p.path, sqlite.OpenReadWrite)
}

// dsn is for what goes through database/sql.
func (p place) dsn() string {
	// The path is escaped, for SQLite reads it as a URI: a data folder may have
	// a ? or a % in its name.
	begin := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: p.path}).EscapedPath()}).String() + "?"
	if p.inMemory() {
		begin = p.uri() + fmt.Sprintf("&_pragma=page_size(%d)&_pragma=temp_store(MEMORY)&", pageSize)
	}
	return begin + "_txlock=immediate" +
		fmt.Sprintf("&_pragma=busy_timeout(%d)", busyTimeout.Milliseconds()) + // first, for the next one may have to wait
		"&_pragma=journal_mode(WAL)" + // which memory has not, and answers with its own
		"&_pragma=synchronous(FULL)" +
		"&_pragma=foreign_keys(1)"
}

// gate lets many read what is in memory, or one write. SQLite does so by itself,
// but has the others try again and again, and may let some of them wait for ever.
// The gate of a file is nil, and open: there, nobody waits for anybody.
type gate struct{ mu sync.RWMutex }

// read waits until nobody writes. The result lets others write again.
func (g *gate) read() (done func()) {
	if g == nil {
		return func() {}
	}
	g.mu.RLock()
	return g.mu.RUnlock
}

// write waits until nobody else reads or writes. The result lets them again.
func (g *gate) write() (done func()) {
	if g == nil {
		return func() {}
	}
	g.mu.Lock()
	return g.mu.Unlock
}

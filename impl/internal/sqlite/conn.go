package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
)

// busyTimeout is how long a connection waits for other processes.
const busyTimeout = 5 * time.Second

// conn is a connection to the file, for one goroutine at a time. It keeps the
// statements that it has parsed.
type conn struct {
	*sqlite.Conn
	interrupted chan struct{} // closed to end what runs
}

// open connects to a database. A file must be there.
func open(at place, pragmas ...string) (*conn, error) {
	raw, err := at.connect()
	if err != nil {
		return nil, err
	}
	if at.inMemory() {
		pragmas = append(pragmas, "temp_store = MEMORY") // what is sorted, not in a file
	}
	c := &conn{Conn: raw}
	c.SetBusyTimeout(busyTimeout)
	for _, pragma := range append([]string{
		fmt.Sprintf("page_size = %d", pageSize), // first, for it is that of a file without pages
		"journal_mode = WAL",
		"synchronous = " + synchronous,
		"foreign_keys = 1",
		"secure_delete = 1", // what is erased is overwritten
	}, pragmas...) {
		if err := c.each(func(scanner) error { return nil }, "PRAGMA "+pragma); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	c.listen()
	return c, nil
}

// listen lets interrupt end what runs from now on.
func (c *conn) listen() {
	c.interrupted = make(chan struct{})
	c.SetInterrupt(c.interrupted)
}

// interrupt ends what runs, from another goroutine.
func (c *conn) interrupt() { close(c.interrupted) }

// bounded runs f until it is done or ctx is.
func (c *conn) bounded(ctx context.Context, f func(*conn) error) (err error) {
	if ctx.Done() == nil {
		return f(c)
	}
	stop := context.AfterFunc(ctx, c.interrupt)
	defer func() {
		if stop() {
			return
		}
		<-c.interrupted
		c.listen()
		if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultInterrupt {
			err = ctx.Err()
		}
	}()
	return f(c)
}

// querier is a connection, or a transaction.
type querier interface {
	// row reads the first row of a result; its Scan returns errNone if there is
	// none.
	row(query string, args ...any) scanner
	// each calls f for each row of a result, until it returns an error. f must
	// not use the querier.
	each(f func(scanner) error, query string, args ...any) error
}

// scanner is a row. Scan reads its columns into what dest points to.
type scanner interface{ Scan(dest ...any) error }

// result tells what a statement did.
type result struct {
	changed int64
	id      int64 // of the last row that was inserted
}

func (c *conn) exec(query string, args ...any) (result, error) {
	if err := c.each(func(scanner) error { return nil }, query, args...); err != nil {
		return result{}, err
	}
	return result{int64(c.Changes()), c.LastInsertRowID()}, nil
}

func (c *conn) each(f func(scanner) error, query string, args ...any) error {
	statement, err := c.Prepare(query)
	if err != nil {
		return err
	}
	// What it returns is the error of the last step once more.
	defer func() { _ = statement.Reset() }()
	if err := bind(statement, args); err != nil {
		return err
	}
	for {
		if there, err := statement.Step(); err != nil || !there {
			return err
		}
		if err := f(cursor{statement}); err != nil {
			return err
		}
	}
}

func (c *conn) row(query string, args ...any) scanner { return firstRow{c, query, args} }

// firstRow is a row that is yet to be read.
type firstRow struct {
	q     querier
	query string
	args  []any
}

// Scan reads the row.
func (r firstRow) Scan(dest ...any) error {
	found := errNone
	err := r.q.each(func(row scanner) error {
		if found == nil {
			return nil // and the statement goes on to its end
		}
		found = row.Scan(dest...)
		return found
	}, r.query, r.args...)
	if err != nil {
		return err
	}
	return found
}

// checkpoint moves what is in the journal to the file, unless the mode is NOOP,
// and tells how many pages are in the journal, and how many of them were moved.
func (c *conn) checkpoint(mode string) (pages, moved int, err error) {
	var busy bool
	err = c.row("PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &pages, &moved)
	if busy {
		moved = -1
	}
	return pages, moved, err
}

// errNone is returned if there is no row, or a statement changed none.
var errNone = errors.New("no such row")

// one makes sure that a statement changed a row.
func one(r result, err error) error {
	if err == nil && r.changed == 0 {
		return errNone
	}
	return err
}

// orElse says what it means that there is no such row.
func orElse(err, meaning error) error {
	if errors.Is(err, errNone) {
		return meaning
	}
	return err
}

// writes tells whether a statement may change anything.
func writes(query string) bool {
	return !strings.HasPrefix(strings.TrimLeft(query, "\n "), "SELECT")
}

// bind gives a statement its arguments: integers, flags, texts, bytes, pointers
// to them, which are NULL if they are nil, and null types.
func bind(s *sqlite.Stmt, args []any) error {
	if n := s.BindParamCount(); n != len(args) {
		return fmt.Errorf("%d arguments for %d parameters", len(args), n)
	}
	for i, arg := range args {
		if err := bindOne(s, i+1, arg); err != nil {
			return err
		}
	}
	return nil
}

func bindOne(s *sqlite.Stmt, n int, arg any) error {
	switch v := arg.(type) {
	case nil:
		s.BindNull(n)
	case int64:
		s.BindInt64(n, v)
	case int:
		s.BindInt64(n, int64(v))
	case bool:
		s.BindBool(n, v)
	case string:
		s.BindText(n, v)
	case *string:
		if v == nil {
			s.BindNull(n)
		} else {
			s.BindText(n, *v)
		}
	case sql.NullString:
		if v.Valid {
			s.BindText(n, v.String)
		} else {
			s.BindNull(n)
		}
	case []byte:
		if v == nil {
			s.BindNull(n)
		} else {
			s.BindBytes(n, v)
		}
	default:
		return bindKind(s, n, reflect.ValueOf(arg))
	}
	return nil
}

// bindKind binds values of types that have another name.
func bindKind(s *sqlite.Stmt, n int, v reflect.Value) error {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
		s.BindNull(n)
	case v.Kind() == reflect.Pointer:
		return bindKind(s, n, v.Elem())
	case v.CanInt():
		s.BindInt64(n, v.Int())
	case v.CanUint():
		s.BindInt64(n, int64(v.Uint()))
	case v.Kind() == reflect.String:
		s.BindText(n, v.String())
	default:
		return fmt.Errorf("argument %d is of type %v", n, v.Type())
	}
	return nil
}

// cursor is the row at which a statement is.
type cursor struct{ s *sqlite.Stmt }

// Scan reads the columns.
func (c cursor) Scan(dest ...any) error {
	if n := c.s.ColumnCount(); n != len(dest) {
		return fmt.Errorf("%d places for %d columns", len(dest), n)
	}
	for i, d := range dest {
		if err := c.column(i, d); err != nil {
			return err
		}
	}
	return nil
}

func (c cursor) column(i int, dest any) error {
	kind := c.s.ColumnType(i)
	null := kind == sqlite.TypeNull
	switch d := dest.(type) {
	case **string:
		*d = nil
		if !null {
			text := c.s.ColumnText(i)
			*d = &text
		}
		return nil
	case **int64:
		*d = nil
		if !null {
			n := c.s.ColumnInt64(i)
			*d = &n
		}
		return nil
	case *sql.NullInt64:
		*d = sql.NullInt64{Int64: c.s.ColumnInt64(i), Valid: !null}
		return nil
	case *sql.NullString:
		*d = sql.NullString{String: c.s.ColumnText(i), Valid: !null}
		return nil
	case *[]byte:
		*d = nil
		if !null {
			*d = make([]byte, c.s.ColumnLen(i))
			c.s.ColumnBytes(i, *d)
		}
		return nil
	}
	if null {
		return fmt.Errorf("column %d is NULL", i)
	}
	return c.notNull(i, dest)
}

func (c cursor) notNull(i int, dest any) error {
	switch d := dest.(type) {
	case *int64:
		*d = c.s.ColumnInt64(i)
	case *int:
		*d = c.s.ColumnInt(i)
	case *bool:
		*d = c.s.ColumnBool(i)
	case *string:
		*d = c.s.ColumnText(i)
	default: // a type that has another name
		switch v := reflect.ValueOf(dest).Elem(); {
		case v.CanInt():
			v.SetInt(c.s.ColumnInt64(i))
		case v.Kind() == reflect.String:
			v.SetString(c.s.ColumnText(i))
		default:
			return fmt.Errorf("column %d cannot be read into %v", i, v.Type())
		}
	}
	return nil
}

// list reads a result as a whole.
func list[T any](q querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	var all []T
	err := q.each(func(row scanner) error {
		one, err := scan(row)
		if err == nil {
			all = append(all, one)
		}
		return err
	}, query, args...)
	return all, err
}

package main

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

const (
	// templateEmail is the address of the customer that is copied.
	templateEmail = "johny.template@example.com"
	// newEmail is that of the customer n. Addresses of neighbours are far apart
	// in an index, as they are in life.
	newEmail  = `printf('johny.%07x.%x@example.com', (seq.n * 2654435761) & 268435455, seq.n)`
	fillChunk = 50_000 // rows in a transaction
)

// A table that is copied, and how. What is written for a column is an SQL
// expression of the copied row t and the number seq.n of the new customer.
type copied struct {
	name    string
	columns []column
	link    string // column that refers to a copied table
	to      string // that table
}

type column struct {
	name, kind string // kind is the declared type
	key        bool   // part of the primary key
	expression string
}

// fill copies the only customer of a database, and everything that refers to
// it, until there are n. It knows no schema: values that have to be unique are
// made so, references follow what they refer to, e-mail addresses are replaced
// wherever they are, and everything else stays as it is.
func fill(ctx context.Context, db *sql.DB, root string, n int64) error {
	for _, pragma := range []string{"journal_mode=DELETE", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-1000000"} {
		if _, err := db.ExecContext(ctx, "PRAGMA "+pragma); err != nil {
			return err
		}
	}
	plan, err := planCopy(ctx, db, root)
	if err != nil {
		return err
	}
	var statements []string
	for i := range plan {
		// The rows to copy are put aside: copies of children must not be copied.
		if err := putAside(ctx, db, plan, i); err != nil {
			return err
		}
		statements = append(statements, plan[i].insert())
	}
	for from := int64(2); from <= n; from += fillChunk {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		for _, statement := range statements {
			if _, err := tx.ExecContext(ctx, statement, from, min(from+fillChunk-1, n)); err != nil {
				return errors.Join(fmt.Errorf("%w\n%s", err, statement), tx.Rollback())
			}
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	var count int64
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+root).Scan(&count); err != nil {
		return err
	}
	if count != n {
		return fmt.Errorf("made %d customers instead of %d", count, n)
	}
	return nil
}

// planCopy finds the tables that refer to the root, and those that refer to
// them, by foreign keys or a column named customer_id.
func planCopy(ctx context.Context, db *sql.DB, root string) ([]copied, error) {
	tables, err := texts(ctx, db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil {
		return nil, err
	}
	first := copied{name: root}
	if first.columns, err = describe(ctx, db, first, nil); err != nil {
		return nil, err
	}
	plan := []copied{first}
	for i := 0; i < len(plan); i++ {
		for _, table := range tables {
			if slices.ContainsFunc(plan, func(c copied) bool { return c.name == table }) {
				continue
			}
			link, err := linkTo(ctx, db, table, plan[i].name, root)
			if err != nil {
				return nil, err
			}
			if link == "" {
				continue
			}
			c := copied{name: table, link: link, to: plan[i].name}
			if c.columns, err = describe(ctx, db, c, plan); err != nil {
				return nil, err
			}
			plan = append(plan, c)
		}
	}
	return plan, agree(ctx, db, plan)
}

// agree lets columns that have the key of another table's row, without saying that
// they refer to it, have the key of that row's copy.
func agree(ctx context.Context, db *sql.DB, plan []copied) error {
	for _, c := range plan {
		for i := range c.columns {
			k := &c.columns[i]
			if k.kind != "TEXT" || !k.same() {
				continue
			}
			for _, other := range plan {
				if err := agreeWith(ctx, db, c.name, k, other); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func agreeWith(ctx context.Context, db *sql.DB, table string, k *column, other copied) error {
	for _, key := range other.columns {
		if other.name == table || !key.key || key.kind != "TEXT" || key.same() {
			continue
		}
		found, err := texts(ctx, db, fmt.Sprintf(`SELECT 1 FROM %s c JOIN %s o ON c.%s = o.%s LIMIT 1`,
			quoted(table), quoted(other.name), quoted(k.name), quoted(key.name)))
		if err != nil {
			return err
		}
		if len(found) > 0 {
			k.expression = strings.ReplaceAll(key.expression, "t."+quoted(key.name), "t."+quoted(k.name))
		}
	}
	return nil
}

// same tells whether all copies have the value that is copied.
func (k column) same() bool { return k.expression == "t."+quoted(k.name) }

// linkTo gives the column of a table that refers to another, or nothing.
func linkTo(ctx context.Context, db *sql.DB, table, to, root string) (string, error) {
	links, err := texts(ctx, db, `SELECT "from" FROM pragma_foreign_key_list(?) WHERE "table" = ?`, table, to)
	if err != nil || len(links) > 0 || to != root {
		return strings.Join(links, ""), err
	}
	links, err = texts(ctx, db, `SELECT name FROM pragma_table_info(?) WHERE name = 'customer_id'`, table)
	return strings.Join(links, ""), err
}

// describe gives the columns of a table, and what to write to each.
func describe(ctx context.Context, db *sql.DB, c copied, plan []copied) ([]column, error) {
	columns, err := columnsOf(ctx, db, c.name)
	if err != nil {
		return nil, err
	}
	mapped := map[string]bool{} // columns that differ from customer to customer
	if len(plan) == 0 {
		for i := range columns {
			if columns[i].key {
				columns[i].expression = map[bool]string{true: "seq.n", false: "CAST(seq.n AS TEXT)"}[columns[i].kind == "INTEGER"]
				mapped[columns[i].name] = true
			}
		}
	}
	if err := follow(ctx, db, c, plan, columns, mapped); err != nil {
		return nil, err
	}
	if err := replaceEmail(ctx, db, c, columns, mapped); err != nil {
		return nil, err
	}
	indexes, err := texts(ctx, db, `SELECT name FROM pragma_index_list(?) WHERE "unique"`, c.name)
	if err != nil {
		return nil, err
	}
	unique := [][]string{}
	for _, index := range indexes {
		of, err := texts(ctx, db, `SELECT name FROM pragma_index_info(?) WHERE name IS NOT NULL`, index)
		if err != nil {
			return nil, err
		}
		unique = append(unique, of)
	}
	var key []string
	for _, k := range columns {
		if k.key {
			key = append(key, k.name)
		}
	}
	for _, of := range append(unique, key) {
		if slices.ContainsFunc(of, func(name string) bool { return mapped[name] }) {
			continue
		}
		for i := range columns {
			if slices.Contains(of, columns[i].name) {
				columns[i].expression = columns[i].vary(len(key))
				mapped[columns[i].name] = true
			}
		}
	}
	return columns, nil
}

func columnsOf(ctx context.Context, db *sql.DB, table string) (columns []column, err error) {
	rows, err := db.QueryContext(ctx, `SELECT name, upper(type), pk FROM pragma_table_info(?)`, table)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var k column
		var position int
		if err := rows.Scan(&k.name, &k.kind, &position); err != nil {
			return nil, err
		}
		k.key = position > 0
		k.expression = "t." + quoted(k.name)
		columns = append(columns, k)
	}
	return columns, rows.Err()
}

// follow lets references refer to the copy of what they referred to.
func follow(ctx context.Context, db *sql.DB, c copied, plan []copied, columns []column, mapped map[string]bool) error {
	for _, parent := range plan {
		link, err := linkTo(ctx, db, c.name, parent.name, plan[0].name)
		if err != nil {
			return err
		}
		for i := range columns {
			if columns[i].name != link {
				continue
			}
			for _, k := range parent.columns {
				if k.key {
					// The same of the same value: the copy of the parent has it.
					columns[i].expression = strings.ReplaceAll(k.expression, "t."+quoted(k.name), "t."+quoted(link))
				}
			}
			mapped[link] = true
		}
	}
	return nil
}

// replaceEmail finds the columns that have the address of the copied customer.
func replaceEmail(ctx context.Context, db *sql.DB, c copied, columns []column, mapped map[string]bool) error {
	for i := range columns {
		k := &columns[i]
		found, err := texts(ctx, db, fmt.Sprintf(`SELECT 1 FROM %s WHERE typeof(%[2]s) = 'text' AND instr(%[2]s, ?) LIMIT 1`, quoted(c.name), quoted(k.name)), templateEmail)
		if err != nil {
			return err
		}
		if len(found) > 0 && !mapped[k.name] {
			k.expression = fmt.Sprintf(`replace(t.%s, '%s', %s)`, quoted(k.name), templateEmail, newEmail)
			mapped[k.name] = true
		}
	}
	return nil
}

// vary makes a value that no other customer has, of the same length.
func (k column) vary(keys int) string {
	value := "t." + quoted(k.name)
	switch {
	case k.kind == "INTEGER" && k.key && keys == 1:
		return "NULL" // SQLite counts
	case k.kind == "INTEGER":
		return value + " + seq.n"
	case k.kind == "BLOB":
		return "randomblob(length(" + value + "))"
	default:
		return "substr(" + value + ", 1, length(" + value + ") - 12) || printf('%012x', seq.n)"
	}
}

// putAside copies the rows of the only customer to a temporary table.
func putAside(ctx context.Context, db *sql.DB, plan []copied, i int) error {
	c := plan[i]
	where := ""
	if c.to != "" {
		key := plan[slices.IndexFunc(plan, func(p copied) bool { return p.name == c.to })]
		for _, k := range key.columns {
			if k.key {
				where = fmt.Sprintf(" WHERE %s IN (SELECT %s FROM temp.%s)", quoted(c.link), quoted(k.name), quoted(cmp.Or(c.to, c.name)+"_template"))
			}
		}
	}
	_, err := db.ExecContext(ctx, fmt.Sprintf("CREATE TEMP TABLE %s AS SELECT * FROM main.%s%s", quoted(c.name+"_template"), quoted(c.name), where))
	return err
}

func (c copied) insert() string {
	var into, values []string
	for _, k := range c.columns {
		into = append(into, quoted(k.name))
		values = append(values, k.expression)
	}
	return fmt.Sprintf(`WITH RECURSIVE seq(n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM seq WHERE n < ?2) INSERT INTO main.%s (%s) SELECT %s FROM seq CROSS JOIN temp.%s AS t`,
		quoted(c.name), strings.Join(into, ", "), strings.Join(values, ", "), quoted(c.name+"_template"))
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// renewKey makes a key for PocketBase that outlives the data set: the one that
// its first start prints is good for a day. It is a JWT (RFC 7519).
func renewKey(ctx context.Context, db *sql.DB, note string) error {
	var id, collection, secret string
	err := db.QueryRowContext(ctx, `
		SELECT p.id, c.id, p.tokenKey || json_extract(c.options, '$.authToken.secret')
		FROM partners p, _collections c WHERE c.name = 'partners'`).Scan(&id, &collection, &secret)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	claims := fmt.Sprintf(`{"type":"auth","id":%q,"collectionId":%q,"refreshable":false,"exp":%d}`, id, collection, time.Now().AddDate(10, 0, 0).Unix())
	token := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return os.WriteFile(note, []byte(token+"."+base64.RawURLEncoding.EncodeToString(mac.Sum(nil))), 0o600)
}

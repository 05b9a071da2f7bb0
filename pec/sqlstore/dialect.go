package sqlstore

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"
)

// dialect is what differs between the databases. Statements are written with the
// parameters ?1, ?2 and so on.
type dialect struct {
	schema string            // the folder of the migrations
	tables string            // a query that counts the tables named pec_schema
	begin  string            // the first statement of every transaction that writes; "" for none
	tx     *sql.TxOptions    // of every transaction that writes
	rebind *strings.Replacer // rewrites the parameters of statements; nil when they stay

	// place is an expression for the place of an append in the log of its mailbox, ?1. It
	// is higher than the places of all entries that Changes may have shown.
	place string
	// settled is a condition on a row. It is true once no entry can appear before the
	// place of the row any more.
	settled string

	// writers is how many transactions may run at a time.
	writers int
	// check refuses a connection whose settings break the contract. It returns how long a
	// call on the connection waits for others.
	check func(ctx context.Context, conn *sql.Conn) (patience time.Duration, err error)
	// prepare is called once the tables exist; nil for nothing.
	prepare func(ctx context.Context, s *Store) error
}

// sql returns a statement in the dialect.
func (d *dialect) sql(statement string) string {
	if d.rebind == nil {
		return statement
	}
	return d.rebind.Replace(statement)
}

// numbered rewrites parameters as $1, $2 and so on.
func numbered() *strings.Replacer {
	var pairs []string
	for n := 19; n > 0; n-- { // ?12 before ?1
		pairs = append(pairs, "?"+strconv.Itoa(n), "$"+strconv.Itoa(n))
	}
	return strings.NewReplacer(pairs...)
}

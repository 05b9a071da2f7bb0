package sqlstore

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"
)

// dialect is where the databases differ. Statements have their parameters written
// as ?1, ?2 and so on.
type dialect struct {
	schema string // the folder of its migrations
	tables string // counts the tables named pec_schema
	begin  string // opens every transaction that writes; "" for nothing
	tx     *sql.TxOptions
	rebind *strings.Replacer // nil when statements can stay as they are

	// place is the place of an append in its mailbox: higher than that of all appends
	// that were settled before. ?1 is the mailbox.
	place string
	// settled tells whether nothing can appear any more before the row's place.
	settled string

	// writers is how many transactions are under way at a time.
	writers int
	// check refuses connections whose settings break the contract, and tells how long a
	// call on one waits for others.
	check func(ctx context.Context, conn *sql.Conn) (patience time.Duration, err error)
	// prepare is called once the tables are there; nil for nothing.
	prepare func(ctx context.Context, s *Store) error
}

// sql gives a statement in the dialect.
func (d *dialect) sql(statement string) string {
	if d.rebind == nil {
		return statement
	}
	return d.rebind.Replace(statement)
}

// numbered writes parameters as $1, $2 and so on.
func numbered() *strings.Replacer {
	var pairs []string
	for n := 19; n > 0; n-- { // ?12 before ?1
		pairs = append(pairs, "?"+strconv.Itoa(n), "$"+strconv.Itoa(n))
	}
	return strings.NewReplacer(pairs...)
}

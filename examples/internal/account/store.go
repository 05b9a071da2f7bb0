package account

import (
	"context"
	"database/sql"
	"io"
	"net/url"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
)

// Store is what OpenStore gives.
type Store = *sqlstore.Store

var _ pec.Store = Store(nil)

// OpenStore opens the store in an SQLite file, and makes it where there is none.
func OpenStore(ctx context.Context, file string) (Store, io.Closer, error) {
	// The settings stand in the name, so that every connection of the pool has them.
	name := url.URL{Scheme: "file", Opaque: url.PathEscape(file), RawQuery: url.Values{
		"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "foreign_keys(1)"},
		"_txlock": {"immediate"},
	}.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxIdleConns(9) // as many as a Store uses at a time
	store, err := sqlstore.OpenSQLite(ctx, db)
	if err != nil {
		db.Close()
		return nil, nil, err
	}
	return store, db, nil
}

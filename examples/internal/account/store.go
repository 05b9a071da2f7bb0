package account

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
)

// Store is the type of store that OpenStore returns.
type Store = *sqlstore.Store

var _ pec.Store = Store(nil)

// OpenStore opens the store in an SQLite file, and makes it when there is none. The caller
// must close the database.
func OpenStore(ctx context.Context, file string) (Store, *sql.DB, error) {
	// The settings are part of the name, so that every connection of the pool has them.
	name := url.URL{Scheme: "file", Opaque: url.PathEscape(file), RawQuery: url.Values{
		"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "foreign_keys(1)"},
		"_txlock": {"immediate"},
	}.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxIdleConns(9) // as many connections as a Store uses at a time
	store, err := sqlstore.OpenSQLite(ctx, db)
	if err != nil {
		db.Close()
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	return store, db, nil
}

// ReadStore is OpenStore for programs that only read. It returns an error when there is no
// file, and makes none.
func ReadStore(ctx context.Context, file string) (Store, *sql.DB, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, nil, err
	}
	return OpenStore(ctx, file)
}

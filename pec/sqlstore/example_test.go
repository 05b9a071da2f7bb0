package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
)

// A Store in a file. Pass it to pec.New in pec.Options.Store.
func ExampleOpenSQLite() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "pec")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	dsn := "file:" + filepath.Join(folder, "pec.db") +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	store, err := sqlstore.OpenSQLite(ctx, db)
	if err != nil {
		log.Fatal(err)
	}

	ledger, err := pec.NewLedger("me@pec.example", store, nil)
	if err != nil {
		log.Fatal(err)
	}
	suspension, err := ledger.Suspended(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("suspended:", suspension != nil)
	// Output: suspended: false
}

// A Store in PostgreSQL, for programs on several machines. The driver reads the password
// from PGPASSWORD or ~/.pgpass.
func ExampleOpenPostgres() {
	ctx := context.Background()
	db, err := sql.Open("pgx", "host=db.example dbname=pec user=pec sslmode=verify-full")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	store, err := sqlstore.OpenPostgres(ctx, db, nil)
	if err != nil {
		log.Fatal(err)
	}
	mailboxes, err := store.Mailboxes(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, address := range mailboxes {
		ledger, err := pec.NewLedger(address, store, nil)
		if err != nil {
			log.Fatal(err)
		}
		for status, err := range ledger.Find(ctx, pec.Query{Filter: pec.FilterOverdue}) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(address, status.MessageID, status.Subject)
		}
	}
}

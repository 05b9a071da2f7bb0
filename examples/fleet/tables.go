package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// invoices stands for the tables of an application.
const invoices = `CREATE TABLE IF NOT EXISTS fleet_invoices (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	sender     text NOT NULL,
	recipients text[] NOT NULL,
	number     text NOT NULL,
	total      text NOT NULL,
	UNIQUE (sender, number)
)`

// migrating is the advisory lock that is held while tables are made, because River's
// migrations do not expect two processes that start together.
const migrating = 0x666c656574

// migrate makes River's tables and the application's. The store makes its own.
func migrate(ctx context.Context, pool *pgxpool.Pool) (err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrating)); err != nil {
		return err
	}
	defer func() {
		_, unlockErr := conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(migrating))
		err = errors.Join(err, unlockErr)
	}()
	if _, err := conn.Exec(ctx, invoices); err != nil {
		return err
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

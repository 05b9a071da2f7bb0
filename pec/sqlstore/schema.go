package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"strings"
)

// migrations are the steps of the schema, one file each, numbered from 1. A step
// that was released is never changed.
//
//go:embed schema
var migrations embed.FS

// steps reads the migrations of a dialect.
func steps(d *dialect) (steps []string, err error) {
	files, err := migrations.ReadDir("schema/" + d.schema)
	if err != nil {
		return nil, err
	}
	for n := range files {
		step, err := migrations.ReadFile(fmt.Sprintf("schema/%s/%d.sql", d.schema, n+1))
		if err != nil {
			return nil, err
		}
		steps = append(steps, string(step))
	}
	return steps, nil
}

// migrate brings the tables up to date. Processes that start together take turns.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := steps(s.dialect)
	if err != nil {
		return err
	}
	if err := s.createVersion(ctx); err != nil {
		return err
	}
	// A database that is up to date need not be writable to be read.
	if version, err := s.version(ctx); err != nil || version > len(steps) || version == len(steps) {
		return errors.Join(err, newer(version, len(steps)))
	}
	return s.write(ctx, "open", func(tx *sql.Tx) error {
		// A write comes first: it waits until whoever is migrating has ended.
		var version int
		err := tx.QueryRowContext(ctx, `INSERT INTO pec_schema (id, version) VALUES (1, 0)
			ON CONFLICT (id) DO UPDATE SET version = pec_schema.version RETURNING version`).Scan(&version)
		if err != nil {
			return err
		}
		if version >= len(steps) {
			return newer(version, len(steps))
		}
		for _, step := range steps[version:] {
			for _, statement := range strings.Split(step, ";\n") {
				if strings.TrimSpace(statement) == "" {
					continue
				}
				if _, err := tx.ExecContext(ctx, statement); err != nil {
					return err
				}
			}
		}
		_, err = tx.ExecContext(ctx, s.dialect.sql("UPDATE pec_schema SET version = ?1"), len(steps))
		return err
	})
}

// createVersion makes the table of the version where it is missing. Of processes
// that do so at the same time some may fail: what counts is that it is there.
func (s *Store) createVersion(ctx context.Context) error {
	var tables int
	if err := s.db.QueryRowContext(ctx, s.dialect.tables).Scan(&tables); err != nil || tables == 1 {
		return err
	}
	_, failed := s.db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS pec_schema (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)")
	if failed == nil {
		return nil
	}
	if err := s.db.QueryRowContext(ctx, s.dialect.tables).Scan(&tables); err != nil || tables == 0 {
		return failed
	}
	return nil
}

// version is 0 before the first migration.
func (s *Store) version(ctx context.Context) (version int, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM pec_schema").Scan(&version)
	return version, err
}

// newer refuses a database of a later version: what it means is not known here.
func newer(version, known int) error {
	if version <= known {
		return nil
	}
	return &Error{"open", ReasonSchemaNewer, fmt.Errorf("the database has schema %d, this program knows %d: use a later version of it", version, known)}
}

package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"strings"
)

// migrations are the steps of the schema, one file per step, numbered from 1. A step that
// was released never changes.
//
//go:embed schema
var migrations embed.FS

// readSteps returns the migrations of a dialect, in order.
func readSteps(d *dialect) (steps []string, err error) {
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

// migrate brings the tables up to date. Processes that start together do so one after the
// other.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := readSteps(s.dialect)
	if err != nil {
		return err
	}
	if err := s.createVersion(ctx); err != nil {
		return err
	}
	// A database that is up to date is not written to: it may be read-only.
	if version, err := s.version(ctx); err != nil || version >= len(steps) {
		return errors.Join(err, newer(version, len(steps)))
	}
	return s.write(ctx, "open", func(tx *sql.Tx) error {
		// The first statement writes, so it waits until another migration has ended.
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

// createVersion creates the table of the version if it is missing. When several processes
// do so at the same time some of them may fail: that is no error if the table then exists.
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

// version returns the version of the tables: 0 before the first migration.
func (s *Store) version(ctx context.Context) (version int, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM pec_schema").Scan(&version)
	return version, err
}

// newer returns an error when the tables have a later version than this package knows.
func newer(version, known int) error {
	if version <= known {
		return nil
	}
	return &Error{"open", ReasonSchemaNewer, fmt.Errorf("the tables have schema version %d, this program knows versions up to %d: use a later version of the program", version, known)}
}

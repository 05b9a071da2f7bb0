package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/gopec/gopec/pec"
)

// chunkSize is how many bytes of a Raw one row holds. Drivers and databases keep several
// copies of a value in memory.
const chunkSize = 256 << 10

// raw inserts the Raw of an entry, in chunks.
func (a *appending) raw(entry int64, raw *io.SectionReader) error {
	r := io.NewSectionReader(raw, 0, raw.Size())
	digest := sha256.New()
	chunk := make([]byte, min(chunkSize, raw.Size()))
	for n := 0; int64(n)*chunkSize < raw.Size(); n++ {
		chunk = chunk[:min(chunkSize, raw.Size()-int64(n)*chunkSize)]
		if _, err := io.ReadFull(r, chunk); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return &Error{"append", ReasonRaw, err}
		}
		digest.Write(chunk)
		if _, err := a.tx.ExecContext(a.ctx, a.dialect.sql("INSERT INTO pec_chunks (entry, n, data) VALUES (?1, ?2, ?3)"), entry, n, chunk); err != nil {
			return err
		}
	}
	_, err := a.tx.ExecContext(a.ctx, a.dialect.sql("INSERT INTO pec_raws (entry, size, sha256) VALUES (?1, ?2, ?3)"), entry, raw.Size(), digest.Sum(nil))
	return err
}

// Raw implements pec.Store. Read fails with ReasonCorrupt when the bytes differ from those
// appended, and with ReasonCanceled once ctx ends.
func (s *Store) Raw(ctx context.Context, mailbox, key string) (io.ReadCloser, error) {
	r := &rawReader{ctx: ctx, store: s, key: key, digest: sha256.New()}
	missing := false
	err := s.read(ctx, "raw", func() error {
		err := s.db.QueryRowContext(ctx, s.dialect.sql(`SELECT r.entry, r.size, r.sha256 FROM pec_entries e JOIN pec_raws r ON r.entry = e.id
			WHERE e.mailbox = ?1 AND e.key = ?2`), mailbox, key).Scan(&r.entry, &r.left, &r.sum)
		if missing = errors.Is(err, sql.ErrNoRows); missing {
			return nil
		}
		return err
	})
	switch {
	case missing:
		return nil, pec.ErrNotFound
	case err != nil:
		return nil, err
	}
	return io.NopCloser(r), nil
}

// rawReader queries one chunk at a time. Between the queries it holds no connection.
type rawReader struct {
	ctx    context.Context
	store  *Store
	key    string
	entry  int64
	left   int64  // bytes that were not queried yet
	next   int    // the number of the next chunk
	chunk  []byte // what Read has not returned yet
	digest hash.Hash
	sum    []byte // what digest must be at the end
	err    error  // io.EOF or the failure, once there is one
}

func (r *rawReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(r.chunk) == 0 {
		if r.err == nil {
			r.err = r.fetch()
		}
		if r.err != nil {
			return 0, r.err
		}
	}
	n := copy(p, r.chunk)
	r.chunk = r.chunk[n:]
	return n, nil
}

// fetch queries the next chunk. The last chunk is passed on only if the digest of all
// chunks is right, so a reader that reaches io.EOF has read what was appended.
func (r *rawReader) fetch() error {
	if r.left == 0 && r.next > 0 {
		return io.EOF
	}
	want := min(chunkSize, r.left)
	var chunk []byte
	if want > 0 {
		err := r.store.read(r.ctx, "raw", func() error {
			row := r.store.db.QueryRowContext(r.ctx, r.store.dialect.sql("SELECT data FROM pec_chunks WHERE entry = ?1 AND n = ?2"), r.entry, r.next)
			if err := row.Scan(&chunk); !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	r.digest.Write(chunk)
	r.left -= want
	r.next++
	if int64(len(chunk)) != want || r.left == 0 && string(r.digest.Sum(nil)) != string(r.sum) {
		return &Error{"raw", ReasonCorrupt, fmt.Errorf("the message under %q differs from what was stored: restore it from a backup", r.key)}
	}
	if want == 0 {
		return io.EOF
	}
	r.chunk = chunk
	return nil
}

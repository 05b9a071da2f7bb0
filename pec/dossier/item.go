package dossier

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/gopec/gopec/internal/spool"
)

// opener opens a message for reading from its beginning. It may be called several times.
type opener func(ctx context.Context) (io.ReadCloser, error)

// item is one file of a dossier. Its content stays where it is; only size and digests are
// kept in memory.
type item struct {
	name string
	open opener
	size int64
	sum  [sha256.Size]byte
	crc  uint32
}

// newItem returns an item whose content is in memory.
func newItem(name string, content []byte) item {
	return item{
		name: name,
		open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
		size: int64(len(content)), sum: sha256.Sum256(content), crc: crc32.ChecksumIEEE(content),
	}
}

// spooled opens a message for reading at any offset, and computes its size and digests. The
// caller calls closeAll.
func spooled(ctx context.Context, open opener) (it item, s *spool.Spool, closeAll func() error, err error) {
	r, err := open(ctx)
	if err != nil {
		return item{}, nil, nil, fmt.Errorf("dossier: opening a message: %w", err)
	}
	s, err = spool.Open(ctx, r)
	if err != nil {
		return item{}, nil, nil, errors.Join(fmt.Errorf("dossier: reading a message: %w", err), r.Close())
	}
	closeAll = func() error { return errors.Join(s.Close(), r.Close()) }
	it = item{open: open}
	d := newDigester()
	if it.size, err = io.Copy(d, io.NewSectionReader(s, 0, s.Size())); err != nil {
		return item{}, nil, nil, errors.Join(fmt.Errorf("dossier: reading a message: %w", err), closeAll())
	}
	it.sum, it.crc = d.sums()
	return it, s, closeAll, nil
}

// errChanged reports that a message had other bytes when it was read a second time.
var errChanged = errors.New("dossier: a message changed while it was read")

// copyTo writes the content. It fails if the content does not have the item's size and
// digest.
func (it item) copyTo(ctx context.Context, w io.Writer) error {
	r, err := it.open(ctx)
	if err != nil {
		return fmt.Errorf("dossier: opening %s: %w", it.name, err)
	}
	defer r.Close()
	d := newDigester()
	n, err := io.Copy(io.MultiWriter(w, d), spool.NewReader(ctx, io.LimitReader(r, it.size+1)))
	if err != nil {
		return fmt.Errorf("dossier: copying %s: %w", it.name, err)
	}
	if sum, _ := d.sums(); n != it.size || sum != it.sum {
		return fmt.Errorf("%w: %s", errChanged, it.name)
	}
	return nil
}

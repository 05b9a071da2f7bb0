// Package spool gives random access to a message read from an io.Reader, at a
// cost in memory that does not grow with the message.
package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// MemoryLimit is how much of a plain reader is kept in memory, in bytes. What
// is longer goes to a temporary file.
const MemoryLimit = 1 << 20

// Spool is a message with random access. Whoever got it from Open or from a Writer
// closes it.
type Spool struct {
	io.ReaderAt
	size int64
	file *os.File // the temporary file, nil when there is none
	name string   // of a file that could not be removed while open
}

// Size is the number of bytes of the message.
func (s *Spool) Size() int64 { return s.size }

// Close removes the temporary file, if one was made. The reader that was given
// to Open is left open: it belongs to the caller.
func (s *Spool) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.name != "" {
		err = errors.Join(err, os.Remove(s.name))
	}
	s.file = nil
	return err
}

// Open makes the rest of r readable at any offset. A reader that is also an
// io.ReaderAt and io.Seeker is read in place and must not change until Close;
// any other is copied.
func Open(ctx context.Context, r io.Reader) (*Spool, error) {
	if s, ok := inPlace(r); ok {
		return s, nil
	}
	return Copy(ctx, r, 0)
}

// buffers are what messages are copied through.
var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// Copy is Open for a reader that is no other, of about that many bytes.
func Copy(ctx context.Context, r io.Reader, size int64) (*Spool, error) {
	var w Writer
	w.Grow(size)
	buffer := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buffer)
	if _, err := io.CopyBuffer(&w, NewReader(ctx, r), buffer[:]); err != nil {
		return nil, errors.Join(fmt.Errorf("spool: copying the message: %w", err), w.Close())
	}
	return w.Spool(), nil
}

func inPlace(r io.Reader) (*Spool, bool) {
	ra, ok := r.(io.ReaderAt)
	if !ok {
		return nil, false
	}
	seeker, ok := r.(io.Seeker)
	if !ok {
		return nil, false
	}
	// A pipe is an *os.File that cannot seek: it is copied like any other reader.
	start, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, false
	}
	end, err := seeker.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, false
	}
	if _, err := seeker.Seek(start, io.SeekStart); err != nil {
		return nil, false
	}
	return &Spool{ReaderAt: io.NewSectionReader(ra, start, end-start), size: end - start}, true
}

// NewReader gives a reader of r that fails with the context's error once that is done,
// so that a long copy can be cancelled between two reads.
func NewReader(ctx context.Context, r io.Reader) io.Reader { return &ctxReader{ctx, r} }

type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r *ctxReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

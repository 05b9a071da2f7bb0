// Package spool provides random access to a message that is read from an io.Reader. The
// memory it uses does not grow with the message.
package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// MemoryLimit is the longest copy of a message that is kept in memory, in bytes. A longer
// one goes to a temporary file.
const MemoryLimit = 1 << 20

// Spool is a message with random access. Close it after use.
type Spool struct {
	io.ReaderAt
	size int64
	file *os.File // the temporary file, nil if there is none
	name string   // the name of a file that could not be removed while open
}

// Size returns the number of bytes of the message.
func (s *Spool) Size() int64 { return s.size }

// Close removes the temporary file, if there is one. It does not close the reader that was
// given to Open, which belongs to the caller. Closing twice is harmless.
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

// Open returns a Spool of all that remains to be read from r. A reader that is also an
// io.ReaderAt and an io.Seeker is read in place, and must not change until Close. Any other
// reader is copied.
func Open(ctx context.Context, r io.Reader) (*Spool, error) {
	if s, ok := inPlace(r); ok {
		return s, nil
	}
	return Copy(ctx, r, 0)
}

// buffers holds buffers that messages are copied through.
var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// Copy is Open for a reader that is never read in place. size is about how many bytes it
// has; 0 if unknown.
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

// inPlace returns a Spool that reads r in place, if r allows that.
func inPlace(r io.Reader) (*Spool, bool) {
	ra, ok := r.(io.ReaderAt)
	if !ok {
		return nil, false
	}
	seeker, ok := r.(io.Seeker)
	if !ok {
		return nil, false
	}
	// A pipe is an *os.File that cannot seek. It is copied.
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

// NewReader returns a reader of r that fails with the context's error once the context is
// done. So a long copy can be cancelled between two reads.
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

package program

import (
	"context"
	"io"
)

// Reader reads r, which may block for ever as a terminal does, until ctx ends.
func Reader(ctx context.Context, r io.Reader) io.Reader {
	return &reader{ctx: ctx, r: r, done: make(chan result, 1)}
}

type result struct {
	n   int
	err error
}

type reader struct {
	ctx  context.Context
	r    io.Reader
	buf  []byte
	done chan result
}

// Read implements io.Reader. After the end of the context a Read beneath may still be
// under way, in a buffer of its own.
func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if len(r.buf) < len(p) {
		r.buf = make([]byte, len(p))
	}
	buf := r.buf[:len(p)]
	go func() {
		n, err := r.r.Read(buf)
		r.done <- result{n, err}
	}()
	select {
	case got := <-r.done:
		return copy(p, buf[:got.n]), got.err
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
}

package program

import (
	"context"
	"io"
)

// Reader returns a reader of r that fails when ctx ends, even while r blocks, as a terminal
// does.
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

// Read implements io.Reader. After the context ends, a Read of r may still be under way. It
// has a buffer of its own, which the caller never sees.
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

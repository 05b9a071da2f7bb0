package pec

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
)

// source reads content of the caller once, and computes its digest on the way.
type source struct {
	ctx  context.Context
	r    io.Reader
	sum  hash.Hash
	size int64
	err  error // what stopped the reading; nil when the content was read to its end
}

func newSource(ctx context.Context, r io.Reader) *source {
	return &source{ctx: ctx, r: r, sum: sha256.New()}
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(p)
	s.sum.Write(p[:n])
	s.size += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

package pec

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"hash"

	"github.com/gopec/gopec/internal/spool"
)

// output stores the bytes of a message as they will leave: what is stored is what is sent.
// Whoever makes an output discards it.
type output struct {
	*bufio.Writer // composing writes in small pieces
	spool         spool.Writer
	sum           hash.Hash
	limit         int64 // the most bytes that are stored
	size          int64 // of what was written; may exceed limit by one write
	tooLarge      bool
}

var errTooLarge = errors.New("the message is too large")

// outputBuffer is how much is hashed and stored at a time, in bytes.
const outputBuffer = 8 << 10

// newOutput makes an output that stores at most limit bytes. size is how many are expected
// at least.
func newOutput(limit int64, size int) *output {
	o := &output{sum: sha256.New(), limit: limit}
	o.spool.Grow(int64(size) + 2<<10)
	o.Writer = bufio.NewWriterSize((*sink)(o), outputBuffer)
	return o
}

// close ends the writing.
func (o *output) close() error { return o.Flush() }

// discard releases the bytes, unless finish has taken them.
func (o *output) discard() { _ = o.spool.Close() }

// sink takes what leaves the buffer of an output.
type sink output

func (s *sink) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	if s.size > s.limit {
		s.tooLarge = true
		return 0, errTooLarge
	}
	s.sum.Write(p)
	return s.spool.Write(p)
}

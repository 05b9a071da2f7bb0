package smtpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// body reads the message and stops before a byte that would not arrive as it is
// stored: the transport would rewrite a bare CR or LF, and the signed copy that
// comes back would differ from what was sent.
type body struct {
	ctx  context.Context
	src  io.Reader
	size int64 // promised

	read int64
	last byte
	err  *Error // why it stopped early
}

// Read implements io.Reader. At the end of a body that is not whole it gives an
// error, never io.EOF.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if err := b.ctx.Err(); err != nil {
		return 0, b.stop(ReasonCanceled, err)
	}
	n, err := b.src.Read(p)
	if n < 0 || n > len(p) {
		return 0, b.stop(ReasonBody, errors.New("reader gave an impossible count"))
	}
	for i, c := range p[:n] {
		if (c == '\n') != (b.last == '\r') {
			return 0, b.stop(ReasonContent, fmt.Errorf("bare CR or LF near byte %d", b.read+int64(i)))
		}
		b.last = c
	}
	b.read += int64(n)
	switch {
	case b.read > b.size:
		return 0, b.stop(ReasonBody, fmt.Errorf("more than the promised %d bytes", b.size))
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF):
		return 0, b.stop(ReasonBody, err)
	case b.read < b.size:
		return 0, b.stop(ReasonBody, fmt.Errorf("%d bytes instead of the promised %d: %w", b.read, b.size, io.ErrUnexpectedEOF))
	case b.last != '\n':
		// The end of the data is CRLF, dot, CRLF: that CRLF would be added.
		return 0, b.stop(ReasonContent, errors.New("the last line does not end in CRLF"))
	default:
		return n, io.EOF
	}
}

func (b *body) stop(reason Reason, err error) *Error {
	b.err = &Error{Op: "body", Reason: reason, Err: err}
	return b.err
}

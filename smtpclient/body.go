package smtpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// body reads the message and stops before a bare CR or LF. The transport would rewrite
// it, and the signed copy that comes back would differ from what was sent.
type body struct {
	ctx  context.Context
	src  io.Reader
	size int64 // what pec.Submission.Size says

	read int64
	last byte
	err  *Error // why it stopped early
}

// Read implements io.Reader. At the end of an incomplete body it returns an error,
// never io.EOF.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if err := b.ctx.Err(); err != nil {
		return 0, b.stop(ReasonCanceled, err)
	}
	n, err := b.src.Read(p)
	if n < 0 || n > len(p) {
		return 0, b.stop(ReasonBody, fmt.Errorf("the body's Read returned the count %d for a buffer of %d bytes", n, len(p)))
	}
	for i, c := range p[:n] {
		if (c == '\n') != (b.last == '\r') {
			return 0, b.stop(ReasonContent, fmt.Errorf("bare CR or LF near byte %d: every line must end in CRLF", b.read+int64(i)))
		}
		b.last = c
	}
	b.read += int64(n)
	switch {
	case b.read > b.size:
		return 0, b.stop(ReasonBody, fmt.Errorf("the body is longer than Size, %d bytes", b.size))
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF):
		return 0, b.stop(ReasonBody, err)
	case b.read < b.size:
		return 0, b.stop(ReasonBody, fmt.Errorf("the body has %d bytes, Size is %d: %w", b.read, b.size, io.ErrUnexpectedEOF))
	case b.last != '\n':
		// The data end with CRLF, dot, CRLF: the first CRLF would be added to the message.
		return 0, b.stop(ReasonContent, errors.New("the last line does not end in CRLF"))
	default:
		return n, io.EOF
	}
}

func (b *body) stop(reason Reason, err error) *Error {
	b.err = &Error{Op: "body", Reason: reason, Err: err}
	return b.err
}

package imapclient

import (
	"io"

	"github.com/emersion/go-imap/v2"
)

// body is the literal of one message. It counts the bytes, because the library takes
// the end of the connection for the end of the literal.
type body struct {
	turn *turn
	src  io.Reader
	left int64
	lent bool  // the caller reads it, and may take any time
	err  error // final
}

func (t *turn) newBody(literal imap.LiteralReader) *body {
	b := &body{turn: t, src: literal, left: literal.Size()}
	t.client.session.body = b
	return b
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.lent {
		b.turn.client.session.due()
		defer b.turn.client.session.rest()
	}
	n, err := b.src.Read(p)
	b.turn.client.session.conn.streamed(n)
	b.left -= int64(n)
	switch {
	case err == io.EOF && b.left > 0:
		b.err = b.turn.fail("body", io.ErrUnexpectedEOF)
	case err == io.EOF:
		b.err = io.EOF
	case err != nil:
		b.err = b.turn.fail("body", err)
	}
	return n, b.err
}

// finish reads the rest of the literal. It fails if the literal is incomplete.
func (b *body) finish() error {
	_, err := io.Copy(io.Discard, b)
	return err
}

// expire makes every later Read fail: the connection has moved on.
func (b *body) expire() {
	b.err = &Error{Op: "body", Reason: ReasonClosed, Err: errMoved}
}

package smtpclient

import (
	"bytes"
	"io"
	"net/textproto"
	"slices"
)

const maxReply = 64 << 10

// errEndless is about one reply that is longer than any.
const errEndless = textproto.ProtocolError("reply without end")

// lines reads whole lines only. Libraries take the end of the connection for the end of
// a line, but a reply that broke off is none: the rest may say the opposite.
type lines struct {
	src   io.Reader
	in    []byte // what has come
	given int    // of in: whole lines
}

// begin forgets what has been given.
func (l *lines) begin() { l.in, l.given = append(l.in[:0], l.in[l.given:]...), 0 }

// rest is how many bytes have come and not been given.
func (l *lines) rest() int { return len(l.in) - l.given }

// Read implements io.Reader.
func (l *lines) Read(p []byte) (int, error) {
	whole := bytes.LastIndexByte(l.in, '\n') + 1
	for whole <= l.given {
		if len(l.in) >= maxReply {
			return 0, errEndless
		}
		l.in = slices.Grow(l.in, 512)
		n, err := l.src.Read(l.in[len(l.in):cap(l.in)])
		l.in = l.in[:len(l.in)+n]
		if n == 0 {
			return 0, err
		}
		whole = bytes.LastIndexByte(l.in, '\n') + 1
	}
	n := copy(p, l.in[l.given:whole])
	l.given += n
	return n, nil
}

package smtpclient

import (
	"bytes"
	"io"
	"net/textproto"
	"slices"
)

const maxReply = 64 << 10

const errEndless = textproto.ProtocolError("the reply is longer than 64 KiB")

// lines reads whole lines only. Libraries take the end of the connection for the end of
// a line. A reply that broke off must not count: the rest might say the opposite.
type lines struct {
	src  io.Reader
	in   []byte // received since begin
	read int    // how many bytes of in Read has returned
}

// begin forgets the bytes that Read has returned.
func (l *lines) begin() { l.in, l.read = append(l.in[:0], l.in[l.read:]...), 0 }

// rest returns how many bytes were received and not yet returned by Read.
func (l *lines) rest() int { return len(l.in) - l.read }

// Read implements io.Reader.
func (l *lines) Read(p []byte) (int, error) {
	whole := bytes.LastIndexByte(l.in, '\n') + 1
	for whole <= l.read {
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
	n := copy(p, l.in[l.read:whole])
	l.read += n
	return n, nil
}

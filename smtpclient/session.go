package smtpclient

import (
	"context"
	"io"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/gopec/gopec/internal/netguard"
	"github.com/gopec/gopec/pec"
)

const (
	maxFarewell  = 5 * time.Second  // the longest silence once the outcome is known
	reuseTimeout = 10 * time.Second // the longest silence at the first command on a kept session
)

// session is one connection.
type session struct {
	wire  *wire
	smtp  *smtp.Client
	offer offer

	// These belong to a kept session.
	until time.Time   // when it ends, if nobody uses it
	timer *time.Timer // fires then; nil until the session is first kept

	farewell time.Duration // the longest silence once the outcome is known

	copied [16 << 10]byte // the buffer for the message
}

// dial connects. A reply comes with the error if the server's reply in the clear
// caused it.
func (c *Client) dial(ctx context.Context) (*session, pec.Reply, error) {
	if err := ctx.Err(); err != nil {
		return nil, pec.Reply{}, err
	}
	w := &wire{ctx: ctx}
	var reply pec.Reply
	var ask func(io.ReadWriter) error
	if c.options.StartTLS {
		// The library expects a greeting, and the server sends none under TLS.
		w.early = []byte("220 \r\n")
		ask = func(conn io.ReadWriter) (err error) {
			reply, err = startTLS(conn, c.options.HelloName)
			return err
		}
	}
	var err error
	if w.Conn, err = netguard.DialClear(ctx, c.addr, c.tls, c.options.Timeout, ask); err != nil {
		return nil, reply, err
	}
	w.said.src = w.Conn
	return &session{wire: w, smtp: smtp.NewClient(w), farewell: min(c.options.Timeout, maxFarewell)}, pec.Reply{}, nil
}

// quit sends QUIT and waits for the reply. The outcome is known: errors do not count.
func (s *session) quit() {
	if s.wire.Failure() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.farewell)
	defer cancel()
	defer s.wire.Guard(ctx)()
	s.wire.Expect(s.farewell)
	if _, err := s.wire.Write([]byte("QUIT\r\n")); err == nil {
		readReply(s.wire)
	}
}

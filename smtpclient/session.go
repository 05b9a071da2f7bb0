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
	maxFarewell  = 5 * time.Second  // for what is said once the outcome is known
	reuseTimeout = 10 * time.Second // for the first word on a session that was kept
)

// session is one connection.
type session struct {
	wire  *wire
	smtp  *smtp.Client
	offer offer

	// Of a session that was kept:
	until time.Time   // when it ends, if nobody uses it
	timer *time.Timer // for that; nil before

	farewell time.Duration // the patience for what is said once the outcome is known

	copied [16 << 10]byte // of the message, on its way
}

// dial connects; a reply comes with the error when one in the clear decided.
func (c *Client) dial(ctx context.Context) (*session, pec.Reply, error) {
	if err := ctx.Err(); err != nil {
		return nil, pec.Reply{}, err
	}
	w := &wire{ctx: ctx}
	var reply pec.Reply
	var ask func(io.ReadWriter) error
	if c.options.StartTLS {
		// The library expects a greeting, and under TLS there is no other.
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

// quit says goodbye. The outcome is known: nothing that happens here counts.
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

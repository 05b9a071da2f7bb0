package imapclient

import (
	"time"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"

	"github.com/gopec/gopec/internal/netguard"
)

// farewell bounds what is said to a server that may not listen any more.
const farewell = time.Second

// session is one connection, logged in.
type session struct {
	conn    *meter
	timeout time.Duration
	imap    *goimap.Client
	caps    imap.CapSet   // of after the login
	news    chan struct{} // a count of messages came unasked

	asks    chan func()   // to the one goroutine that talks to the library
	replied chan struct{} // when it has
	late    *time.Timer   // for that, stopped between asks
	stuck   bool          // the library has not returned: nothing more is asked of it

	fetch *goimap.FetchCommand // under way, nil when none
	body  *body                // the literal being read, nil when none
}

func newSession(conn *netguard.Conn, timeout time.Duration) *session {
	s := &session{
		conn: &meter{Conn: conn}, timeout: timeout, news: make(chan struct{}, 1),
		asks: make(chan func()), replied: make(chan struct{}, 1), late: time.NewTimer(timeout),
	}
	s.late.Stop()
	go s.talk()
	s.conn.allow(quick) // up to the end of the login
	s.imap = goimap.New(s.conn, &goimap.Options{UnilateralDataHandler: &goimap.UnilateralDataHandler{
		Mailbox: func(data *goimap.UnilateralDataMailbox) {
			if data.NumMessages == nil {
				return
			}
			select { // it runs on the decoder's goroutine and must not block
			case s.news <- struct{}{}:
			default:
			}
		},
	}})
	return s
}

// due puts the server under the clock: it owes us something.
func (s *session) due() { s.conn.Expect(s.timeout) }

// rest stops the clock: it is our turn, or nobody's.
func (s *session) rest() { s.conn.Expect(0) }

// talk is the goroutine that the library is asked on. To begin one for each question
// would cost as much as the library does.
func (s *session) talk() {
	for ask := range s.asks {
		ask()
		s.replied <- struct{}{}
	}
}

// await asks the library and waits for its answer, with a bound: the library may be
// waiting for something that has passed, or be busy for ever. It is given up if it
// does not return soon after the end of the connection.
func await[T any](s *session, ask func() (T, error)) (T, error) {
	var none T
	if s.stuck {
		return none, errStuck
	}
	var value T
	var err error
	s.asks <- func() { value, err = ask() }
	// Silence and slowness end the connection sooner.
	s.late.Reset((netguard.Patience + 2) * s.timeout)
	defer s.late.Stop()
	select {
	case <-s.replied:
		return value, err
	case <-s.conn.Closed():
	case <-s.late.C:
		s.conn.Close()
	}
	s.late.Reset(farewell)
	select {
	case <-s.replied:
		return value, err
	case <-s.late.C:
	}
	s.stuck = true
	s.conn.release()
	return none, errStuck
}

// done is await for what has no value.
func (s *session) done(ask func() error) error {
	_, err := await(s, func() (struct{}, error) { return struct{}{}, ask() })
	return err
}

func (s *session) examine(folder string) (*imap.SelectData, error) {
	select {
	case <-s.news: // about an earlier folder, or a change that we are about to see
	default:
	}
	s.conn.allow(quick)
	return await(s, func() (*imap.SelectData, error) {
		return s.imap.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait()
	})
}

func (s *session) logout() {
	s.conn.Expect(min(farewell, s.timeout))
	s.conn.allow(quick)
	_ = s.done(func() error { return s.imap.Logout().Wait() })
}

// drop closes the connection and returns when nothing of it runs any more, except
// where the library is stuck. The order matters: the library's own Close waits for its
// decoder, which waits for the reader of a FETCH; on a closed socket the rest of that
// FETCH ends at once.
func (s *session) drop() {
	s.conn.Close()
	s.conn.release()
	// A literal that broke off must not be read again: the decoder has moved on
	// and reads from the same buffer. It has then met the error too, and is ending.
	if s.body == nil || s.body.finish() == nil {
		if s.fetch != nil {
			_ = s.done(s.fetch.Close)
		}
	}
	_ = s.done(func() error {
		<-s.imap.Closed()
		return nil
	})
	close(s.asks)
}

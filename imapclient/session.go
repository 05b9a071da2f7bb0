package imapclient

import (
	"time"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"

	"github.com/gopec/gopec/internal/netguard"
)

// farewell is how long we wait for a server that may not be there any more.
const farewell = time.Second

// session is one connection, logged in.
type session struct {
	conn    *meter
	timeout time.Duration
	imap    *goimap.Client
	caps    imap.CapSet   // the capabilities after the login
	news    chan struct{} // receives when the server announces a number of messages unasked

	asks    chan func()   // to the one goroutine that talks to the library
	replied chan struct{} // receives when an ask has returned
	late    *time.Timer   // limits an ask; stopped between asks
	stuck   bool          // the library has not returned: it is not asked again

	fetch *goimap.FetchCommand // the FETCH in progress, nil if there is none
	body  *body                // the literal being read, nil if there is none
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
			select { // this runs on the decoder's goroutine and must not block
			case s.news <- struct{}{}:
			default:
			}
		},
	}})
	return s
}

// due starts the clock: the server owes us something.
func (s *session) due() { s.conn.Expect(s.timeout) }

// rest stops the clock: the server owes us nothing.
func (s *session) rest() { s.conn.Expect(0) }

// talk runs the asks, on a goroutine of its own. A new goroutine for each ask would cost
// as much as the library does.
func (s *session) talk() {
	for ask := range s.asks {
		ask()
		s.replied <- struct{}{}
	}
}

// await asks the library and waits for its answer, up to a limit: the library may wait
// for something that has passed, or be busy for ever. If it does not return soon after
// the end of the connection, the error is errStuck.
func await[T any](s *session, ask func() (T, error)) (T, error) {
	var none T
	if s.stuck {
		return none, errStuck
	}
	var value T
	var err error
	s.asks <- func() { value, err = ask() }
	// A server that is silent or slow loses the connection sooner.
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
	case <-s.news: // about an earlier folder, or a change that EXAMINE shows as well
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

// drop closes the connection and returns when none of its goroutines runs any more,
// unless the library is stuck. The order matters: the library's own Close waits for its
// decoder, which waits for the reader of a FETCH. On a closed socket the rest of that
// FETCH ends at once.
func (s *session) drop() {
	s.conn.Close()
	s.conn.release()
	// A literal that broke off must not be read again: the decoder has moved on and
	// reads from the same buffer. It has met the same error and is ending.
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

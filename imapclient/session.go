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

	stuck bool // the library has not returned: nothing more is asked of it

	fetch *goimap.FetchCommand // under way, nil when none
	body  *body                // the literal being read, nil when none
}

func newSession(conn *netguard.Conn, timeout time.Duration) *session {
	s := &session{conn: &meter{Conn: conn}, timeout: timeout, news: make(chan struct{}, 1)}
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

// await asks the library and waits for its answer, with a bound: the library may be
// waiting for something that has passed, or be busy for ever. It is given up if it
// does not return soon after the end of the connection.
func await[T any](s *session, ask func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	if s.stuck {
		return none, errStuck
	}
	answered := make(chan answer, 1)
	go func() {
		value, err := ask()
		answered <- answer{value, err}
	}()
	// Silence and slowness end the connection sooner.
	late := time.NewTimer((netguard.Patience + 2) * s.timeout)
	defer late.Stop()
	select {
	case a := <-answered:
		return a.value, a.err
	case <-s.conn.Closed():
	case <-late.C:
		s.conn.Close()
	}
	soon := time.NewTimer(farewell)
	defer soon.Stop()
	select {
	case a := <-answered:
		return a.value, a.err
	case <-soon.C:
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

// next is await for one of a series, the zero value after the last.
func next[T any](s *session, ask func() T) T {
	value, _ := await(s, func() (T, error) { return ask(), nil })
	return value
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

// ask begins a FETCH.
func (s *session) ask(set imap.UIDSet, options *imap.FetchOptions) {
	s.fetch, _ = await(s, func() (*goimap.FetchCommand, error) { return s.imap.Fetch(set, options), nil })
}

// message gives the next message of the FETCH, nil after the last.
func (s *session) message() *goimap.FetchMessageData {
	if s.fetch == nil {
		return nil
	}
	return next(s, s.fetch.Next)
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
}

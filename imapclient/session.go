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

func (s *session) examine(folder string) (*imap.SelectData, error) {
	select {
	case <-s.news: // about an earlier folder, or a change that we are about to see
	default:
	}
	s.conn.allow(quick)
	return s.imap.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait()
}

func (s *session) logout() {
	s.conn.Expect(farewell)
	s.conn.allow(quick)
	_ = s.imap.Logout().Wait()
}

// drop closes the connection and returns when nothing of it runs any more. The
// order matters: the library's own Close waits for its decoder, which waits for
// the reader of a FETCH; on a closed socket the rest of that FETCH ends at once.
func (s *session) drop() {
	s.conn.Close()
	// A literal that broke off must not be read again: the decoder has moved on
	// and reads from the same buffer. It has then met the error too, and is ending.
	if s.body == nil || s.body.finish() == nil {
		if s.fetch != nil {
			_ = s.fetch.Close()
		}
	}
	<-s.imap.Closed()
}

package pectest

import (
	"crypto/subtle"
	"io"
	"log"
	"log/slog"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

func (p *Provider) listenIMAP() error {
	config, err := p.network.tls.config(p.domain)
	if err != nil {
		return err
	}
	if p.imap, err = newListener(config); err != nil {
		return err
	}
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &imapSession{provider: p}, nil, nil
		},
		Caps: imap.CapSet{
			imap.CapIMAP4rev1: {}, imap.CapNamespace: {}, imap.CapUIDPlus: {}, imap.CapESearch: {},
			imap.CapSearchRes: {}, imap.CapListExtended: {}, imap.CapListStatus: {}, imap.CapStatusSize: {},
			imap.CapLiteralPlus: {},
		},
		Logger: p.libraryLog(),
	})
	p.serve("imap", func() error { return server.Serve(p.imap) })
	return nil
}

// libraryLog carries what the protocol libraries report, mostly connections that
// were cut, to the network's logger.
func (p *Provider) libraryLog() *log.Logger {
	return slog.NewLogLogger(p.network.log.With("provider", p.domain).Handler(), slog.LevelDebug)
}

// imapSession is one connection. It adds to the library's session what the
// library leaves out: EXAMINE that forbids changes, and an IDLE that does not
// miss what arrived just before it.
type imapSession struct {
	*imapmemserver.UserSession // nil before login
	provider                   *Provider
	mailbox                    *mailbox
	readOnly                   bool
	validity                   uint32 // of the selected folder

	idling sync.Mutex // held during IDLE, which runs on a goroutine of its own
}

// Close waits for IDLE to end, so that nothing outlives the connection.
func (s *imapSession) Close() error {
	s.idling.Lock()
	defer s.idling.Unlock()
	return s.UserSession.Close()
}

func (s *imapSession) Login(username, password string) error {
	m := s.provider.login(username)
	if m == nil || subtle.ConstantTimeCompare([]byte(m.account.Password), []byte(password)) != 1 {
		return imapserver.ErrAuthFailed
	}
	s.mailbox = m
	s.UserSession = imapmemserver.NewUserSession(m.user)
	return nil
}

func (s *imapSession) Select(name string, options *imap.SelectOptions) (*imap.SelectData, error) {
	data, err := s.UserSession.Select(name, options)
	if err == nil {
		s.readOnly = options.ReadOnly
		s.validity = data.UIDValidity
	}
	return data, err
}

func (s *imapSession) Append(name string, r imap.LiteralReader, options *imap.AppendOptions) (*imap.AppendData, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return s.mailbox.append(name, raw, options)
}

func (s *imapSession) Copy(numSet imap.NumSet, dest string) (*imap.CopyData, error) {
	data, err := s.UserSession.Copy(numSet, dest)
	if err == nil {
		s.mailbox.copied(s.validity, data)
	}
	return data, err
}

// Move is refused and not announced: the library does not tell which UIDs the
// moved messages get. Clients fall back to COPY.
func (s *imapSession) Move(*imapserver.MoveWriter, imap.NumSet, string) error {
	return &imap.Error{Type: imap.StatusResponseTypeBad, Text: "MOVE is not supported"}
}

func (s *imapSession) Fetch(w *imapserver.FetchWriter, numSet imap.NumSet, options *imap.FetchOptions) error {
	if s.readOnly {
		// RFC 9051, 6.3.3: nothing changes in a folder opened by EXAMINE, so BODY[]
		// must not set \Seen there.
		for _, section := range options.BodySection {
			section.Peek = true
		}
	}
	return s.UserSession.Fetch(w, numSet, options)
}

func (s *imapSession) Store(w *imapserver.FetchWriter, numSet imap.NumSet, flags *imap.StoreFlags, options *imap.StoreOptions) error {
	if s.readOnly {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Text: "The folder is open read-only"}
	}
	defer s.mailbox.changed()
	return s.UserSession.Store(w, numSet, flags, options)
}

func (s *imapSession) Expunge(w *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	if s.readOnly {
		return nil // CLOSE calls it too, and must succeed
	}
	defer s.mailbox.changed()
	return s.UserSession.Expunge(w, uids)
}

// Idle writes what has happened since the last command, then each change. The
// library's own would say nothing of a message that arrived between the last
// command and IDLE (RFC 2177 lets a client rely on it).
func (s *imapSession) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	s.idling.Lock()
	defer s.idling.Unlock()
	changes, end := s.mailbox.watch()
	defer end()
	for {
		if err := s.Poll(w, true); err != nil {
			return err
		}
		select {
		case <-changes:
		case <-stop:
			return nil
		}
	}
}

package pectest

import (
	"log"
	"log/slog"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

func (p *Provider) listenIMAP() error {
	config, err := p.network.tls.config(p.domain)
	if err != nil {
		return err
	}
	if p.imap, err = p.newListener("imap."+p.domain+":993", IMAP, config); err != nil {
		return err
	}
	server := imapserver.New(&imapserver.Options{
		NewSession: func(c *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &imapSession{view: view{conn: c}, provider: p}, nil, nil
		},
		Caps: imap.CapSet{
			imap.CapIMAP4rev1: {}, imap.CapNamespace: {}, imap.CapUIDPlus: {}, imap.CapESearch: {},
			imap.CapSearchRes: {}, imap.CapListExtended: {}, imap.CapListStatus: {}, imap.CapStatusSize: {},
			imap.CapMove: {}, imap.CapSpecialUse: {}, imap.CapLiteralPlus: {},
		},
		InsecureAuth: true, // the listener handles TLS, so the server does not see it
		Logger:       p.libraryLog(),
	})
	p.serve("imap", func() error { return server.Serve(p.imap) })
	return nil
}

// libraryLog passes what the protocol libraries report, mostly cut connections, to the
// network's logger.
func (p *Provider) libraryLog() *log.Logger {
	return slog.NewLogLogger(p.network.log.With("provider", p.domain).Handler(), slog.LevelDebug)
}

// imapSession is one IMAP connection.
type imapSession struct {
	view
	provider *Provider
	mailbox  *mailbox // nil before login

	idling sync.Mutex // held during IDLE, which runs on a goroutine of its own
}

// view is a folder as one session sees it. Changes by others show only at its next poll
// (RFC 9051, 7).
type view struct {
	conn     *imapserver.Conn
	folder   *folder // nil when none is selected
	tracker  *imapserver.SessionTracker
	readOnly bool
	saved    imap.UIDSet // the saved search result (RFC 5182)
}

// Close waits for IDLE to end, so that no goroutine outlives the connection.
func (s *imapSession) Close() error {
	s.idling.Lock()
	defer s.idling.Unlock()
	if s.mailbox == nil {
		return nil
	}
	return s.Unselect()
}

func (s *imapSession) Login(username, password string) error {
	m, v := s.provider.authenticate(username, password)
	if m == nil {
		return v.imap()
	}
	s.mailbox = m
	if w, ok := s.conn.NetConn().(*wire); ok {
		w.owned(m)
	}
	return nil
}

func (s *imapSession) Select(name string, options *imap.SelectOptions) (*imap.SelectData, error) {
	s.mailbox.mu.Lock()
	defer s.mailbox.mu.Unlock()
	f := s.mailbox.folder(name, false)
	if f == nil {
		return nil, errNoFolder
	}
	s.folder, s.tracker, s.readOnly, s.saved = f, f.tracker.NewSession(), options.ReadOnly, nil
	s.mailbox.views[&s.view] = struct{}{}
	return f.selectData(), nil
}

func (s *imapSession) Unselect() error {
	s.mailbox.mu.Lock()
	defer s.mailbox.mu.Unlock()
	if s.folder != nil {
		delete(s.mailbox.views, &s.view)
		s.tracker.Close()
		s.folder, s.tracker = nil, nil
	}
	return nil
}

func (s *imapSession) Poll(w *imapserver.UpdateWriter, allowExpunge bool) error {
	if s.tracker == nil {
		return nil
	}
	return s.tracker.Poll(w, allowExpunge)
}

// Idle writes what happened since the last command, and then each change. A client may rely
// on the first part (RFC 2177), but the library's own Idle would not report a message that
// arrived between the last command and IDLE.
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

// The answers of RFC 9051 and RFC 5530 to commands that cannot be executed.
var (
	errNoFolder = &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeNonExistent, Text: "No such mailbox"}
	errNoTarget = &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeTryCreate, Text: "No such mailbox"}
	errExists   = &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeAlreadyExists, Text: "Mailbox already exists"}
	errReadOnly = &imap.Error{Type: imap.StatusResponseTypeNo, Text: "The folder is open read-only"}
	errFull     = &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeOverQuota, Text: "The mailbox is full"}
	errInbox    = &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeCannot, Text: "INBOX stays"}
)

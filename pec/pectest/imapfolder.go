package pectest

import (
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// The commands of a session that concern folders as a whole.

func (s *imapSession) Create(name string, _ *imap.CreateOptions) error {
	s.mailbox.mu.Lock()
	defer s.mailbox.mu.Unlock()
	if s.mailbox.folder(name, false) != nil {
		return errExists
	}
	s.mailbox.folder(name, true)
	return nil
}

func (s *imapSession) Delete(name string) error {
	s.mailbox.mu.Lock()
	defer s.mailbox.mu.Unlock()
	f := s.mailbox.folder(name, false)
	switch {
	case f == nil:
		return errNoFolder
	case f.name == InboxFolder:
		return errInbox
	}
	delete(s.mailbox.folders, f.name)
	return nil
}

func (s *imapSession) Rename(name, newName string, _ *imap.RenameOptions) error {
	s.mailbox.mu.Lock()
	defer s.mailbox.mu.Unlock()
	f := s.mailbox.folder(name, false)
	switch {
	case f == nil:
		return errNoFolder
	case f.name == InboxFolder:
		return errInbox
	case s.mailbox.folder(newName, false) != nil:
		return errExists
	}
	delete(s.mailbox.folders, f.name)
	f.name = strings.TrimRight(newName, string(s.mailbox.opts.Separator))
	s.mailbox.folders[f.name] = f
	return nil
}

func (s *imapSession) Subscribe(name string) error   { return s.subscribe(name, true) }
func (s *imapSession) Unsubscribe(name string) error { return s.subscribe(name, false) }

func (s *imapSession) subscribe(name string, on bool) error {
	s.mailbox.mu.Lock()
	defer s.mailbox.mu.Unlock()
	f := s.mailbox.folder(name, false)
	if f == nil {
		return errNoFolder
	}
	f.subscribed = on
	return nil
}

func (s *imapSession) List(w *imapserver.ListWriter, ref string, patterns []string, options *imap.ListOptions) error {
	separator := s.mailbox.opts.Separator
	if len(patterns) == 0 { // LIST "" "" asks for the separator
		return w.WriteList(&imap.ListData{Attrs: []imap.MailboxAttr{imap.MailboxAttrNoSelect}, Delim: separator})
	}
	for _, data := range s.mailbox.list(ref, patterns, options) {
		if err := w.WriteList(&data); err != nil {
			return err
		}
	}
	return nil
}

func (m *mailbox) list(ref string, patterns []string, options *imap.ListOptions) []imap.ListData {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []imap.ListData
	for _, name := range slices.Sorted(maps.Keys(m.folders)) {
		f := m.folders[name]
		matches := func(pattern string) bool { return imapserver.MatchList(name, m.opts.Separator, ref, pattern) }
		if !slices.ContainsFunc(patterns, matches) || options.SelectSubscribed && !f.subscribed || options.SelectSpecialUse && f.use == "" {
			continue
		}
		data := imap.ListData{Mailbox: name, Delim: m.opts.Separator}
		if f.subscribed {
			data.Attrs = append(data.Attrs, imap.MailboxAttrSubscribed)
		}
		if f.use != "" {
			data.Attrs = append(data.Attrs, f.use)
		}
		if options.ReturnStatus != nil {
			data.Status = f.status(options.ReturnStatus)
		}
		out = append(out, data)
	}
	return out
}

func (s *imapSession) Namespace() (*imap.NamespaceData, error) {
	return &imap.NamespaceData{Personal: []imap.NamespaceDescriptor{{Delim: s.mailbox.opts.Separator}}}, nil
}

func (s *imapSession) Status(name string, options *imap.StatusOptions) (*imap.StatusData, error) {
	s.mailbox.mu.Lock()
	defer s.mailbox.mu.Unlock()
	f := s.mailbox.folder(name, false)
	if f == nil {
		return nil, errNoFolder
	}
	return f.status(options), nil
}

func (s *imapSession) Append(name string, r imap.LiteralReader, options *imap.AppendOptions) (*imap.AppendData, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	at := options.Time
	if at.IsZero() {
		at = s.provider.network.now()
	}
	s.mailbox.mu.Lock()
	defer s.mailbox.mu.Unlock()
	f := s.mailbox.folder(name, false)
	if f == nil {
		return nil, errNoTarget
	}
	m, err := s.mailbox.add(f, raw, at, options.Flags)
	if err != nil {
		return nil, errFull
	}
	return &imap.AppendData{UIDValidity: f.validity, UID: m.uid}, nil
}

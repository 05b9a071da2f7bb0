package pectest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
)

// mailbox is one account's store and login.
type mailbox struct {
	account Account
	opts    *ProviderOptions

	mu       sync.Mutex
	folders  map[string]*folder
	validity uint32 // the last UIDVALIDITY used
	watches  map[chan struct{}]struct{}
	views    map[*view]struct{}

	login loginState
	sent  []time.Time // the submissions of the last minute
}

func newMailbox(a Account, o *ProviderOptions) *mailbox {
	m := &mailbox{
		account: a,
		opts:    o,
		folders: make(map[string]*folder),
		watches: make(map[chan struct{}]struct{}),
		views:   make(map[*view]struct{}),
	}
	m.login.password = a.Password
	for _, name := range append([]string{InboxFolder, o.Sent}, o.Folders...) {
		m.folder(name, true)
	}
	m.folders[o.Sent].use = imap.MailboxAttrSent
	return m
}

// folder returns a folder, which it makes if create is set; nil when there is none. mu is
// held.
func (m *mailbox) folder(name string, create bool) *folder {
	name = strings.TrimRight(name, string(m.opts.Separator))
	if strings.EqualFold(name, InboxFolder) {
		name = InboxFolder
	}
	f := m.folders[name]
	if f == nil && create {
		// No UIDVALIDITY is used twice: a folder made again is a different one
		// (RFC 9051, 2.3.1.1).
		m.validity++
		f = newFolder(name, m.validity)
		m.folders[name] = f
	}
	return f
}

// add stores a message and wakes the sessions in IDLE; mu is held.
func (m *mailbox) add(f *folder, raw []byte, at time.Time, flags []imap.Flag) (*stored, error) {
	if q := m.account.Quota; q > 0 && m.size()+int64(len(raw)) > q {
		return nil, errOverQuota
	}
	s := f.add(raw, at, flags)
	if keep := m.account.Keep; keep > 0 && len(f.messages) > keep {
		oldest := f.messages[0]
		f.remove(func(other *stored) bool { return other == oldest })
	}
	m.wake()
	return s, nil
}

func (m *mailbox) size() int64 {
	var n int64
	for _, f := range m.folders {
		n += f.size()
	}
	return n
}

func (m *mailbox) deliver(name string, raw []byte, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.add(m.folder(name, true), slices.Clone(raw), at, nil); err != nil {
		return fmt.Errorf("pectest: deliver to %s: %w", m.account.Address, err)
	}
	return nil
}

func (m *mailbox) messages(name string) ([][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.folder(name, false)
	if f == nil {
		return nil, fmt.Errorf("pectest: %s has no folder %s", m.account.Address, name)
	}
	var all [][]byte
	for _, s := range f.messages {
		all = append(all, slices.Clone(s.raw))
	}
	return all, nil
}

// renumber changes the UIDVALIDITY of a folder and the UIDs of all its messages, and cuts
// the sessions that have it open, as servers do after a restore.
func (m *mailbox) renumber(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.folder(name, false)
	if old == nil {
		return fmt.Errorf("pectest: %s has no folder %s", m.account.Address, name)
	}
	delete(m.folders, old.name)
	f := m.folder(old.name, true)
	f.subscribed, f.use = old.subscribed, old.use
	// These are neither the old UIDs nor those that a client might expect next.
	f.next = old.next + 1000
	for _, s := range old.messages {
		f.add(s.raw, s.at, s.flagList())
	}
	for v := range m.views {
		if v.folder == old {
			if w, ok := v.conn.NetConn().(*wire); ok {
				// The session notices when it next reads.
				_ = w.cut()
			}
		}
	}
	return nil
}

// watch returns a channel that holds a value after each change, and a function that ends
// the watch.
func (m *mailbox) watch() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watches[c] = struct{}{}
	return c, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.watches, c)
	}
}

// wake notifies the watches of a change; mu is held.
func (m *mailbox) wake() {
	for c := range m.watches {
		select {
		case c <- struct{}{}:
		default: // it has not seen the previous change yet, so one value is enough
		}
	}
}

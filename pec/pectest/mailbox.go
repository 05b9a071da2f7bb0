package pectest

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// mailbox is one account's store. The IMAP library's own store gives no way to
// read a message back without a connection, so the bytes are kept here too.
type mailbox struct {
	account Account
	user    *imapmemserver.User

	mu      sync.Mutex
	raw     map[place][]byte
	watches map[chan struct{}]struct{}
}

// place is where a message lies: UIDVALIDITY tells the folder, since the library
// never gives the same one twice to a user.
type place struct {
	validity uint32
	uid      imap.UID
}

func newMailbox(a Account) (*mailbox, error) {
	m := &mailbox{
		account: a,
		user:    imapmemserver.NewUser(a.Login, a.Password),
		raw:     make(map[place][]byte),
		watches: make(map[chan struct{}]struct{}),
	}
	for _, folder := range []string{InboxFolder, SentFolder} {
		if err := m.create(folder); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *mailbox) create(folder string) error {
	if err := m.user.Create(folder, &imap.CreateOptions{}); err != nil {
		return fmt.Errorf("pectest: folder %s: %w", folder, err)
	}
	return nil
}

// ensure makes a folder when it does not exist.
func (m *mailbox) ensure(folder string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.user.Status(folder, &imap.StatusOptions{}); err == nil {
		return nil
	}
	return m.create(folder)
}

// append stores a message and wakes the sessions in IDLE.
func (m *mailbox) append(folder string, raw []byte, options *imap.AppendOptions) (*imap.AppendData, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	raw = slices.Clone(raw)
	data, err := m.user.Append(folder, bytes.NewReader(raw), options)
	if err != nil {
		return nil, err // an *imap.Error, which the server must see as it is
	}
	m.raw[place{data.UIDValidity, data.UID}] = raw
	m.wake()
	return data, nil
}

// copied records that the server copied messages from one folder to another.
func (m *mailbox) copied(from uint32, data *imap.CopyData) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sources, ok := data.SourceUIDs.Nums()
	targets, ok2 := data.DestUIDs.Nums()
	if !ok || !ok2 || len(sources) != len(targets) {
		return // only static sets of one length come from the library
	}
	for i, source := range sources {
		m.raw[place{data.UIDValidity, targets[i]}] = m.raw[place{from, source}]
	}
	m.wake()
}

func (m *mailbox) deliver(folder string, raw []byte, t time.Time) error {
	if err := m.ensure(folder); err != nil {
		return err
	}
	if _, err := m.append(folder, raw, &imap.AppendOptions{Time: t}); err != nil {
		return fmt.Errorf("pectest: deliver to %s: %w", m.account.Address, err)
	}
	return nil
}

func (m *mailbox) messages(folder string) ([][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	session := imapmemserver.NewUserSession(m.user)
	selected, err := session.Select(folder, &imap.SelectOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("pectest: %s has no folder %s: %w", m.account.Address, folder, err)
	}
	defer session.Close()
	found, err := session.Search(imapserver.NumKindUID, &imap.SearchCriteria{}, &imap.SearchOptions{})
	if err != nil {
		return nil, fmt.Errorf("pectest: %s: %w", folder, err)
	}
	var all [][]byte
	for _, uid := range found.AllUIDs() {
		all = append(all, slices.Clone(m.raw[place{selected.UIDValidity, uid}]))
	}
	return all, nil
}

// watch gives a channel that holds a value after each change, and the function
// that ends it.
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

// wake tells the watches of a change; mu is held.
func (m *mailbox) wake() {
	for c := range m.watches {
		select {
		case c <- struct{}{}:
		default: // it has not seen the last change yet: one wake is enough
		}
	}
}

func (m *mailbox) changed() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wake()
}

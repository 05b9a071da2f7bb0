package pec_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing/iotest"
	"time"

	"github.com/gopec/gopec/pec"
)

// ports is a Submitter and a Mailbox in memory. It takes what is submitted, and serves the
// messages that a test puts into its one folder.
type ports struct {
	outcome   pec.OutcomeKind
	submitted []submission
	inbox     [][]byte             // nil is ordinary mail, which is not downloaded
	failAt    int                  // the message whose reading fails, counted from 1; 0 for none
	during    func(pec.Submission) // called after the message was read
	err       error                // of the next outcomes
	fetches   int
	fetchErr  error
	found     [][]byte // what every search finds
	waits     bool     // Wait lasts as long as its context; otherwise it returns at once

	mu sync.Mutex
}

func (p *ports) Submit(_ context.Context, s pec.Submission) pec.Outcome {
	var raw []byte
	if p.outcome != pec.OutcomeAuthentication { // a login is refused before the message is read
		var err error
		if raw, err = io.ReadAll(s.Body); err != nil {
			return pec.Outcome{Kind: pec.OutcomeTemporary, Err: err}
		}
	}
	p.mu.Lock()
	p.submitted = append(p.submitted, submission{s, raw})
	p.mu.Unlock()
	if p.during != nil {
		p.during(s)
	}
	return pec.Outcome{Kind: p.outcome, Err: p.err}
}

func (p *ports) Folders() []string { return []string{"INBOX"} }

func (p *ports) Fetch(_ context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		p.fetches++
		if p.fetchErr != nil {
			yield(pec.Item{}, p.fetchErr)
			return
		}
		for i := int(after.UID); i < len(p.inbox); i++ {
			item := pec.Item{Cursor: pec.Cursor{Folder: after.Folder, UIDValidity: 1, UID: uint32(i + 1)}}
			if p.inbox[i] != nil {
				item.Body = bytes.NewReader(p.inbox[i])
			}
			if i+1 == p.failAt {
				item.Body = iotest.ErrReader(io.ErrUnexpectedEOF)
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

func (p *ports) Wait(ctx context.Context) error {
	if p.waits {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (p *ports) Search(context.Context, string, []string) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		for i, raw := range p.found {
			item := pec.Item{Cursor: pec.Cursor{Folder: "INBOX", UIDValidity: 1, UID: uint32(i + 1)}, Body: bytes.NewReader(raw)}
			if !yield(item, nil) {
				return
			}
		}
	}
}

// submission is a message that ports took.
type submission struct {
	pec.Submission
	raw []byte // nil when the login was refused
}

// submitFunc is a Submitter made of a function.
type submitFunc func(pec.Submission) pec.Outcome

func (f submitFunc) Submit(_ context.Context, s pec.Submission) pec.Outcome { return f(s) }

// pausingSubmitter is a Submitter that calls a function between the login and the reading
// of the message.
type pausingSubmitter struct {
	connected func() // called after the recipients are accepted and before the message is read; may be nil
	outcome   pec.Outcome

	mu     sync.Mutex
	bodies [][]byte // what was read in each attempt
	errs   []error  // how reading ended in each attempt
}

func (h *pausingSubmitter) Submit(_ context.Context, s pec.Submission) pec.Outcome {
	if h.connected != nil {
		h.connected()
	}
	raw, err := io.ReadAll(s.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bodies, h.errs = append(h.bodies, raw), append(h.errs, err)
	if err != nil {
		return pec.Outcome{Kind: pec.OutcomeTemporary, Err: err}
	}
	return h.outcome
}

// left returns the number of attempts in which the message left.
func (h *pausingSubmitter) left() (count int) {
	for i, raw := range h.bodies {
		if h.errs[i] == nil && len(raw) > 0 {
			count++
		}
	}
	return count
}

// twoFolders is a Mailbox of two folders. The second is empty, and reading it may fail.
type twoFolders struct {
	*ports
	err      error // of reading the second folder
	searches int
}

func (m *twoFolders) Folders() []string { return []string{"INBOX", "Ricevute"} }

func (m *twoFolders) Fetch(ctx context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	if after.Folder == "INBOX" {
		return m.ports.Fetch(ctx, after)
	}
	return func(yield func(pec.Item, error) bool) {
		if m.err != nil {
			yield(pec.Item{}, m.err)
		}
	}
}

func (m *twoFolders) Search(ctx context.Context, folder string, messageIDs []string) iter.Seq2[pec.Item, error] {
	m.searches++
	return m.ports.Search(ctx, folder, messageIDs)
}

// slowSearchMailbox is a Mailbox whose searches take time. It notes what is searched for
// and when it is read.
type slowSearchMailbox struct {
	*ports
	takes    time.Duration
	fails    string // a search that includes this send fails
	searched map[string]int
	searches int
	last     time.Time   // when the last search began
	read     []time.Time // when it was read
}

func (l *slowSearchMailbox) Fetch(ctx context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	l.read = append(l.read, time.Now())
	return l.ports.Fetch(ctx, after)
}

func (l *slowSearchMailbox) Search(ctx context.Context, folder string, messageIDs []string) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		l.searches, l.last = l.searches+1, time.Now()
		select {
		case <-time.After(l.takes):
		case <-ctx.Done():
			yield(pec.Item{}, ctx.Err())
			return
		}
		if slices.Contains(messageIDs, l.fails) {
			yield(pec.Item{}, errors.New("the search breaks off"))
			return
		}
		for _, id := range messageIDs {
			l.searched[id]++
		}
		for item, err := range l.ports.Search(ctx, folder, messageIDs) {
			if !yield(item, err) {
				return
			}
		}
	}
}

// failingStore is a Store whose Append fails when fail returns an error.
type failingStore struct {
	pec.Store
	fail func(pec.Entry) error
}

func (s *failingStore) Append(ctx context.Context, mailbox string, entries ...pec.Entry) (bool, error) {
	for _, e := range entries {
		if err := s.fail(e); err != nil {
			return false, err
		}
	}
	return s.Store.Append(ctx, mailbox, entries...)
}

// beforeAppend returns a Store that runs call once, right before it appends an entry whose
// key has the prefix.
func beforeAppend(store pec.Store, prefix string, call func()) pec.Store {
	return &failingStore{Store: store, fail: func(e pec.Entry) error {
		if run := call; run != nil && strings.HasPrefix(e.Key, prefix) {
			call = nil
			run()
		}
		return nil
	}}
}

// afterAppend is a Store that runs call once, right after it has added an entry whose key
// has the prefix.
type afterAppend struct {
	pec.Store
	prefix string
	call   func()
}

func (s *afterAppend) Append(ctx context.Context, mailbox string, entries ...pec.Entry) (bool, error) {
	added, err := s.Store.Append(ctx, mailbox, entries...)
	if call := s.call; added && call != nil && strings.HasPrefix(entries[0].Key, s.prefix) {
		s.call = nil
		call()
	}
	return added, err
}

// countingStore is a Store that counts the entries that are read, and the calls that read
// them.
type countingStore struct {
	pec.Store
	read int64
}

func (s *countingStore) Entry(ctx context.Context, box, key string) (pec.Entry, error) {
	s.read++
	return s.Store.Entry(ctx, box, key)
}

func (s *countingStore) Entries(ctx context.Context, box, send string) ([]pec.Entry, error) {
	entries, err := s.Store.Entries(ctx, box, send)
	s.read += 1 + int64(len(entries))
	return entries, err
}

func (s *countingStore) Changes(ctx context.Context, box string, after pec.Position) iter.Seq2[pec.Entry, error] {
	return func(yield func(pec.Entry, error) bool) {
		for e, err := range s.Store.Changes(ctx, box, after) {
			if s.read++; !yield(e, err) {
				return
			}
		}
	}
}

func (s *countingStore) Sends(ctx context.Context, box string, q pec.Query) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for name, err := range s.Store.Sends(ctx, box, q) {
			if s.read++; !yield(name, err) {
				return
			}
		}
	}
}

// weighingStore is a Store that counts the bytes that it is given to keep.
type weighingStore struct {
	pec.Store
	kept int64
}

func (s *weighingStore) Append(ctx context.Context, box string, entries ...pec.Entry) (bool, error) {
	added, err := s.Store.Append(ctx, box, entries...)
	for _, e := range entries {
		if !added {
			break
		}
		s.kept += int64(len(e.Key) + len(e.Send) + len(e.Data))
		if e.Raw != nil {
			s.kept += e.Raw.Size()
		}
	}
	return added, err
}

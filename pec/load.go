package pec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// send is what the store has of one send, and of its mailbox.
type send struct {
	name    string
	entries int
	facts   []Fact
}

// load reads a send. One of which nothing is known gives ErrUnknownSend.
func (l *Ledger) load(ctx context.Context, messageID string) (*send, error) {
	mailbox, err := l.mailboxFacts(ctx)
	if err != nil {
		return nil, err
	}
	return l.loadWith(ctx, sendName(messageID), mailbox)
}

func (l *Ledger) loadWith(ctx context.Context, name string, mailbox []Fact) (*send, error) {
	if !isName(name) {
		return nil, ErrUnknownSend
	}
	facts, err := l.factsAbout(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(facts) == 0 {
		return nil, ErrUnknownSend
	}
	return &send{name: name, entries: len(facts), facts: append(facts, mailbox...)}, nil
}

// factsAbout reads what is recorded about a send, "" for the mailbox.
func (l *Ledger) factsAbout(ctx context.Context, send string) ([]Fact, error) {
	entries, err := l.store.Entries(ctx, l.box, send)
	if err != nil {
		return nil, &StoreError{Op: "read", Err: err}
	}
	return factsOf(entries)
}

// mailboxFacts are the facts that bear on every send of the mailbox: of suspensions and
// restorations the last decides. What was set aside bears on none, and there may be much
// of it.
func (l *Ledger) mailboxFacts(ctx context.Context) ([]Fact, error) {
	facts, err := l.suspensionFacts(ctx)
	if err != nil {
		return nil, err
	}
	restored, err := l.restoration(ctx, 0)
	if err != nil {
		return nil, err
	}
	if restored != nil {
		facts = append(facts, *restored)
	}
	read, err := l.readTo(ctx)
	return append(facts, ReadTo{At: read}), err
}

// readTo is the time up to which every folder was read.
func (l *Ledger) readTo(ctx context.Context) (time.Time, error) {
	cursors, err := l.store.Cursors(ctx, l.box)
	if err != nil {
		return time.Time{}, &StoreError{Op: "read", Err: err}
	}
	cursors = slices.DeleteFunc(cursors, func(c Cursor) bool { return strings.HasPrefix(c.Folder, searchMark) })
	if l.folders != nil {
		var ours []Cursor
		for _, folder := range l.folders {
			ours = append(ours, cursorOf(cursors, folder))
		}
		cursors = ours
	}
	if len(cursors) == 0 {
		return time.Time{}, nil
	}
	return slices.MinFunc(cursors, func(a, b Cursor) int { return a.ReadAt.Compare(b.ReadAt) }).ReadAt, nil
}

// cursorOf finds the cursor of a folder; without one it is the folder's beginning.
func cursorOf(cursors []Cursor, folder string) Cursor {
	for _, c := range cursors {
		if c.Folder == folder {
			return c
		}
	}
	return Cursor{Folder: folder}
}

// record appends facts about a send, "" for the mailbox, all or none. It is false
// when one of them was there already.
func (l *Ledger) record(ctx context.Context, send string, facts ...Fact) (bool, error) {
	return l.recordRaw(ctx, send, nil, facts...)
}

// recordRaw also keeps the message that belongs to the first fact.
func (l *Ledger) recordRaw(ctx context.Context, send string, raw *io.SectionReader, facts ...Fact) (bool, error) {
	entries, err := l.newEntries(send, raw, facts...)
	if err != nil {
		return false, err
	}
	return l.append(ctx, entries)
}

// newEntries makes the entries of facts about a send. raw belongs to the first.
func (l *Ledger) newEntries(send string, raw *io.SectionReader, facts ...Fact) ([]Entry, error) {
	entries := make([]Entry, 0, len(facts))
	for _, f := range facts {
		e, err := newEntry(send, f, l.now(), raw)
		if err != nil {
			return nil, err
		}
		entries, raw = append(entries, e), nil
	}
	return entries, nil
}

func (l *Ledger) append(ctx context.Context, entries []Entry) (bool, error) {
	added, err := l.store.Append(ctx, l.box, entries...)
	if err != nil {
		return false, &StoreError{Op: "write", Err: err}
	}
	return added, nil
}

// summary is what the store needs to find the send again.
func (s *send) summary() Summary {
	// Only the times in it depend on the clock, and they are computed, not compared.
	status, f := fold(s.facts, time.Time{})
	if f == nil {
		return Summary{Entries: s.entries}
	}
	return Summary{
		Entries:    s.entries,
		Begun:      status.Begun,
		Open:       !status.Settled,
		Uncertain:  status.Result == ResultUncertain,
		Failed:     slices.ContainsFunc(status.Recipients, func(r RecipientStatus) bool { return r.State.resendable() }),
		Unverified: status.Has(FlagUnverified),
		DueAt:      f.dueAt(),
		OverdueAt:  f.overdueAt(status),
		ConfirmBy:  f.confirmBy(),
	}
}

// factUnder gives the fact under a key of the Store, nil when there is none.
func factUnder[T Fact](ctx context.Context, l *Ledger, key string) (*T, error) {
	f, err := l.factAt(ctx, key)
	if f == nil || err != nil {
		return nil, err
	}
	fact, ok := f.(T)
	if !ok {
		return nil, fmt.Errorf("pec: the entry %q is not a %T", key, fact)
	}
	return &fact, nil
}

// factAt is factUnder for a key under which several kinds of facts compete.
func (l *Ledger) factAt(ctx context.Context, key string) (Fact, error) {
	e, err := l.store.Entry(ctx, l.box, key)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, &StoreError{Op: "read", Err: err}
	}
	return factOf(e)
}

// intentOf gives the intent of a send of ours, nil when it is not one.
func (l *Ledger) intentOf(ctx context.Context, name string) (*Intent, error) {
	return factUnder[Intent](ctx, l, entryKey(name, Intent{}))
}

// claim gives what was recorded under a caller's key, nil when nothing was.
func (l *Ledger) claim(ctx context.Context, key string) (*KeyClaim, error) {
	return factUnder[KeyClaim](ctx, l, KeyClaim{Key: key}.key())
}

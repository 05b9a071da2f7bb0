package pec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// send is what the store has of one send.
type send struct {
	name    string
	entries int    // how many of the facts are about the send itself
	facts   []Fact // about the send, then those of its mailbox that bear on it
}

// load reads a send. If nothing is known of it, the error is ErrUnknownSend.
func (l *Ledger) load(ctx context.Context, messageID string) (*send, error) {
	mailbox, err := l.mailboxFacts(ctx)
	if err != nil {
		return nil, err
	}
	return l.loadWith(ctx, sendName(messageID), mailbox)
}

// loadWith is load with the facts of the mailbox given.
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

// factsAbout reads all facts about a send; "" for those about the mailbox.
func (l *Ledger) factsAbout(ctx context.Context, send string) ([]Fact, error) {
	entries, err := l.store.Entries(ctx, l.box, send)
	if err != nil {
		return nil, &StoreError{Op: "read", Err: err}
	}
	return factsOf(entries)
}

// mailboxFacts reads the facts of the mailbox that bear on every send: the last suspension
// and its resumption, the last restoration, and ReadTo. Messages set aside bear on no send,
// and there may be many.
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

// readTo returns the time up to which every folder was read; zero if one never was.
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

// cursorOf returns the cursor of a folder, or the folder's beginning if there is none.
func cursorOf(cursors []Cursor, folder string) Cursor {
	for _, c := range cursors {
		if c.Folder == folder {
			return c
		}
	}
	return Cursor{Folder: folder}
}

// factUnder returns the fact under a key of the Store; nil if there is none.
func factUnder[T Fact](ctx context.Context, l *Ledger, key string) (*T, error) {
	f, err := l.factAt(ctx, key)
	if f == nil || err != nil {
		return nil, err
	}
	fact, ok := f.(T)
	if !ok {
		return nil, fmt.Errorf("pec: the store has a fact of another kind under the key %q, want %T", key, fact)
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

// intentOf returns the intent of a send; nil if it has none, as one made elsewhere.
func (l *Ledger) intentOf(ctx context.Context, name string) (*Intent, error) {
	return factUnder[Intent](ctx, l, entryKey(name, Intent{}))
}

// claim returns the claim on a caller's key; nil if there is none.
func (l *Ledger) claim(ctx context.Context, key string) (*KeyClaim, error) {
	return factUnder[KeyClaim](ctx, l, KeyClaim{Key: key}.key())
}

// suspension returns the suspension of the mailbox, nil if it is not suspended, and how many
// there have been.
func (l *Ledger) suspension(ctx context.Context) (suspended *Suspension, count int, err error) {
	facts, err := l.suspensionFacts(ctx)
	suspended, count = suspensionIn(facts)
	return suspended, count, err
}

// suspensionFacts returns the last Suspension and its Resumption, if there are any.
// Suspensions are numbered from 1 without gaps, so the last is found in steps that double,
// and then by bisection.
func (l *Ledger) suspensionFacts(ctx context.Context) ([]Fact, error) {
	var last *Suspension
	try := func(n int) (there bool, err error) {
		s, err := factUnder[Suspension](ctx, l, Suspension{N: n}.key())
		if s != nil {
			last = s
		}
		return s != nil, err
	}
	free := 1 // no suspension has this number
	for {
		there, err := try(free)
		if err != nil {
			return nil, err
		}
		if !there {
			break
		}
		free *= 2
	}
	if last == nil {
		return nil, nil
	}
	for free-last.N > 1 {
		middle := last.N + (free-last.N)/2
		there, err := try(middle)
		if err != nil {
			return nil, err
		}
		if !there {
			free = middle
		}
	}
	lifted, err := factUnder[Resumption](ctx, l, Resumption{N: last.N}.key())
	if err != nil || lifted == nil {
		return []Fact{*last}, err
	}
	return []Fact{*last, *lifted}, nil
}

// suspensionIn is suspension with the facts given.
func suspensionIn(facts []Fact) (suspended *Suspension, count int) {
	resumed := 0
	for _, fact := range facts {
		switch fact := fact.(type) {
		case Suspension:
			if fact.N > count {
				count, suspended = fact.N, &fact
			}
		case Resumption:
			resumed = max(resumed, fact.N)
		}
	}
	if !isSuspended(count, resumed) {
		suspended = nil
	}
	return suspended, count
}

// restoration returns the last Restoration after number n; nil if there is none.
func (l *Ledger) restoration(ctx context.Context, n int) (last *Restoration, err error) {
	for {
		n++
		next, err := factUnder[Restoration](ctx, l, Restoration{N: n}.key())
		if err != nil || next == nil {
			return last, err
		}
		last = next
	}
}

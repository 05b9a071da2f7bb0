package pec

import (
	"context"
	"errors"
	"fmt"
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

// suspension also counts the suspensions there have been.
func (l *Ledger) suspension(ctx context.Context) (suspended *Suspension, count int, err error) {
	facts, err := l.suspensionFacts(ctx)
	suspended, count = suspensionIn(facts)
	return suspended, count, err
}

// suspensionFacts are the last Suspension and its Resumption, as far as there are any.
// Suspensions have the numbers from 1 without gaps: the last one is found in steps that
// double, and then by halves.
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
	if count <= resumed {
		suspended = nil
	}
	return suspended, count
}

// restoration gives the last Restoration behind N, nil when there is none.
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

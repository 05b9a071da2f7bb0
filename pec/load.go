package pec

import (
	"context"
	"io"
	"slices"
	"time"
)

// send is what the store has of one send, and of its mailbox.
type send struct {
	name    string
	entries int
	facts   []Fact
}

// load reads a send. One of which nothing is known gives ErrUnknownSend.
func (c *Client) load(ctx context.Context, messageID string) (*send, error) {
	mailbox, err := c.mailboxFacts(ctx)
	if err != nil {
		return nil, err
	}
	return c.loadWith(ctx, sendName(messageID), mailbox)
}

func (c *Client) loadWith(ctx context.Context, name string, mailbox []Fact) (*send, error) {
	if !isName(name) {
		return nil, ErrUnknownSend
	}
	s := &send{name: name}
	entries, err := c.store.Entries(ctx, c.box, s.name)
	if err != nil {
		return nil, &StoreError{Op: "read", Err: err}
	}
	if len(entries) == 0 {
		return nil, ErrUnknownSend
	}
	s.entries = len(entries)
	if s.facts, err = factsOf(entries); err != nil {
		return nil, err
	}
	s.facts = append(s.facts, mailbox...)
	return s, nil
}

// mailboxFacts are the facts that bear on every send of the mailbox.
func (c *Client) mailboxFacts(ctx context.Context) ([]Fact, error) {
	entries, err := c.store.Entries(ctx, c.box, "")
	if err != nil {
		return nil, &StoreError{Op: "read", Err: err}
	}
	facts, err := factsOf(entries)
	if err != nil {
		return nil, err
	}
	read, err := c.readTo(ctx)
	return append(facts, ReadTo{At: read}), err
}

// readTo is the time up to which every folder was read.
func (c *Client) readTo(ctx context.Context) (time.Time, error) {
	var least time.Time
	for i, folder := range c.mailbox.Folders() {
		cursor, err := c.store.Cursor(ctx, c.box, folder)
		if err != nil {
			return time.Time{}, &StoreError{Op: "read", Err: err}
		}
		if i == 0 || cursor.ReadAt.Before(least) {
			least = cursor.ReadAt
		}
	}
	return least, nil
}

// record appends facts about a send, "" for the mailbox, all or none. It is false
// when one of them was there already.
func (c *Client) record(ctx context.Context, send string, facts ...Fact) (bool, error) {
	return c.recordRaw(ctx, send, nil, facts...)
}

// recordRaw also keeps the message that belongs to the first fact.
func (c *Client) recordRaw(ctx context.Context, send string, raw *io.SectionReader, facts ...Fact) (bool, error) {
	entries := make([]Entry, 0, len(facts))
	for _, f := range facts {
		e, err := newEntry(send, f, c.now(), raw)
		if err != nil {
			return false, err
		}
		entries, raw = append(entries, e), nil
	}
	added, err := c.store.Append(ctx, c.box, entries...)
	if err != nil {
		return false, &StoreError{Op: "write", Err: err}
	}
	return added, nil
}

// intent gives the intent of a send of ours, nil when there is none.
func (s *send) intent() *Intent {
	for _, f := range s.facts {
		if i, ok := f.(Intent); ok {
			return &i
		}
	}
	return nil
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
		Uncertain:  status.Total == TotalUncertain,
		Failed:     slices.ContainsFunc(status.Recipients, func(r RecipientStatus) bool { return r.State.resendable() }),
		Unverified: status.Has(FlagUnverified),
		DueAt:      f.dueAt(),
		OverdueAt:  f.overdueAt(status),
		ConfirmBy:  f.confirmBy(),
	}
}

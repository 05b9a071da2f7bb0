package pec

import (
	"context"
	"io"
	"time"
)

// record appends facts about a send, all or none; send is "" for facts about the mailbox. It
// returns false if one of them was there already.
func (l *Ledger) record(ctx context.Context, send string, facts ...Fact) (bool, error) {
	return l.recordRaw(ctx, send, nil, facts...)
}

// recordRaw is record that also keeps raw, the message that belongs to the first fact.
func (l *Ledger) recordRaw(ctx context.Context, send string, raw *io.SectionReader, facts ...Fact) (bool, error) {
	entries, err := l.newEntries(send, raw, facts...)
	if err != nil {
		return false, err
	}
	return l.append(ctx, entries)
}

// newEntries returns the entries of facts about a send. raw belongs to the first.
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

// append appends entries, all or none. It returns false if the key of one was taken.
func (l *Ledger) append(ctx context.Context, entries []Entry) (bool, error) {
	added, err := l.store.Append(ctx, l.box, entries...)
	if err != nil {
		return false, &StoreError{Op: "write", Err: err}
	}
	return added, nil
}

// recordPatience is how long recording may take when the caller no longer waits.
const recordPatience = 30 * time.Second

// outlast returns a context for what must be recorded even if ctx has ended.
func outlast(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), recordPatience)
}

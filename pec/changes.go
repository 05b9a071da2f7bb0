package pec

import (
	"context"
	"fmt"
	"iter"

	"github.com/gopec/gopec/envelope"
)

// Change is one fact that was recorded, and what it changed.
type Change struct {
	// Position is the place of the change: Changes goes on after it.
	Position Position
	// MessageID is that of the send; "" for a fact about the mailbox.
	MessageID string
	// Fact is what was recorded.
	Fact Fact
	// Before and After are the status of the send without and with the fact, as of the time
	// when it was recorded. They count facts about the send only, and are zero for a fact
	// about the mailbox.
	Before, After Status
}

// Recipients returns the recipients whose state the fact changed, as they are after it.
func (c Change) Recipients() []RecipientStatus {
	var changed []RecipientStatus
	was := c.Before.byAddress()
	for _, after := range c.After.Recipients {
		before, known := was[envelope.NormalizeAddress(after.Address)]
		if !known || before.State != after.State {
			changed = append(changed, after)
		}
	}
	return changed
}

// Changes yields all that was recorded after a Position, in the order of recording, and ends
// when there is no more; "" is the beginning. A program that keeps the Position of the last
// Change that it has dealt with misses none, and sees none twice, except the last after a
// crash. Time alone makes no Change, such as a send that becomes overdue: use Find for that.
// At most one error is yielded, as the last pair. It wraps ErrUnknownPosition if the Store does not
// have the Position.
func (l *Ledger) Changes(ctx context.Context, after Position) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		history := newHistory(l)
		for e, err := range l.store.Changes(ctx, l.box, after) {
			if err != nil {
				yield(Change{}, &StoreError{Op: "read", Err: err})
				return
			}
			change, err := history.change(ctx, e)
			if err != nil {
				yield(Change{}, err)
				return
			}
			if !yield(change, nil) {
				return
			}
		}
	}
}

// historyBytes is how many bytes of facts each of history.recent and history.older holds.
const historyBytes = 8 << 20

// history holds the sends of the latest changes, each with the facts that the changes have
// shown so far. So the next change of such a send adds one fact and reads nothing.
type history struct {
	ledger        *Ledger
	recent, older map[string]*folding // by the name of the send
	size          int                 // of the facts in recent, in bytes
}

func newHistory(l *Ledger) *history {
	return &history{ledger: l, recent: map[string]*folding{}}
}

// change returns the change that an entry made.
func (h *history) change(ctx context.Context, e Entry) (Change, error) {
	change := Change{Position: e.Position}
	var err error
	if change.Fact, err = factOf(e); err != nil || e.Send == "" {
		return change, err
	}
	f, err := h.before(ctx, e)
	if err != nil {
		return change, err
	}
	if f.known {
		change.Before = f.status(e.At)
	}
	f.add(change.Fact)
	if f.known {
		change.After = f.status(e.At)
	}
	if change.MessageID = change.After.MessageID; change.MessageID == "" {
		change.MessageID = e.Send
	}
	return change, nil
}

// before returns the send of an entry as it was before the entry.
func (h *history) before(ctx context.Context, e Entry) (*folding, error) {
	f, size := h.recent[e.Send], len(e.Data)
	if f == nil {
		if f = h.older[e.Send]; f == nil {
			var err error
			if f, size, err = h.read(ctx, e); err != nil {
				return nil, err
			}
		}
		h.recent[e.Send] = f
	}
	if h.size += size; h.size > historyBytes {
		h.older, h.recent, h.size = h.recent, map[string]*folding{}, 0
	}
	return f, nil
}

// read folds the facts that the store has of a send before an entry. size is theirs, in
// bytes.
func (h *history) read(ctx context.Context, e Entry) (f *folding, size int, err error) {
	entries, err := h.ledger.store.Entries(ctx, h.ledger.box, e.Send)
	if err != nil {
		return nil, 0, &StoreError{Op: "read", Err: err}
	}
	f = newFolding()
	for _, earlier := range entries {
		size += len(earlier.Data)
		if earlier.Key == e.Key {
			return f, size, nil
		}
		fact, err := factOf(earlier)
		if err != nil {
			return nil, 0, err
		}
		f.add(fact)
	}
	return nil, 0, fmt.Errorf("pec: the store has the entry %q among its Changes and not among the Entries of its send", e.Key)
}

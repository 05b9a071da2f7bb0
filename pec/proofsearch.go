package pec

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

const (
	// searchEvery is how often Watch looks for uncertain sends whose search is due.
	searchEvery = time.Minute
	// The first search for proof of a send is due firstSearch after its attempt. The
	// pauses between further ones are as long as the attempt is old, at most
	// longestSearch.
	firstSearch   = time.Minute
	longestSearch = 24 * time.Hour
	// searchBudget is how long the searches of a round may take, all folders together.
	// The search that is under way at its end is not broken off: IMAP cannot, except
	// with the connection.
	searchBudget = 2 * time.Second
	// searchBatch is how many sends are searched for together.
	searchBatch = 50
	// maxSearchFailures in a row are enough to pass over sends that fail together.
	maxSearchFailures = 6
)

// searches is what one Watch knows of its searches. That they go on where they stopped does
// not depend on it: when a search is due follows from the facts, and how far they have come
// is in the Store.
type searches struct {
	looked  time.Time      // when uncertain sends were last looked for
	backlog bool           // the budget ended before the searches did
	failed  map[string]int // by folder: how many searches have failed in a row
}

// uncertainSend is a send whose proof is searched for.
type uncertainSend struct {
	name  string
	begun time.Time // the attempt of which nothing is known
	due   time.Time
}

// searchDue is the first time after another at which proof of an attempt is to be
// searched for.
func searchDue(begun, after time.Time) time.Time {
	due := begun.Add(firstSearch)
	for !due.After(after) {
		due = due.Add(min(due.Sub(begun), longestSearch))
	}
	return due
}

// searchAll searches for proof of what is uncertain, in the folders that can be read.
func (w *watch) searchAll(ctx context.Context, folders []string) error {
	now := w.client.now()
	if now.Sub(w.searches.looked) < searchEvery && !w.searches.backlog {
		return nil
	}
	w.searches.looked, w.searches.backlog = now, false
	var sends []uncertainSend
	_, err := w.try(ctx, "prove", w.client.options.PollInterval, func(ctx context.Context) (err error) {
		sends, err = w.client.uncertain(ctx, now)
		return err
	})
	if err != nil || len(sends) == 0 {
		return err
	}
	for _, folder := range folders {
		_, err := w.try(ctx, "search "+folder, mostBackoff, func(ctx context.Context) error {
			return w.search(ctx, folder, sends, searchBudget/time.Duration(len(folders)))
		})
		if err != nil {
			return err
		}
	}
	if w.searches.backlog {
		w.before(time.Now().Add(searchBudget)) // half of the time is for the rest
	}
	return nil
}

// uncertain gives the sends that are uncertain, with an error also those that can be
// read.
func (c *Client) uncertain(ctx context.Context, now time.Time) (sends []uncertainSend, err error) {
	for s, err := range c.selected(ctx, Query{Filter: FilterUncertain, At: now}) {
		if err != nil {
			return sends, err
		}
		_, f := fold(s.facts, now)
		u := uncertainSend{name: s.name, begun: f.intent.At}
		if last := f.last(); !last.begun.IsZero() {
			u.begun = last.begun
		}
		sends = append(sends, u)
	}
	return sends, nil
}

// search makes the searches of a folder that are due, those due first before others, until
// the budget is spent.
func (w *watch) search(ctx context.Context, folder string, sends []uncertainSend, budget time.Duration) error {
	begun, c := time.Now(), w.client
	if err := c.mayLogIn(ctx); err != nil {
		return err
	}
	cursors, err := c.store.Cursors(ctx, c.box)
	if err != nil {
		return &StoreError{Op: "read", Err: err}
	}
	at, now := cursorOf(cursors, searchMark+folder), c.now()
	// No pause is longer than longestSearch: what was due before is due again since. How
	// far a wrong clock came in the future does not count, nor when an attempt began there.
	from := at.ReadAt
	if earliest := now.Add(-longestSearch); from.Before(earliest) || from.After(now.Add(clockTolerance)) {
		from = earliest
	}
	var queue []uncertainSend
	for _, s := range sends {
		if ahead := s.begun.Sub(now); ahead > clockTolerance {
			s.begun = s.begun.Add(-ahead.Truncate(longestSearch) - 2*longestSearch) // once a day
		}
		if s.due = searchDue(s.begun, from); !s.due.After(now) {
			queue = append(queue, s)
		}
	}
	slices.SortFunc(queue, func(a, b uncertainSend) int {
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.name, b.name))
	})
	var unreadable error
	for len(queue) > 0 {
		if time.Since(begun) >= budget {
			w.searches.backlog = unreadable == nil
			break
		}
		// After failures fewer are searched for together, until one stands alone.
		n := min(max(searchBatch>>min(w.searches.failed[folder], 30), 1), len(queue))
		for n < len(queue) && queue[n].due.Equal(queue[n-1].due) {
			n++ // how far the searches have come is told by the time alone
		}
		names := make([]string, n)
		for i := range names {
			names[i] = queue[i].name
		}
		err := c.searchIn(ctx, folder, names, w.yield)
		var one *MessageError
		switch {
		case errors.Is(err, errLeft):
			w.left = true
			return err
		case err == nil:
			delete(w.searches.failed, folder)
		case errors.As(err, &one): // the others were had
			unreadable = cmp.Or(unreadable, err)
		case ctx.Err() != nil:
			return err
		default:
			if w.searches.failed[folder]++; n > 1 && w.searches.failed[folder] <= maxSearchFailures {
				return err
			}
			// It has its turn again when it is next due, and holds up no other.
			return errors.Join(err, c.searched(ctx, at, queue[n-1].due))
		}
		if err := c.searched(ctx, at, queue[n-1].due); err != nil {
			return errors.Join(unreadable, err)
		}
		queue = queue[n:]
	}
	return unreadable
}

// searched keeps how far the searches of a folder have come.
func (c *Client) searched(ctx context.Context, at Cursor, to time.Time) error {
	ctx, cancel := outlast(ctx)
	defer cancel()
	at.ReadAt = to
	if err := c.store.SetCursor(ctx, c.box, at); err != nil {
		return &StoreError{Op: "write", Err: err}
	}
	return nil
}

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
	// The first search for proof of a send is due firstSearch after its attempt. Each
	// further pause is as long as the attempt is old, at most longestSearch.
	firstSearch   = time.Minute
	longestSearch = 24 * time.Hour
	// searchBudget is how long the searches of a round may take, all folders together. A
	// search that is running when it ends is not broken off: IMAP can only break off the
	// connection.
	searchBudget = 2 * time.Second
	// searchBatch is how many sends are searched for together.
	searchBatch = 50
	// After more than maxSearchFailures failures in a row, sends that have to be searched
	// for together are skipped until they are next due.
	maxSearchFailures = 6
)

// searches is the state of the searches in one Watch. They go on where they stopped without
// it: the facts say when a search is due, and the Store says how far the searches have come.
type searches struct {
	looked  time.Time      // when uncertain sends were last looked for
	backlog bool           // the budget ended before the searches did
	failed  map[string]int // how many searches have failed in a row, by folder
}

// uncertainSend is a send whose proof is searched for.
type uncertainSend struct {
	name  string
	begun time.Time // when the attempt began whose outcome is not known
	due   time.Time
}

// searchDue returns the first time after after at which a search for proof of an attempt is
// due.
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
	_, err := w.try(ctx, "uncertain", w.client.options.PollInterval, func(ctx context.Context) (err error) {
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
		w.before(time.Now().Add(searchBudget)) // half of the time is for the other activities
	}
	return nil
}

// uncertain returns the sends that are uncertain. With an error it returns those that were
// read before it.
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

// search makes the searches of a folder that are due, in the order in which they are due,
// until the budget is spent.
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
	// No pause is longer than longestSearch, so a search that was due before earliest is due
	// again after it. A wrong clock may have stored a time in the future: that does not count,
	// and neither does an attempt that began in the future.
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
		// After failures fewer sends are searched for together, at last a single one.
		n := min(max(searchBatch>>min(w.searches.failed[folder], 30), 1), len(queue))
		for n < len(queue) && queue[n].due.Equal(queue[n-1].due) {
			n++ // how far the searches have come is stored as a time alone
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
		case errors.As(err, &one): // the other messages were read
			unreadable = cmp.Or(unreadable, err)
		case ctx.Err() != nil:
			return err
		default:
			if w.searches.failed[folder]++; n > 1 && w.searches.failed[folder] <= maxSearchFailures {
				return err
			}
			// It is tried again when it is next due, and does not delay the others.
			return errors.Join(err, c.searched(ctx, at, queue[n-1].due))
		}
		if err := c.searched(ctx, at, queue[n-1].due); err != nil {
			return errors.Join(unreadable, err)
		}
		queue = queue[n:]
	}
	return unreadable
}

// searched stores how far the searches of a folder have come.
func (c *Client) searched(ctx context.Context, at Cursor, to time.Time) error {
	ctx, cancel := outlast(ctx)
	defer cancel()
	at.ReadAt = to
	if err := c.store.SetCursor(ctx, c.box, at); err != nil {
		return &StoreError{Op: "write", Err: err}
	}
	return nil
}

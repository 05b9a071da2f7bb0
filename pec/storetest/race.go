package storetest

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gopec/gopec/pec"
)

// raceChecks have goroutines compete. Run gives them one Store; RunShared gives them
// several Stores on one storage.
var raceChecks = []struct {
	name string
	run  func(*testing.T, ...pec.Store)
}{
	{"OneWins", oneWins},
	{"OneWinsOfCrossedBatches", crossedBatches},
	{"OneWinsOfBatchAndEntry", batchAndEntry},
	{"ChangesNeverSkip", neverSkip},
	{"NobodySeesAPart", nobodySeesAPart},
	{"SummaryRace", summaryRace},
}

// workers is how many goroutines compete. rounds is how often they compete.
const (
	workers = 8
	rounds  = 20
)

// compete runs work once per worker, in all workers at once. The stores are dealt out
// to the workers in turn: several stores stand for several processes. An error fails
// the test.
func compete(t *testing.T, stores []pec.Store, work func(worker int, s pec.Store) error) {
	t.Helper()
	var (
		group sync.WaitGroup
		start = make(chan struct{})
	)
	for w := range workers {
		group.Go(func() {
			<-start
			if err := work(w, stores[w%len(stores)]); err != nil {
				t.Errorf("worker %d: %v", w, err)
			}
		})
	}
	close(start)
	group.Wait()
}

// Exactly one of several Appends gets the Key, and the Store keeps the winner's entry.
func oneWins(t *testing.T, stores ...pec.Store) {
	for round := range rounds {
		key, send := fmt.Sprintf("attempt %d", round), fmt.Sprintf("%d@x", round)
		var winners atomic.Int32
		var winner atomic.Pointer[string]
		compete(t, stores, func(w int, s pec.Store) error {
			name := fmt.Sprintf("worker %d", w)
			e := withRaw(entry(key, send), []byte(name))
			e.Data = []byte(name)
			added, err := s.Append(t.Context(), box, e)
			if added {
				winners.Add(1)
				winner.Store(&name)
			}
			return err
		})
		if winners.Load() != 1 {
			t.Fatalf("%d workers added %q; want one", winners.Load(), key)
		}
		for _, s := range stores {
			kept, raw := mustEntry(t, s, box, key), mustRaw(t, s, box, key)
			if string(kept.Data) != *winner.Load() || string(raw) != *winner.Load() {
				t.Errorf("%s won, but the Store keeps the Data of %s and the Raw of %s", *winner.Load(), kept.Data, raw)
			}
			sameKeys(t, mustEntries(t, s, box, send), key)
		}
	}
	follow(t, stores[0], box, "", rounds)
}

// Batches that hold the same keys, or the same sends, in different orders do not
// deadlock.
func crossedBatches(t *testing.T, stores ...pec.Store) {
	for round := range rounds {
		one, two := fmt.Sprintf("one %d", round), fmt.Sprintf("two %d", round)
		var winners atomic.Int32
		compete(t, stores, func(w int, s pec.Store) error {
			batch := []pec.Entry{entry(one, "a@x"), entry(two, "b@x")}
			if w%2 == 1 {
				batch[0], batch[1] = batch[1], batch[0]
			}
			added, err := s.Append(t.Context(), box, batch...)
			if added {
				winners.Add(1)
			}
			return err
		})
		if winners.Load() != 1 {
			t.Fatalf("%d workers added %q and %q; want one", winners.Load(), one, two)
		}
	}
	// Batches that share only the sends are all added.
	compete(t, stores, func(w int, s pec.Store) error {
		for round := range rounds {
			batch := []pec.Entry{entry(fmt.Sprintf("a %d.%d", w, round), "a@x"), entry(fmt.Sprintf("b %d.%d", w, round), "b@x")}
			if w%2 == 1 {
				batch[0].Send, batch[1].Send = batch[1].Send, batch[0].Send
			}
			if added, err := s.Append(t.Context(), box, batch...); !added || err != nil {
				return fmt.Errorf("append %s: %t, %w", batch[0].Key, added, err)
			}
		}
		return nil
	})
	follow(t, stores[0], box, "", 2*rounds+2*rounds*workers)
}

// Half of the workers append an attempt alone, the others an attempt with its outcome.
// One wins. The outcome is kept only if it came with the winning attempt.
func batchAndEntry(t *testing.T, stores ...pec.Store) {
	entries := 0
	for round := range rounds {
		attempt, outcome, send := fmt.Sprintf("attempt %d", round), fmt.Sprintf("outcome %d", round), fmt.Sprintf("%d@x", round)
		var winners, whole atomic.Int32
		compete(t, stores, func(w int, s pec.Store) error {
			both := (w + round) % 2 // alternates, since the same worker may win every round
			batch := []pec.Entry{entry(attempt, send), entry(outcome, send)}[:1+both]
			added, err := s.Append(t.Context(), box, batch...)
			if added {
				winners.Add(1)
				whole.Add(int32(both))
			}
			return err
		})
		if winners.Load() != 1 {
			t.Fatalf("%d workers added %q; want one", winners.Load(), attempt)
		}
		want := []string{attempt, outcome}[:1+whole.Load()]
		for _, s := range stores {
			sameKeys(t, mustEntries(t, s, box, send), want...)
		}
		entries += len(want)
	}
	follow(t, stores[0], box, "", entries)
}

// A reader that follows Changes while others append sees every entry exactly once. The
// entries of one Append come in their order.
func neverSkip(t *testing.T, stores ...pec.Store) {
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { appendAll(t, stores) })
	entries := follow(t, stores[len(stores)-1], box, "", workers*rounds*2)
	place := map[string]int{}
	for i, e := range entries {
		if _, again := place[e.Key]; again {
			t.Errorf("Changes yielded %q twice", e.Key)
		}
		place[e.Key] = i
	}
	for w := range workers {
		for round := range rounds {
			name := fmt.Sprintf("%d.%d", w, round)
			one, ok := place[name+".1"]
			two, too := place[name+".2"]
			if !ok || !too || two < one {
				t.Errorf("the entries of %s are at %d and %d (found: %t, %t); want both, in this order", name, one, two, ok, too)
			}
		}
	}
	// A second reading yields the same order.
	if again := follow(t, stores[0], box, "", len(entries)); keys(again) != keys(entries) {
		t.Error("Changes, read a second time, yielded another order")
	}
}

// appendAll has every worker append pairs of entries. Some pairs have a Raw and take
// longer than others.
func appendAll(t *testing.T, stores []pec.Store) {
	t.Helper()
	compete(t, stores, func(w int, s pec.Store) error {
		for round := range rounds {
			name := fmt.Sprintf("%d.%d", w, round)
			e := entry(name+".1", name)
			if w%3 == 0 {
				e = withRaw(e, pattern(100_000))
			}
			if added, err := s.Append(t.Context(), box, e, entry(name+".2", name)); !added || err != nil {
				return fmt.Errorf("append %s: %t, %w", name, added, err)
			}
		}
		return nil
	})
}

// A reader sees a batch whole or not at all, and never an entry whose Raw is incomplete.
func nobodySeesAPart(t *testing.T, stores ...pec.Store) {
	raw := pattern(300_000)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for r := range 2 {
		s := stores[(r+1)%len(stores)]
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				entries, err := s.Entries(t.Context(), box, "a@x")
				if err != nil || len(entries)%3 != 0 {
					t.Errorf("a reader saw %d entries (error: %v); want a multiple of 3, the size of a batch", len(entries), err)
					return
				}
				if len(entries) == 0 {
					continue
				}
				last := entries[len(entries)-1]
				got, err := readRaw(t, s, last.Key)
				if err != nil || !bytes.Equal(got, raw) {
					t.Errorf("a reader saw %q with a Raw of %d bytes (error: %v); want the %d bytes appended", last.Key, len(got), err, len(raw))
					return
				}
			}
		})
	}
	compete(t, stores, func(w int, s pec.Store) error {
		for round := range 3 {
			name := fmt.Sprintf("%d.%d", w, round)
			_, err := s.Append(t.Context(), box, entry(name+".1", "a@x"), entry(name+".2", "a@x"), withRaw(entry(name+".3", "a@x"), raw))
			if err != nil {
				return err
			}
		}
		return nil
	})
	close(done)
	readers.Wait()
}

// When Summaries race, the one that counts the most entries is kept.
func summaryRace(t *testing.T, stores ...pec.Store) {
	mustAppend(t, stores[0], box, entry("1", "a@x"))
	compete(t, stores, func(w int, s pec.Store) error {
		for i := range rounds {
			entries := i*workers + w + 1
			if err := s.Summarize(t.Context(), box, "a@x", pec.Summary{Entries: entries, Open: entries == rounds*workers}); err != nil {
				return err
			}
		}
		return nil
	})
	if listed := sends(t, stores[0], box, pec.Query{Filter: pec.FilterOpen}); len(listed) != 1 {
		t.Errorf("the open sends are %q: a Summary of fewer entries won", listed)
	}
}

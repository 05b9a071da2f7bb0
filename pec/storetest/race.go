package storetest

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gopec/gopec/pec"
)

var raceChecks = []check{
	{"OneWins", func(t *testing.T, s pec.Store) { oneWins(t, s) }},
	{"OneWinsOfCrossedBatches", func(t *testing.T, s pec.Store) { crossedBatches(t, s) }},
	{"OneWinsOfBatchAndEntry", func(t *testing.T, s pec.Store) { batchAndEntry(t, s) }},
	{"ChangesNeverSkip", func(t *testing.T, s pec.Store) { neverSkip(t, s) }},
	{"NobodySeesAPart", func(t *testing.T, s pec.Store) { nobodySeesAPart(t, s) }},
	{"SummaryRace", func(t *testing.T, s pec.Store) { summaryRace(t, s) }},
}

// workers is how many goroutines compete; rounds, how often.
const (
	workers = 8
	rounds  = 20
)

// compete runs work once for each worker, all at once. Workers use the stores in
// turn, so that several of them are several processes. An error fails the test.
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

// Exactly one gets the Key, and what is kept is the winner's.
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
				t.Errorf("%s won, and the Store has Data of %s, Raw of %s", *winner.Load(), kept.Data, raw)
			}
			sameKeys(t, mustEntries(t, s, box, send), key)
		}
	}
	follow(t, stores[0], box, "", rounds)
}

// Batches with the same keys or sends in other orders: none waits for ever.
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
	// Where only the sends are the same, all are added.
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

// Some claim an attempt, and others record one together with its outcome: one wins, and
// the outcome is there only if it came with the attempt.
func batchAndEntry(t *testing.T, stores ...pec.Store) {
	entries := 0
	for round := range rounds {
		attempt, outcome, send := fmt.Sprintf("attempt %d", round), fmt.Sprintf("outcome %d", round), fmt.Sprintf("%d@x", round)
		var winners, whole atomic.Int32
		compete(t, stores, func(w int, s pec.Store) error {
			both := (w + round) % 2 // the same worker may win every round
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

// Who follows Changes while others append sees every entry once, those of one
// Append in their order.
func neverSkip(t *testing.T, stores ...pec.Store) {
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { appendAll(t, stores) })
	entries := follow(t, stores[len(stores)-1], box, "", workers*rounds*2)
	place := map[string]int{}
	for i, e := range entries {
		if _, again := place[e.Key]; again {
			t.Errorf("Changes gave %q twice", e.Key)
		}
		place[e.Key] = i
	}
	for w := range workers {
		for round := range rounds {
			name := fmt.Sprintf("%d.%d", w, round)
			one, ok := place[name+".1"]
			two, too := place[name+".2"]
			if !ok || !too || two < one {
				t.Errorf("the entries of %s are at %d and %d (there: %t, %t)", name, one, two, ok, too)
			}
		}
	}
	// The order stays what it was.
	if again := follow(t, stores[0], box, "", len(entries)); keys(again) != keys(entries) {
		t.Error("read once more, Changes gave another order")
	}
}

// appendAll has every worker append pairs, some of which take longer than others.
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

// Readers meet whole batches, and no entry whose Raw is not all there.
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
					t.Errorf("a reader saw %d entries of batches of 3: %v", len(entries), err)
					return
				}
				if len(entries) == 0 {
					continue
				}
				last := entries[len(entries)-1]
				got, err := readRaw(t, s, last.Key)
				if err != nil || !bytes.Equal(got, raw) {
					t.Errorf("a reader saw %q, and of its Raw %d bytes: %v", last.Key, len(got), err)
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

// Of Summaries that race, that of the most entries stays.
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

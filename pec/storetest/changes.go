package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/gopec/gopec/pec"
)

var changesChecks = []check{
	{"ChangesFromAnywhere", changesFromAnywhere},
	{"ChangesOfMany", changesOfMany},
	{"ChangesBadPosition", changesBadPosition},
	{"ChangesBeyondTheEnd", changesBeyondTheEnd},
	{"BodyCallsTheStore", bodyCallsTheStore},
}

func changesFromAnywhere(t *testing.T, s pec.Store) {
	names := []string{"a", "b", "c", "d", "e"}
	mustAppend(t, s, box, entry("a", "1@x"), entry("b", ""))
	mustAppend(t, s, other, entry("elsewhere", "1@x"))
	mustAppend(t, s, box, entry("c", "1@x"), entry("d", "2@x"), entry("e", ""))
	feed := follow(t, s, box, "", len(names))
	sameKeys(t, feed, names...)
	seen := map[pec.Position]bool{"": true}
	for i, e := range feed {
		if seen[e.Position] {
			t.Errorf("%q has the Position %q of another entry", e.Key, e.Position)
		}
		seen[e.Position] = true
		sameKeys(t, changes(t, s, box, e.Position), names[i+1:]...)
	}
	last := feed[len(feed)-1].Position
	mustAppend(t, s, box, entry("f", "3@x"))
	sameKeys(t, follow(t, s, box, last, 1), "f")
}

// many is more entries than a Store is likely to read at once.
const many = 1201

// fill appends n entries, each about a send of its own, and returns their names: key and
// send are the same.
func fill(t *testing.T, s pec.Store, n int) (names []string) {
	var batch []pec.Entry
	for i := range n {
		names = append(names, fmt.Sprintf("%d@x", i))
		batch = append(batch, entry(names[i], names[i]))
		if len(batch) == 400 || i == n-1 {
			mustAppend(t, s, box, batch...)
			batch = nil
		}
	}
	return names
}

func changesOfMany(t *testing.T, s pec.Store) {
	names := fill(t, s, many)
	sameKeys(t, follow(t, s, box, "", many), names...)
	// A new iteration goes on where the one before was left.
	var (
		after pec.Position
		got   []string
	)
	for len(got) < many {
		n := 0
		for e, err := range s.Changes(t.Context(), box, after) {
			noError(t, err)
			got, after = append(got, e.Key), e.Position
			if n++; n == 499 {
				break
			}
		}
		if n == 0 {
			t.Fatalf("Changes ended after %d of %d entries", len(got), many)
		}
	}
	for i := range got {
		if got[i] != names[i] {
			t.Fatalf("entry %d is %q; want %q", i, got[i], names[i])
		}
	}
}

func changesBadPosition(t *testing.T, s pec.Store) {
	mustAppend(t, s, box, entry("k", "a@x"))
	refusePosition(t, s, box, "no Position of any Store")
}

// refusePosition requires that Changes yields ErrUnknownPosition and nothing else.
func refusePosition(t *testing.T, s pec.Store, mailbox string, after pec.Position) {
	t.Helper()
	pairs := 0
	var failure error
	for _, err := range s.Changes(t.Context(), mailbox, after) {
		pairs, failure = pairs+1, err
	}
	if pairs != 1 || !errors.Is(failure, pec.ErrUnknownPosition) {
		t.Errorf("Changes after the Position %q, which names no entry here, yielded %d pairs and the error %v; want ErrUnknownPosition alone", after, pairs, failure)
	}
}

// Changes refuses a Position that lies beyond the end of the log. A reader holds one
// when the log was restored from a backup older than its reading. Here such Positions
// come from the log of another mailbox.
func changesBeyondTheEnd(t *testing.T, s pec.Store) {
	mustAppend(t, s, other, entry("a", "a@x"), entry("b", "a@x"))
	mustAppend(t, s, other, entry("c", "a@x"))
	beyond := follow(t, s, other, "", 3)
	refusePosition(t, s, box, beyond[0].Position) // an empty log
	mustAppend(t, s, box, entry("one", "a@x"))
	follow(t, s, box, "", 1)
	refusePosition(t, s, box, beyond[2].Position)
	// The Positions stay refused once the log has grown past them: other entries are there.
	mustAppend(t, s, box, entry("two", "a@x"), entry("three", "a@x"))
	mustAppend(t, s, box, entry("four", "a@x"))
	follow(t, s, box, "", 4)
	for _, e := range beyond {
		refusePosition(t, s, box, e.Position)
	}
}

// The body of an iteration may call every method, as often as it likes. A Store that
// holds a lock or its only connection while it yields hangs here.
func bodyCallsTheStore(t *testing.T, s pec.Store) {
	const n = 601
	names := fill(t, s, n)
	follow(t, s, box, "", n)
	calls := func(i int, name string) {
		ctx := t.Context()
		key := fmt.Sprintf("body %d", i)
		mustAppend(t, s, other, withRaw(entry(key, "b@x"), []byte(key)))
		mustEntry(t, s, box, name)
		if raw := mustRaw(t, s, other, key); string(raw) != key {
			t.Errorf("the Raw is %q", raw)
		}
		mustEntries(t, s, box, name)
		noError(t, s.Summarize(ctx, box, name, pec.Summary{Entries: i}))
		noError(t, s.SetCursor(ctx, box, pec.Cursor{Folder: "INBOX", UID: uint32(i)}))
		_, err := s.Cursors(ctx, box)
		noError(t, err)
		for range s.Changes(ctx, box, "") {
			break
		}
		for range s.Sends(ctx, box, pec.Query{}) {
			break
		}
	}
	i := 0
	for e, err := range s.Changes(t.Context(), box, "") {
		noError(t, err)
		if e.Key != names[i] {
			t.Fatalf("entry %d is %q; want %q", i, e.Key, names[i])
		}
		if i%100 == 0 {
			calls(i, e.Key)
		}
		i++
	}
	if i != n {
		t.Fatalf("Changes yielded %d of %d entries", i, n)
	}
	j := 0
	for name, err := range s.Sends(t.Context(), box, pec.Query{}) {
		noError(t, err)
		if name != names[j] {
			t.Fatalf("send %d is %q; want %q", j, name, names[j])
		}
		if j%100 == 0 {
			calls(n+j, name)
		}
		j++
	}
	if j != n {
		t.Fatalf("Sends yielded %d of %d sends", j, n)
	}
}

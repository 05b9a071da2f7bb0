// Package storetest tests that an implementation of pec.Store keeps its contract.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) pec.Store { return openEmpty(t) })
//	}
//
// It asks for what the contract promises and for no more: a Store that passes can
// still be slow. Nothing here sleeps, and no network is used.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gopec/gopec/pec"
)

// check is one property of a Store that is empty at first.
type check struct {
	name string
	run  func(*testing.T, pec.Store)
}

// Run tests Stores made by open, each property with one of its own. open is
// called for every subtest, on its *testing.T, and gives an empty Store; what is to
// be closed at the end is for open to register with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) pec.Store) {
	t.Helper()
	for _, checks := range [][]check{appendChecks, readChecks, rawChecks, changesChecks, sendsChecks, cursorChecks, raceChecks, cancelChecks} {
		for _, c := range checks {
			t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
		}
	}
}

// The mailboxes of the checks.
const (
	box   = "me@pec.example"
	other = "o'brien@pec.example"
)

// at is the time of entries for which it does not matter.
var at = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

// entry makes an entry without Raw, whose Data tells it apart.
func entry(key, send string) pec.Entry {
	return pec.Entry{Key: key, Send: send, At: at, Data: fmt.Appendf(nil, `{"key":%q}`, key)}
}

// withRaw gives e a Raw.
func withRaw(e pec.Entry, raw []byte) pec.Entry {
	e.Raw = io.NewSectionReader(bytes.NewReader(raw), 0, int64(len(raw)))
	return e
}

// pattern is n bytes that do not repeat at any likely chunk size.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i/251)
	}
	return b
}

// mustAppend appends entries none of whose keys is taken.
func mustAppend(t *testing.T, s pec.Store, mailbox string, entries ...pec.Entry) {
	t.Helper()
	added, err := s.Append(t.Context(), mailbox, entries...)
	noError(t, err)
	if !added {
		t.Fatalf("Append(%q): not added, although no key was taken", entries[0].Key)
	}
}

// sameEntry compares what was appended with what came back.
func sameEntry(t *testing.T, want, got pec.Entry) {
	t.Helper()
	if got.Key != want.Key || got.Send != want.Send || !got.At.Equal(want.At) || !bytes.Equal(got.Data, want.Data) {
		t.Errorf("entry came back changed:\nappended %s\ngot      %s", short(want), short(got))
	}
	if got.Raw != nil {
		t.Errorf("entry %q came back with a Raw", got.Key)
	}
	if got.Position == "" {
		t.Errorf("entry %q has no Position", got.Key)
	}
}

func short(e pec.Entry) string {
	return fmt.Sprintf("key %.60q, send %.60q, at %s, %d bytes %.60q", e.Key, e.Send, e.At, len(e.Data), e.Data)
}

// mustEntry gives the entry under a key that is there.
func mustEntry(t *testing.T, s pec.Store, mailbox, key string) pec.Entry {
	t.Helper()
	e, err := s.Entry(t.Context(), mailbox, key)
	noError(t, err)
	return e
}

// mustEntries gives the entries of a send.
func mustEntries(t *testing.T, s pec.Store, mailbox, send string) []pec.Entry {
	t.Helper()
	entries, err := s.Entries(t.Context(), mailbox, send)
	noError(t, err)
	return entries
}

// mustRaw reads all of a Raw.
func mustRaw(t *testing.T, s pec.Store, mailbox, key string) []byte {
	t.Helper()
	r, err := s.Raw(t.Context(), mailbox, key)
	noError(t, err)
	defer r.Close()
	raw, err := io.ReadAll(r)
	noError(t, err)
	return raw
}

// absent demands that nothing is kept under a key.
func absent(t *testing.T, s pec.Store, mailbox, key string) {
	t.Helper()
	if _, err := s.Entry(t.Context(), mailbox, key); !errors.Is(err, pec.ErrNotFound) {
		t.Errorf("Entry(%.60q): %v; want ErrNotFound", key, err)
	}
	r, err := s.Raw(t.Context(), mailbox, key)
	if !errors.Is(err, pec.ErrNotFound) {
		t.Errorf("Raw(%.60q): %v; want ErrNotFound", key, err)
	}
	if err == nil {
		r.Close()
	}
}

// changes reads Changes once.
func changes(t *testing.T, s pec.Store, mailbox string, after pec.Position) (entries []pec.Entry) {
	t.Helper()
	for e, err := range s.Changes(t.Context(), mailbox, after) {
		noError(t, err)
		entries = append(entries, e)
	}
	return entries
}

// follow reads Changes on until there were n entries: a Store may show an entry
// there a little later than elsewhere. More than n fail the test.
func follow(t *testing.T, s pec.Store, mailbox string, after pec.Position, n int) (entries []pec.Entry) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		page := changes(t, s, mailbox, after)
		entries = append(entries, page...)
		switch {
		case len(entries) > n:
			t.Fatalf("Changes gave %d entries, where there are %d: %s", len(entries), n, keys(entries))
		case len(entries) == n && len(page) == 0:
			return entries
		case len(page) > 0:
			after = page[len(page)-1].Position
			continue
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("Changes gave %d entries of %d, and for long no more", len(entries), n)
		}
	}
}

// sends lists the names of sends.
func sends(t *testing.T, s pec.Store, mailbox string, q pec.Query) (names []string) {
	t.Helper()
	for name, err := range s.Sends(t.Context(), mailbox, q) {
		noError(t, err)
		names = append(names, name)
	}
	return names
}

func keys(entries []pec.Entry) string {
	var names []string
	for _, e := range entries {
		names = append(names, e.Key)
	}
	return strings.Join(names, " ")
}

// sameKeys demands these keys in this order.
func sameKeys(t *testing.T, got []pec.Entry, want ...string) {
	t.Helper()
	if keys(got) != strings.Join(want, " ") {
		t.Errorf("entries are %.300q; want %.300q", keys(got), strings.Join(want, " "))
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

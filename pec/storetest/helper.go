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

// The mailboxes that the checks use.
const (
	box   = "me@pec.example"
	other = "o'brien@pec.example"
)

// at is the time of all entries whose time does not matter.
var at = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

// entry returns an entry without a Raw. Its Data differs from that of other keys.
func entry(key, send string) pec.Entry {
	return pec.Entry{Key: key, Send: send, At: at, Data: fmt.Appendf(nil, `{"key":%q}`, key)}
}

// withRaw returns e with a Raw.
func withRaw(e pec.Entry, raw []byte) pec.Entry {
	e.Raw = io.NewSectionReader(bytes.NewReader(raw), 0, int64(len(raw)))
	return e
}

// pattern returns n bytes that do not repeat at any likely chunk size.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i/251)
	}
	return b
}

// mustAppend appends entries whose keys are free.
func mustAppend(t *testing.T, s pec.Store, mailbox string, entries ...pec.Entry) {
	t.Helper()
	added, err := s.Append(t.Context(), mailbox, entries...)
	noError(t, err)
	if !added {
		t.Fatalf("Append(%q) added nothing, although no key was taken", entries[0].Key)
	}
}

// sameEntry compares an entry that was appended with the one that the Store returned.
func sameEntry(t *testing.T, want, got pec.Entry) {
	t.Helper()
	if got.Key != want.Key || got.Send != want.Send || !got.At.Equal(want.At) || !bytes.Equal(got.Data, want.Data) {
		t.Errorf("the Store changed an entry:\nappended %s\ngot      %s", short(want), short(got))
	}
	if got.Raw != nil {
		t.Errorf("entry %q came back with a Raw; want nil", got.Key)
	}
	if got.Position == "" {
		t.Errorf("entry %q has no Position", got.Key)
	}
}

// short describes an entry in one line.
func short(e pec.Entry) string {
	return fmt.Sprintf("key %.60q, send %.60q, at %s, %d bytes %.60q", e.Key, e.Send, e.At, len(e.Data), e.Data)
}

// mustEntry returns the entry under a key, which must exist.
func mustEntry(t *testing.T, s pec.Store, mailbox, key string) pec.Entry {
	t.Helper()
	e, err := s.Entry(t.Context(), mailbox, key)
	noError(t, err)
	return e
}

// mustEntries returns the entries of a send.
func mustEntries(t *testing.T, s pec.Store, mailbox, send string) []pec.Entry {
	t.Helper()
	entries, err := s.Entries(t.Context(), mailbox, send)
	noError(t, err)
	return entries
}

// mustRaw returns the whole Raw of the entry under a key.
func mustRaw(t *testing.T, s pec.Store, mailbox, key string) []byte {
	t.Helper()
	r, err := s.Raw(t.Context(), mailbox, key)
	noError(t, err)
	defer r.Close()
	raw, err := io.ReadAll(r)
	noError(t, err)
	return raw
}

// absent requires that the Store has nothing under a key.
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

// changes returns what one reading of Changes yields.
func changes(t *testing.T, s pec.Store, mailbox string, after pec.Position) (entries []pec.Entry) {
	t.Helper()
	for e, err := range s.Changes(t.Context(), mailbox, after) {
		noError(t, err)
		entries = append(entries, e)
	}
	return entries
}

// follow reads Changes again and again until it has n entries, since a Store may show
// an entry there later than in Entry and Entries. It fails the test after more than n
// entries, or after 30 seconds.
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
			t.Fatalf("Changes yielded %d entries; want %d: %s", len(entries), n, keys(entries))
		case len(entries) == n && len(page) == 0:
			return entries
		case len(page) > 0:
			after = page[len(page)-1].Position
			continue
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("Changes yielded %d of %d entries within 30 s", len(entries), n)
		}
	}
}

// sends returns the names that Sends yields.
func sends(t *testing.T, s pec.Store, mailbox string, q pec.Query) (names []string) {
	t.Helper()
	for name, err := range s.Sends(t.Context(), mailbox, q) {
		noError(t, err)
		names = append(names, name)
	}
	return names
}

// keys returns the keys of entries in one line.
func keys(entries []pec.Entry) string {
	var names []string
	for _, e := range entries {
		names = append(names, e.Key)
	}
	return strings.Join(names, " ")
}

// sameKeys requires that the entries have these keys, in this order.
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

package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/gopec/gopec/pec"
)

var readChecks = []check{
	{"EmptyStore", emptyStore},
	{"EntryRoundTrip", entryRoundTrip},
	{"EntryTimes", entryTimes},
	{"EntryHostileNames", hostileNames},
	{"EntriesInOrder", entriesInOrder},
	{"MailboxesApart", mailboxesApart},
}

func emptyStore(t *testing.T, s pec.Store) {
	absent(t, s, box, "k")
	sameKeys(t, mustEntries(t, s, box, "a@x"))
	sameKeys(t, mustEntries(t, s, box, ""))
	sameKeys(t, changes(t, s, box, ""))
	if names := sends(t, s, box, pec.Query{}); len(names) != 0 {
		t.Errorf("an empty Store lists the sends %q", names)
	}
}

func entryRoundTrip(t *testing.T, s pec.Store) {
	binary := entry("binary", "a@x")
	binary.Data = pattern(70_000) // neither JSON nor UTF-8: Data is opaque to the Store
	big := entry("big", "a@x")
	big.Data = pattern(1 << 20)
	entries := []pec.Entry{entry("plain", "a@x"), binary, big, entry("mailbox", "")}
	mustAppend(t, s, box, entries...)
	feed := follow(t, s, box, "", len(entries))
	for i, want := range entries {
		got := mustEntry(t, s, box, want.Key)
		sameEntry(t, want, got)
		sameEntry(t, want, feed[i])
		if feed[i].Position != got.Position {
			t.Errorf("%q has the Position %q in Changes, %q in Entry", want.Key, feed[i].Position, got.Position)
		}
	}
	for i, got := range mustEntries(t, s, box, "a@x") {
		sameEntry(t, entries[i], got)
		if feed[i].Position != got.Position {
			t.Errorf("%q has the Position %q in Changes, %q in Entries", got.Key, feed[i].Position, got.Position)
		}
	}
}

func entryTimes(t *testing.T, s pec.Store) {
	for name, instant := range map[string]time.Time{
		"zero":        {},
		"nanosecond":  time.Date(2026, 3, 29, 0, 59, 59, 999_999_999, time.UTC),
		"zone":        time.Date(2026, 3, 29, 3, 0, 0, 1, time.FixedZone("CEST", 2*3600)),
		"half hour":   time.Date(1977, 1, 1, 0, 0, 0, 120_000_000, time.FixedZone("", -(3*3600+1800))),
		"before 1970": time.Date(1905, 12, 31, 23, 59, 59, 500, time.UTC),
		"far":         time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		"monotonic":   time.Now(),
	} {
		e := entry(name, "a@x")
		e.At = instant
		mustAppend(t, s, box, e)
		sameEntry(t, e, mustEntry(t, s, box, name))
	}
}

// hostile returns names that a careless Store confuses with each other, or with
// patterns, SQL, paths or null.
func hostile() []string {
	var all []byte
	for c := byte(0x20); c < 0x7f; c++ {
		all = append(all, c)
	}
	return []string{
		string(all), "a", "A", "a ", " a", "%", "_", "a%", "a_", "aa", `a\`, `\`, `\\`, "'", "''", `"`, "`", ";", "--", "/*", "*", "?", "?1", "$1", ":a", "@a", "#",
		"'; DROP TABLE pec_entries; --", `{"key":"a"}`, "../../etc/passwd", "/", ".", "..", "0", "00", "NULL", "null", "true", "CON",
		strings.Repeat("k", 400), strings.Repeat("k", 399), strings.Repeat("'", 400), strings.Repeat("k", 399) + "l",
	}
}

// Keys and names of sends are compared whole, byte by byte.
func hostileNames(t *testing.T, s pec.Store) {
	names := hostile()
	for _, name := range names {
		mustAppend(t, s, box, withRaw(entry(name, name), []byte(name)))
	}
	for _, name := range names {
		sameEntry(t, entry(name, name), mustEntry(t, s, box, name))
		if raw := mustRaw(t, s, box, name); string(raw) != name {
			t.Errorf("the Raw of %.60q is %.60q", name, raw)
		}
		sameKeys(t, mustEntries(t, s, box, name), name)
		noError(t, s.Summarize(t.Context(), box, name, pec.Summary{Entries: 1, Open: true}))
		if added, err := s.Append(t.Context(), box, entry(name, "b@x")); added || err != nil {
			t.Errorf("Append under the taken key %.60q: %t, %v; want false and no error", name, added, err)
		}
	}
	sameKeys(t, follow(t, s, box, "", len(names)), names...)
	listed := sends(t, s, box, pec.Query{Filter: pec.FilterOpen})
	if strings.Join(listed, "\n") != strings.Join(names, "\n") {
		t.Errorf("the sends are %.300q", listed)
	}
}

func entriesInOrder(t *testing.T, s pec.Store) {
	mustAppend(t, s, box, entry("3", "b@x"), entry("1", "a@x"), entry("m2", ""))
	mustAppend(t, s, box, entry("2", "a@x"))
	early := entry("0", "a@x")
	early.At = at.Add(-time.Hour) // does not matter: entries are in the order of their Appends
	mustAppend(t, s, box, early, entry("m1", ""), entry("4", "b@x"))
	sameKeys(t, mustEntries(t, s, box, "a@x"), "1", "2", "0")
	sameKeys(t, mustEntries(t, s, box, "b@x"), "3", "4")
	sameKeys(t, mustEntries(t, s, box, ""), "m2", "m1")
	sameKeys(t, follow(t, s, box, "", 7), "3", "1", "m2", "2", "0", "m1", "4")
}

func mailboxesApart(t *testing.T, s pec.Store) {
	mine, theirs := withRaw(entry("k", "a@x"), []byte("mine")), withRaw(entry("k", "a@x"), []byte("theirs"))
	theirs.Data = []byte(`"theirs"`)
	mustAppend(t, s, box, mine, entry("only mine", "mine@x"))
	absent(t, s, other, "k")
	sameKeys(t, mustEntries(t, s, other, "a@x"))
	mustAppend(t, s, other, theirs) // in this mailbox the key is free
	sameEntry(t, mine, mustEntry(t, s, box, "k"))
	sameEntry(t, theirs, mustEntry(t, s, other, "k"))
	if raw := mustRaw(t, s, other, "k"); string(raw) != "theirs" {
		t.Errorf("the Raw is %q", raw)
	}
	absent(t, s, other, "only mine")
	sameKeys(t, mustEntries(t, s, other, "mine@x"))
	feed := follow(t, s, other, "", 1)
	sameEntry(t, theirs, feed[0])
	sameKeys(t, follow(t, s, box, "", 2), "k", "only mine")

	// A Summary does not count for a send of the same name in another mailbox.
	noError(t, s.Summarize(t.Context(), other, "a@x", pec.Summary{Entries: 99}))
	if names := sends(t, s, box, pec.Query{Filter: pec.FilterOpen}); len(names) != 2 {
		t.Errorf("the sends without a Summary are %q; want two", names)
	}
	if names := sends(t, s, other, pec.Query{}); len(names) != 1 || names[0] != "a@x" {
		t.Errorf("the sends of the other mailbox are %q", names)
	}
	noError(t, s.SetCursor(t.Context(), box, pec.Cursor{Folder: "INBOX", UIDValidity: 1, UID: 7}))
	cursors, err := s.Cursors(t.Context(), other)
	noError(t, err)
	if len(cursors) != 0 {
		t.Errorf("the cursors of another mailbox are %+v", cursors)
	}
}

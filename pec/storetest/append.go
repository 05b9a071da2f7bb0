package storetest

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/gopec/gopec/pec"
)

var appendChecks = []check{
	{"AppendOnce", appendOnce},
	{"AppendAllOrNone", appendAllOrNone},
	{"AppendKeyTwiceAtOnce", appendKeyTwice},
	{"AppendKeepsItsArguments", appendKeepsArguments},
	{"AppendUnreadableRaw", appendUnreadable},
	{"AppendShortRaw", appendShort},
	{"AppendNothing", appendNothing},
}

func appendOnce(t *testing.T, s pec.Store) {
	first := withRaw(entry("k", "a@x"), []byte("first"))
	mustAppend(t, s, box, first)
	second := withRaw(entry("k", "b@x"), []byte("second"))
	second.Data = []byte(`"second"`)
	added, err := s.Append(t.Context(), box, second)
	noError(t, err)
	if added {
		t.Error("Append added an entry under a key that is taken")
	}
	sameEntry(t, first, mustEntry(t, s, box, "k"))
	if raw := mustRaw(t, s, box, "k"); string(raw) != "first" {
		t.Errorf("the Raw under the key is now %q; want that of the first Append", raw)
	}
	sameKeys(t, mustEntries(t, s, box, "b@x"))
	sameKeys(t, follow(t, s, box, "", 1), "k")
}

func appendAllOrNone(t *testing.T, s pec.Store) {
	mustAppend(t, s, box, entry("taken", "a@x"))
	for _, batch := range [][]pec.Entry{
		{withRaw(entry("n1", "a@x"), pattern(600_000)), withRaw(entry("n2", "new@x"), []byte("n2")), entry("taken", "a@x")},
		{entry("taken", "a@x"), withRaw(entry("n1", "a@x"), []byte("n1")), entry("n2", "new@x")},
	} {
		added, err := s.Append(t.Context(), box, batch...)
		noError(t, err)
		if added {
			t.Error("Append added a batch that holds a taken key")
		}
		absent(t, s, box, "n1")
		absent(t, s, box, "n2")
		sameKeys(t, mustEntries(t, s, box, "a@x"), "taken")
		sameKeys(t, mustEntries(t, s, box, "new@x"))
		sameKeys(t, follow(t, s, box, "", 1), "taken")
		if names := sends(t, s, box, pec.Query{}); len(names) != 1 || names[0] != "a@x" {
			t.Errorf("the sends are %q; want those of the first Append", names)
		}
	}
	// The entries that were refused can still be added without the taken key.
	mustAppend(t, s, box, withRaw(entry("n1", "a@x"), []byte("n1")), withRaw(entry("n2", "new@x"), []byte("n2")))
	if raw := mustRaw(t, s, box, "n1"); string(raw) != "n1" {
		t.Errorf("the Raw has %d bytes, which come from a batch that was not added", len(raw))
	}
	sameKeys(t, follow(t, s, box, "", 3), "taken", "n1", "n2")
}

func appendKeyTwice(t *testing.T, s pec.Store) {
	added, err := s.Append(t.Context(), box, entry("k", "a@x"), entry("l", "a@x"), entry("k", "a@x"))
	noError(t, err)
	if added {
		t.Error("an Append with the same key twice was added")
	}
	absent(t, s, box, "k")
	absent(t, s, box, "l")
	sameKeys(t, follow(t, s, box, "", 0))
}

func appendKeepsArguments(t *testing.T, s pec.Store) {
	e := withRaw(entry("k", "a@x"), []byte("0123456789"))
	e.Position = "to be ignored"
	given := e
	data := bytes.Clone(e.Data)
	_, err := e.Raw.Seek(3, io.SeekStart)
	noError(t, err)
	batch := []pec.Entry{e}
	mustAppend(t, s, box, batch...)
	if got := batch[0]; got.Raw != given.Raw || got.Position != given.Position || !bytes.Equal(got.Data, data) {
		t.Error("Append changed its arguments")
	}
	if place, err := e.Raw.Seek(0, io.SeekCurrent); err != nil || place != 3 {
		t.Errorf("Append moved the offset of Raw from 3 to %d (error: %v)", place, err)
	}
	if raw := mustRaw(t, s, box, "k"); string(raw) != "0123456789" {
		t.Errorf("the Raw is %q; want all of it, whatever the offset of its reader", raw)
	}
	clear(e.Data) // after Append the caller may change it
	got := mustEntry(t, s, box, "k")
	if !bytes.Equal(got.Data, data) {
		t.Errorf("the Data changed together with the argument of Append: %q", got.Data)
	}
	clear(got.Data)
	if again := mustEntry(t, s, box, "k"); !bytes.Equal(again.Data, data) {
		t.Errorf("the Data changed together with an entry returned earlier: %q", again.Data)
	}
}

// broken is a Raw that cannot be read after its first 300,000 bytes.
type broken struct{}

var errBroken = errors.New("storetest: the medium is broken")

func (broken) ReadAt(p []byte, off int64) (int, error) {
	if n := int64(len(p)); off+n <= 300_000 {
		return len(p), nil
	}
	return int(max(0, 300_000-off)), errBroken
}

func appendUnreadable(t *testing.T, s pec.Store) {
	bad := entry("bad", "a@x")
	bad.Raw = io.NewSectionReader(broken{}, 0, 400_000)
	added, err := s.Append(t.Context(), box, withRaw(entry("good", "a@x"), []byte("good")), bad)
	if added || !errors.Is(err, errBroken) {
		t.Errorf("Append of a Raw that cannot be read: %t, %v; want the error of the Raw", added, err)
	}
	absent(t, s, box, "good")
	absent(t, s, box, "bad")
	sameKeys(t, mustEntries(t, s, box, "a@x"))
	mustAppend(t, s, box, withRaw(entry("good", "a@x"), []byte("good")))
}

func appendShort(t *testing.T, s pec.Store) {
	e := entry("short", "a@x")
	e.Raw = io.NewSectionReader(bytes.NewReader(pattern(300_000)), 0, 300_001)
	if added, err := s.Append(t.Context(), box, e); added || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Append of a Raw that ends before its Size: %t, %v; want an error that wraps io.ErrUnexpectedEOF", added, err)
	}
	absent(t, s, box, "short")
}

func appendNothing(t *testing.T, s pec.Store) {
	if _, err := s.Append(t.Context(), box); err != nil {
		t.Errorf("Append of nothing: %v", err)
	}
	sameKeys(t, follow(t, s, box, "", 0))
}

package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/storetest"
)

// defects are Stores with one fault each, and the check that must find it.
var defects = map[string]struct {
	check string
	store func(pec.Store) pec.Store
}{
	"says a taken key was added":   {"AppendOnce", func(s pec.Store) pec.Store { return alwaysAdded{s} }},
	"keeps the part that is new":   {"AppendAllOrNone", func(s pec.Store) pec.Store { return oneByOne{s} }},
	"loses fractions of a second":  {"EntryTimes", func(s pec.Store) pec.Store { return wholeSeconds{s} }},
	"reads Raw from its offset":    {"AppendKeepsItsArguments", func(s pec.Store) pec.Store { return rawFromPlace{s} }},
	"ends Raw early":               {"RawExactly", func(s pec.Store) pec.Store { return shortRaw{s} }},
	"repeats the entry read last":  {"ChangesFromAnywhere", func(s pec.Store) pec.Store { return inclusive{s} }},
	"hides a lost Position":        {"ChangesBeyondTheEnd", func(s pec.Store) pec.Store { return lenient{s} }},
	"forgets mailboxes":            {"MailboxesApart", func(s pec.Store) pec.Store { return oneMailbox{s} }},
	"compares names by case":       {"EntryHostileNames", func(s pec.Store) pec.Store { return foldedKeys{s} }},
	"believes old summaries":       {"SummaryOfMoreEntriesStays", func(s pec.Store) pec.Store { return lastSummary{s} }},
	"hides sends without summary":  {"SendsUnsummarized", func(s pec.Store) pec.Store { return summarized{s} }},
	"narrows UIDs":                 {"CursorRoundTrip", func(s pec.Store) pec.Store { return signedUID{s} }},
	"ignores its context":          {"CancelledBefore", func(s pec.Store) pec.Store { return deaf{s} }},
	"checks, then appends":         {"OneWins", func(s pec.Store) pec.Store { return &checkThenAct{Store: s} }},
	"keeps a lost claim's outcome": {"OneWinsOfBatchAndEntry", func(s pec.Store) pec.Store { return oneByOne{s} }},
	"holds a lock while yielding":  {"BodyCallsTheStore", func(s pec.Store) pec.Store { return &locked{Store: s, turn: make(chan struct{}, 1)} }},
}

// The suite must be able to fail. Each defect runs in a process of its own, where its
// check must fail.
func TestDefectsAreFound(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for name, defect := range defects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(self, "-test.run=^TestDefect$/^"+defect.check+"$", "-test.timeout=20s")
			cmd.Env = append(os.Environ(), "STORETEST_DEFECT="+name)
			out, err := cmd.CombinedOutput()
			require.Error(t, err, "no check failed")
			require.Contains(t, string(out), "--- FAIL: TestDefect/"+defect.check)
		})
	}
}

// TestDefect runs one defect for TestDefectsAreFound. By itself it does nothing.
func TestDefect(t *testing.T) {
	defect, ok := defects[os.Getenv("STORETEST_DEFECT")]
	if !ok {
		return
	}
	storetest.Run(t, func(*testing.T) pec.Store { return defect.store(pec.NewMemory()) })
}

type alwaysAdded struct{ pec.Store }

func (s alwaysAdded) Append(ctx context.Context, box string, entries ...pec.Entry) (bool, error) {
	_, err := s.Store.Append(ctx, box, entries...)
	return err == nil, err
}

type oneByOne struct{ pec.Store }

func (s oneByOne) Append(ctx context.Context, box string, entries ...pec.Entry) (bool, error) {
	all := true
	for _, e := range entries {
		added, err := s.Store.Append(ctx, box, e)
		if err != nil {
			return false, err
		}
		all = all && added
	}
	return all, nil
}

type lenient struct{ pec.Store }

func (s lenient) Changes(ctx context.Context, box string, after pec.Position) iter.Seq2[pec.Entry, error] {
	return func(yield func(pec.Entry, error) bool) {
		for e, err := range s.Store.Changes(ctx, box, after) {
			if errors.Is(err, pec.ErrUnknownPosition) && strings.Contains(string(after), ".") || !yield(e, err) {
				return
			}
		}
	}
}

type wholeSeconds struct{ pec.Store }

func (s wholeSeconds) Entry(ctx context.Context, box, key string) (pec.Entry, error) {
	e, err := s.Store.Entry(ctx, box, key)
	e.At = e.At.Truncate(time.Second)
	return e, err
}

type rawFromPlace struct{ pec.Store }

func (s rawFromPlace) Append(ctx context.Context, box string, entries ...pec.Entry) (bool, error) {
	for i, e := range entries {
		if e.Raw != nil {
			rest, err := io.ReadAll(e.Raw)
			if err != nil {
				return false, err
			}
			entries[i].Raw = io.NewSectionReader(bytes.NewReader(rest), 0, int64(len(rest)))
		}
	}
	return s.Store.Append(ctx, box, entries...)
}

type shortRaw struct{ pec.Store }

func (s shortRaw) Raw(ctx context.Context, box, key string) (io.ReadCloser, error) {
	r, err := s.Store.Raw(ctx, box, key)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(io.LimitReader(r, 5<<20-1)), nil
}

type inclusive struct{ pec.Store }

func (s inclusive) Changes(ctx context.Context, box string, after pec.Position) iter.Seq2[pec.Entry, error] {
	return func(yield func(pec.Entry, error) bool) {
		reached := after == ""
		for e, err := range s.Store.Changes(ctx, box, "") {
			reached = reached || e.Position == after
			if reached && !yield(e, err) {
				return
			}
		}
	}
}

type oneMailbox struct{ pec.Store }

func (s oneMailbox) Entries(ctx context.Context, _, send string) ([]pec.Entry, error) {
	return s.Store.Entries(ctx, "me@pec.example", send)
}

type foldedKeys struct{ pec.Store }

func (s foldedKeys) Append(ctx context.Context, box string, entries ...pec.Entry) (bool, error) {
	for i := range entries {
		entries[i].Key = strings.ToLower(entries[i].Key)
	}
	return s.Store.Append(ctx, box, entries...)
}

type lastSummary struct{ pec.Store }

func (s lastSummary) Summarize(ctx context.Context, box, send string, summary pec.Summary) error {
	summary.Entries = 1 + int(time.Now().UnixNano())
	return s.Store.Summarize(ctx, box, send, summary)
}

type summarized struct{ pec.Store }

func (s summarized) Append(ctx context.Context, box string, entries ...pec.Entry) (bool, error) {
	for _, e := range entries {
		if err := s.Store.Summarize(ctx, box, e.Send, pec.Summary{Entries: 1 << 20}); err != nil {
			return false, err
		}
	}
	return s.Store.Append(ctx, box, entries...)
}

type signedUID struct{ pec.Store }

func (s signedUID) SetCursor(ctx context.Context, box string, c pec.Cursor) error {
	c.UID &= 1<<31 - 1
	return s.Store.SetCursor(ctx, box, c)
}

type deaf struct{ pec.Store }

func (s deaf) Cursors(_ context.Context, box string) ([]pec.Cursor, error) {
	return s.Store.Cursors(context.Background(), box)
}

// checkThenAct looks the key up and then appends. The first caller waits between the
// two until another has looked as well, so that both find the key free.
type checkThenAct struct {
	pec.Store
	first sync.Map // of channels, by key
}

func (s *checkThenAct) Append(ctx context.Context, box string, entries ...pec.Entry) (bool, error) {
	key := entries[0].Key
	if _, err := s.Store.Entry(ctx, box, key); !errors.Is(err, pec.ErrNotFound) {
		return false, err
	}
	looked, second := s.first.LoadOrStore(key, make(chan struct{}, 16))
	if second {
		looked.(chan struct{}) <- struct{}{}
	} else {
		<-looked.(chan struct{})
	}
	_, err := s.Store.Append(ctx, box, entries...)
	return err == nil, err
}

// locked refuses Append while Changes yields.
type locked struct {
	pec.Store
	turn chan struct{}
}

func (s *locked) Append(ctx context.Context, box string, entries ...pec.Entry) (bool, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
		return s.Store.Append(ctx, box, entries...)
	default:
		return false, errors.New("Changes holds the lock")
	}
}

func (s *locked) Changes(ctx context.Context, box string, after pec.Position) iter.Seq2[pec.Entry, error] {
	return func(yield func(pec.Entry, error) bool) {
		s.turn <- struct{}{}
		defer func() { <-s.turn }()
		for e, err := range s.Store.Changes(ctx, box, after) {
			if !yield(e, err) {
				return
			}
		}
	}
}

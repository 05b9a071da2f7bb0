package storetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/gopec/gopec/pec"
)

var cancelChecks = []check{
	{"CancelledBefore", cancelledBefore},
	{"CancelledInAppend", cancelledInAppend},
	{"CancelledInIteration", cancelledInIteration},
	{"CancelledInRaw", cancelledInRaw},
}

func cancelledBefore(t *testing.T, s pec.Store) {
	mustAppend(t, s, box, withRaw(entry("k", "a@x"), pattern(1000)))
	noError(t, s.SetCursor(t.Context(), box, pec.Cursor{Folder: "INBOX", UID: 1}))
	follow(t, s, box, "", 1)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	for _, ctx := range []context.Context{cancelled, expired} {
		calls := map[string]func() error{
			"Append":    func() error { _, err := s.Append(ctx, box, entry("new", "a@x")); return err },
			"Entry":     func() error { _, err := s.Entry(ctx, box, "k"); return err },
			"Entries":   func() error { _, err := s.Entries(ctx, box, "a@x"); return err },
			"Summarize": func() error { return s.Summarize(ctx, box, "a@x", pec.Summary{Entries: 1}) },
			"Cursors":   func() error { _, err := s.Cursors(ctx, box); return err },
			"SetCursor": func() error { return s.SetCursor(ctx, box, pec.Cursor{Folder: "INBOX", UID: 2}) },
			"Raw": func() error {
				r, err := s.Raw(ctx, box, "k")
				if err != nil {
					return err
				}
				defer r.Close()
				_, err = io.ReadAll(r)
				return err
			},
			"Changes": func() (last error) {
				for _, err := range s.Changes(ctx, box, "") {
					last = err
				}
				return last
			},
			"Sends": func() (last error) {
				for _, err := range s.Sends(ctx, box, pec.Query{}) {
					last = err
				}
				return last
			},
		}
		for name, call := range calls {
			if err := call(); !errors.Is(err, ctx.Err()) {
				t.Errorf("%s with a context that has ended: %v; want %v", name, err, ctx.Err())
			}
		}
	}
	mustEntry(t, s, box, "k") // other contexts are not affected
}

// tripwire is a Raw that calls cancel once it is read beyond its first MiB.
type tripwire struct {
	io.ReaderAt
	cancel context.CancelFunc
}

func (w tripwire) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > 1<<20 {
		w.cancel()
	}
	return w.ReaderAt.ReadAt(p, off)
}

// An Append that is cancelled half way was done completely or not at all.
func cancelledInAppend(t *testing.T, s pec.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	raw := pattern(3 << 20)
	batch := []pec.Entry{entry("1", "a@x"), entry("2", "a@x"), entry("3", "a@x")}
	batch[1].Raw = io.NewSectionReader(tripwire{bytes.NewReader(raw), cancel}, 0, int64(len(raw)))
	added, err := s.Append(ctx, box, batch...)
	switch {
	case err != nil && (added || !errors.Is(err, context.Canceled)):
		t.Errorf("a cancelled Append: %t, %v; want an error that wraps context.Canceled", added, err)
	case err == nil && !added:
		t.Error("a cancelled Append reported a taken Key, although no Key was taken")
	}
	kept := mustEntries(t, s, box, "a@x")
	if len(kept) != 0 && len(kept) != 3 || err == nil && len(kept) != 3 {
		t.Fatalf("a cancelled Append of 3 entries (error: %v) kept %d of them; want all or none", err, len(kept))
	}
	// The same call may be repeated.
	batch[1] = withRaw(entry("2", "a@x"), raw)
	added, err = s.Append(t.Context(), box, batch...)
	noError(t, err)
	if added != (len(kept) == 0) {
		t.Errorf("the repeated Append: %t, although %d entries were already there", added, len(kept))
	}
	sameKeys(t, mustEntries(t, s, box, "a@x"), "1", "2", "3")
	if got := mustRaw(t, s, box, "2"); !bytes.Equal(got, raw) {
		t.Errorf("the Raw came back as %d bytes that differ from the %d appended", len(got), len(raw))
	}
	follow(t, s, box, "", 3)
}

// A cancelled iteration yields at most one error, as its last pair.
func cancelledInIteration(t *testing.T, s pec.Store) {
	const n = 1001
	fill(t, s, n)
	follow(t, s, box, "", n)
	end := func(name string, iterate func(ctx context.Context, each func(error))) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		good := 0
		var failure error
		iterate(ctx, func(err error) {
			switch {
			case failure != nil:
				t.Errorf("%s yielded another pair after its error", name)
			case err != nil:
				failure = err
			default:
				if good++; good == 3 {
					cancel()
				}
			}
		})
		// The Store may yield what it has already read, but must not read on.
		if good < n && !errors.Is(failure, context.Canceled) {
			t.Errorf("a cancelled %s ended after %d of %d with the error %v; want context.Canceled", name, good, n, failure)
		}
	}
	end("Changes", func(ctx context.Context, each func(error)) {
		for _, err := range s.Changes(ctx, box, "") {
			each(err)
		}
	})
	end("Sends", func(ctx context.Context, each func(error)) {
		for _, err := range s.Sends(ctx, box, pec.Query{}) {
			each(err)
		}
	})
}

// When its context ends, a Raw fails with the context's error or is read to the end. It
// never ends early without an error.
func cancelledInRaw(t *testing.T, s pec.Store) {
	raw := pattern(3 << 20)
	mustAppend(t, s, box, withRaw(entry("k", "a@x"), raw))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := s.Raw(ctx, box, "k")
	noError(t, err)
	defer r.Close()
	var got bytes.Buffer
	_, err = io.CopyN(&got, r, 1000)
	noError(t, err)
	cancel()
	_, err = io.Copy(&got, r)
	if err == nil && !bytes.Equal(got.Bytes(), raw) || err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled Raw returned %d of %d bytes, then the error %v", got.Len(), len(raw), err)
	}
}

// readRaw is mustRaw for goroutines, which may not call t.Fatal.
func readRaw(t *testing.T, s pec.Store, key string) ([]byte, error) {
	r, err := s.Raw(t.Context(), box, key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

package rewindtest

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
)

// history is a Store that records each change, so that every earlier state of it can be made
// again.
type history struct {
	pec.Store
	steps []step
}

// step is one Append or one SetCursor.
type step struct {
	entries []pec.Entry
	raws    [][]byte
	cursor  pec.Cursor
}

func (h *history) Append(ctx context.Context, mailbox string, entries ...pec.Entry) (bool, error) {
	s := step{raws: make([][]byte, len(entries))}
	for i, e := range entries {
		if e.Raw != nil {
			raw, err := io.ReadAll(io.NewSectionReader(e.Raw, 0, e.Raw.Size()))
			if err != nil {
				return false, err
			}
			s.raws[i] = raw
		}
		e.Raw = nil
		s.entries = append(s.entries, e)
	}
	added, err := h.Store.Append(ctx, mailbox, entries...)
	if added {
		h.steps = append(h.steps, s)
	}
	return added, err
}

func (h *history) SetCursor(ctx context.Context, mailbox string, c pec.Cursor) error {
	err := h.Store.SetCursor(ctx, mailbox, c)
	if err == nil {
		h.steps = append(h.steps, step{cursor: c})
	}
	return err
}

// replay repeats the first n steps on an empty Store.
func (h *history) replay(t *testing.T, empty pec.Store, n int) {
	t.Helper()
	for _, s := range h.steps[:n] {
		if s.entries == nil {
			require.NoError(t, empty.SetCursor(t.Context(), me, s.cursor))
			continue
		}
		entries := append([]pec.Entry(nil), s.entries...)
		for i, raw := range s.raws {
			if raw != nil {
				entries[i].Raw = io.NewSectionReader(bytes.NewReader(raw), 0, int64(len(raw)))
			}
		}
		added, err := empty.Append(t.Context(), me, entries...)
		require.NoError(t, err)
		require.True(t, added)
	}
}

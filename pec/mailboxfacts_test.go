package pec_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// What a mailbox has set aside bears on no send: whatever is asked for, as much is read
// beside a thousand such messages as beside none.
func TestWhatWasSetAsideIsNotRead(t *testing.T) {
	n := pectest.Start(t, nil)
	read := func(aside int) (reads []int64) {
		c, _, store := growthOffice(t, n)
		for i := range aside {
			entry, err := pec.NewEntryForTest("", pec.SetAside{Cursor: pec.Cursor{Folder: "INBOX", UIDValidity: 1, UID: uint32(i + 1)}})
			require.NoError(t, err)
			added, err := store.Append(t.Context(), me, entry)
			require.NoError(t, err)
			require.True(t, added)
		}
		var id string
		for _, call := range []func(ctx context.Context) error{
			func(ctx context.Context) (err error) {
				id, err = c.Send(ctx, pec.Message{To: []string{luigi}, Key: "k"})
				return err
			},
			func(ctx context.Context) error {
				return second(c.Send(ctx, pec.Message{To: []string{luigi}, Key: "k"}))
			},
			func(ctx context.Context) error { return second(c.Status(ctx, id)) },
			func(ctx context.Context) error { return last(c.Find(ctx, pec.Query{Filter: pec.FilterOpen})) },
			func(ctx context.Context) error { return last(c.Find(ctx, pec.Query{Filter: pec.FilterFailed})) },
			func(ctx context.Context) error { return last(c.Retry(ctx)) },
			func(ctx context.Context) error { return last(c.Sync(ctx)) },
			func(ctx context.Context) error { return last(c.SearchNotices(ctx, id)) },
			func(ctx context.Context) error { return second(c.Suspended(ctx)) },
			func(ctx context.Context) error { return c.Resume(ctx) },
		} {
			before := store.read
			require.NoError(t, call(t.Context()))
			reads = append(reads, store.read-before)
		}
		return reads
	}
	require.Equal(t, read(0), read(1000))
}

// Suspensions are counted from 1, and the last one decides, however many there were.
func TestTheLastSuspensionDecides(t *testing.T) {
	n := pectest.Start(t, nil)
	c, _, store := growthOffice(t, n)
	for count := 1; count <= 40; count++ {
		for _, f := range []pec.Fact{pec.Suspension{N: count, Server: "x"}, pec.Resumption{N: count}} {
			entry, err := pec.NewEntryForTest("", f)
			require.NoError(t, err)
			_, err = store.Append(t.Context(), me, entry)
			require.NoError(t, err)
			before := store.read
			suspended, err := c.Suspended(t.Context())
			require.NoError(t, err)
			require.LessOrEqual(t, store.read-before, int64(14))
			if _, ok := f.(pec.Resumption); ok {
				require.Nil(t, suspended)
			} else {
				require.Equal(t, count, suspended.N)
			}
		}
	}
}

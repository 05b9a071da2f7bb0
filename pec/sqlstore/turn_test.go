package sqlstore

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A call waits for its turn until its limit is reached or its context ends. The error says
// which.
func TestWaitingForATurnEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const patience = 10 * time.Second
		only := make(turns, 1)
		done, err := only.take(t.Context(), "append", patience)
		require.NoError(t, err)

		begun := time.Now()
		_, err = only.take(t.Context(), "append", patience)
		require.Equal(t, patience, time.Since(begun))
		var failed *Error
		require.ErrorAs(t, err, &failed)
		require.Equal(t, ReasonBusy, failed.Reason)
		var busy *BusyError
		require.ErrorAs(t, err, &busy)
		require.Equal(t, patience, busy.Limit)
		require.NoError(t, busy.Err)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = only.take(ctx, "append", patience)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorAs(t, err, &failed)
		require.Equal(t, ReasonCanceled, failed.Reason)

		time.AfterFunc(time.Second, done)
		done, err = only.take(t.Context(), "append", patience)
		require.NoError(t, err)
		done()
		require.Empty(t, only)
	})
}

package imapclient

import (
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/growth"
)

// TestPartsOfALargeFolder shows that the suspect is looked for among the messages of the
// next FETCH, not among all that are left.
func TestPartsOfALargeFolder(t *testing.T) {
	growth.Run(t, []growth.Case{{Name: "uids", N: 500_000, CPU: true, Prepare: func(tb testing.TB, n int) growth.Call {
		uids := make([]imap.UID, n)
		for i := range uids {
			uids[i] = imap.UID(i + 1)
		}
		return func() int64 {
			var s suspect
			left, parts := uids, int64(0)
			for len(left) > 0 {
				left = left[s.next(left):]
				parts++
			}
			require.EqualValues(tb, n/headBatch, parts)
			return parts
		}
	}}})
}

package imapclient_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A server answers for messages that it was not asked for, or for one again and again.
// Each message is yielded once, and no cursor passes an unread message.
func TestAnswersThatWereNotAskedFor(t *testing.T) {
	for _, uid := range []uint32{1, 2, 3, 9, 4294967295} {
		t.Run(fmt.Sprint(uid), func(t *testing.T) {
			f := newFake(t, three...)
			head := "Content-Type: multipart/signed\r\n\r\n"
			f.noise = fmt.Sprintf("* 2 FETCH (UID %d RFC822.SIZE 40 INTERNALDATE \"21-Nov-2026 10:00:00 +0100\" BODY[HEADER.FIELDS (X-Ricevuta X-Trasporto Content-Type)] {%d}\r\n%s)\r\n", uid, len(head), head)
			c := f.open(t, nil)
			all, items, err := collect(context.Background(), c, inbox)
			require.NoError(t, err)
			var uids []uint32
			for _, g := range all {
				uids = append(uids, g.uid)
			}
			assert.Equal(t, []uint32{1, 2, 3}, uids)
			f.noise = ""
			f.add(three[0])
			all, _, err = collect(context.Background(), c, items[len(items)-1].Cursor)
			require.NoError(t, err)
			assert.Len(t, all, 1)
		})
	}
}

package sqlstore_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
)

// Mailboxes names each mailbox that has a send or a cursor, once.
func TestMailboxes(t *testing.T) {
	for name, store := range map[string]pec.Store{"sqlite": inFile(t)(), "postgres": onServer(t)()} {
		t.Run(name, func(t *testing.T) {
			names := func() []string {
				list, err := store.(interface {
					Mailboxes(ctx context.Context) ([]string, error)
				}).Mailboxes(t.Context())
				require.NoError(t, err)
				return list
			}
			require.Empty(t, names())
			cursor := func(mailbox, folder string) {
				require.NoError(t, store.SetCursor(t.Context(), mailbox, pec.Cursor{Folder: folder}))
			}
			cursor("c@x", "INBOX")
			cursor("c@x", "Altro")
			require.Equal(t, []string{"c@x"}, names())
			for _, mailbox := range []string{"b@x", "a@x", "d@x"} {
				for _, send := range []string{"1@x", "2@x"} {
					added, err := store.Append(t.Context(), mailbox, fact(send, send))
					require.NoError(t, err)
					require.True(t, added)
				}
			}
			cursor("b@x", "INBOX")
			require.Equal(t, []string{"a@x", "b@x", "c@x", "d@x"}, names())
		})
	}
}

package imapclient_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
)

// TestDovecot reads a mailbox of a real Dovecot, while a second session changes it.
func TestDovecot(t *testing.T) {
	testenv.NoLeak(t)
	id := testenv.NewIdentity(t)
	addr := startDovecot(t, id).Addr
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	owner := newOwner(t, addr, id, user)
	open := func(t *testing.T, opts imapclient.Options) *imapclient.Client {
		opts.TLS, opts.Timeout = id.Client, 20*time.Second
		c, err := imapclient.New(addr, pec.Password(user, secret), &opts)
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		return c
	}
	day := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC) // Dovecot accepts no future date
	var texts []string
	for i := range 560 { // more than one FETCH
		text := fmt.Sprintf("%snumber %d\r\n.\r\n%s\r\n", notice, i, strings.Repeat("x", i*30%900))
		if i%10 == 4 {
			text = plain + "an ordinary one\r\n"
		}
		texts = append(texts, text)
		owner.append("INBOX", text, day.AddDate(0, 0, i/20))
	}
	var last pec.Cursor

	t.Run("fetch", func(t *testing.T) {
		all, items, err := collect(ctx, open(t, imapclient.Options{}), inbox)
		require.NoError(t, err)
		require.Len(t, all, len(texts))
		for i, text := range texts {
			want := text
			if strings.HasPrefix(text, plain) {
				want = "-"
			}
			require.Equal(t, want, all[i].body)
			require.Equal(t, int64(len(text)), items[i].Size)
			require.True(t, day.AddDate(0, 0, i/20).Equal(items[i].Arrived))
		}
		last = items[len(items)-1].Cursor
		assert.Empty(t, owner.search(&imap.SearchCriteria{Flag: []imap.Flag{imap.FlagSeen}}), "nothing is marked as read")
		assert.NotZero(t, last.UIDValidity)
	})
	t.Run("from a cursor", func(t *testing.T) {
		c := open(t, imapclient.Options{})
		after := last
		after.UID -= 5
		all, _, err := collect(ctx, c, after)
		require.NoError(t, err)
		assert.Len(t, all, 5)
		all, _, err = collect(ctx, c, last)
		require.NoError(t, err)
		assert.Empty(t, all)
	})
	t.Run("since", func(t *testing.T) {
		c := open(t, imapclient.Options{Since: day.AddDate(0, 0, 26)})
		_, items, err := collect(ctx, c, inbox)
		require.NoError(t, err)
		assert.Len(t, items, 60, "two days and the day before")
	})
	t.Run("changed meanwhile", func(t *testing.T) {
		c := open(t, imapclient.Options{})
		n := 0
		for item, err := range c.Fetch(ctx, inbox) {
			require.NoError(t, err)
			if n++; n == 1 {
				owner.expunge(550)
				owner.mark(120, 200)
			}
			assert.NotEqual(t, uint32(550), item.Cursor.UID)
			if item.Body != nil {
				b, err := io.ReadAll(item.Body)
				require.NoError(t, err)
				require.Equal(t, texts[item.Cursor.UID-1], string(b))
			}
		}
		assert.Equal(t, len(texts)-1, n)
	})
	t.Run("break and cancel", func(t *testing.T) {
		c := open(t, imapclient.Options{})
		for item, err := range c.Fetch(ctx, inbox) {
			require.NoError(t, err)
			if item.Cursor.UID == 7 {
				break
			}
		}
		short, stop := context.WithCancel(ctx)
		var failed error
		for item, err := range c.Fetch(short, inbox) {
			if failed = err; err == nil && item.Cursor.UID == 9 {
				stop()
			}
		}
		stop()
		require.ErrorIs(t, failed, context.Canceled)
		all, _, err := collect(ctx, c, last)
		require.NoError(t, err)
		assert.Empty(t, all)
	})
	t.Run("wait", func(t *testing.T) {
		c := open(t, imapclient.Options{})
		_, _, err := collect(ctx, c, last)
		require.NoError(t, err)
		short, stop := context.WithTimeout(ctx, 300*time.Millisecond)
		defer stop()
		require.ErrorIs(t, c.Wait(short), context.DeadlineExceeded, "nothing new")

		result := waiting(ctx, c)
		owner.append("INBOX", texts[0], time.Now())
		require.NoError(t, <-result)
		_, items, err := collect(ctx, c, last)
		require.NoError(t, err)
		require.Len(t, items, 1)

		owner.append("INBOX", texts[1], time.Now())
		require.NoError(t, c.Wait(ctx), "arrived between Fetch and Wait")
		_, items, err = collect(ctx, c, items[0].Cursor)
		require.NoError(t, err)
		require.Len(t, items, 1)
	})
	t.Run("folders", func(t *testing.T) {
		c := open(t, imapclient.Options{Folders: []string{"INBOX", "INBOX.Così"}})
		_, _, err := collect(ctx, c, pec.Cursor{Folder: "INBOX.Così"})
		checkReason(t, err, imapclient.ReasonFolder)
		owner.do(owner.client.Create("INBOX.Così", nil).Wait())
		owner.append("INBOX.Così", texts[0], day)
		_, items, err := collect(ctx, c, pec.Cursor{Folder: "INBOX.Così"})
		require.NoError(t, err)
		require.Len(t, items, 1)

		owner.do(owner.client.Delete("INBOX.Così").Wait())
		owner.do(owner.client.Create("INBOX.Così", nil).Wait())
		owner.append("INBOX.Così", texts[1], day)
		all, again, err := collect(ctx, c, items[0].Cursor)
		require.NoError(t, err)
		require.Len(t, all, 1, "another UIDVALIDITY: from the start")
		assert.Equal(t, texts[1], all[0].body)
		assert.NotEqual(t, items[0].Cursor.UIDValidity, again[0].Cursor.UIDValidity)
	})
	t.Run("wrong password", func(t *testing.T) {
		c, err := imapclient.New(addr, pec.Password(user, "wrong"), &imapclient.Options{TLS: id.Client})
		require.NoError(t, err)
		defer c.Close()
		_, _, err = collect(ctx, c, inbox)
		var refused *pec.LoginError
		require.ErrorAs(t, err, &refused)
		assert.Contains(t, refused.Reply, "AUTHENTICATIONFAILED")
	})
}

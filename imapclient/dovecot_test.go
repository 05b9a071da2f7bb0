package imapclient_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"
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
	day := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC) // Dovecot takes no date to come
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
		var login *pec.LoginError
		require.ErrorAs(t, err, &login)
		assert.Contains(t, login.Reply, "AUTHENTICATIONFAILED")
	})
}

// owner is a second session on the mailbox, which may write.
type owner struct {
	t      *testing.T
	client *goimap.Client
}

func newOwner(t *testing.T, addr string, id testenv.Identity, user string) owner {
	client, err := goimap.DialTLS(addr, &goimap.Options{TLSConfig: id.Client})
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	require.NoError(t, client.Login(user, secret).Wait())
	_, err = client.Select("INBOX", nil).Wait()
	require.NoError(t, err)
	return owner{t, client}
}

func (o owner) do(err error) {
	o.t.Helper()
	require.NoError(o.t, err)
}

func (o owner) append(folder, text string, at time.Time) {
	o.t.Helper()
	command := o.client.Append(folder, int64(len(text)), &imap.AppendOptions{Time: at})
	_, err := io.WriteString(command, text)
	o.do(err)
	o.do(command.Close())
	_, err = command.Wait()
	o.do(err)
}

func (o owner) search(criteria *imap.SearchCriteria) []imap.UID {
	data, err := o.client.UIDSearch(criteria, nil).Wait()
	o.do(err)
	return data.AllUIDs()
}

func (o owner) expunge(uid imap.UID) {
	o.do(o.client.Store(imap.UIDSetNum(uid), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close())
	o.do(o.client.UIDExpunge(imap.UIDSetNum(uid)).Close())
}

// mark marks a range of messages as read.
func (o owner) mark(from, to imap.UID) {
	set := imap.UIDSet{imap.UIDRange{Start: from, Stop: to}}
	o.do(o.client.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen}}, nil).Close())
}

// dovecot is a running Dovecot, in which everybody with the password has a mailbox.
type dovecot struct {
	testenv.Dovecot
	t *testing.T
}

func (d dovecot) open(id testenv.Identity, user string, opts imapclient.Options) *imapclient.Client {
	opts.TLS, opts.Timeout = id.Client, 20*time.Second
	c, err := imapclient.New(d.Addr, pec.Password(user, secret), &opts)
	require.NoError(d.t, err)
	d.t.Cleanup(func() { c.Close() })
	return c
}

func startDovecot(t *testing.T, id testenv.Identity) dovecot {
	return dovecot{testenv.StartDovecot(t, id, secret), t}
}

package imapclient_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
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

// TestDovecotMailboxes reads mailboxes of a real Dovecot as they occur in practice:
// large, damaged, with folders that vanish.
func TestDovecotMailboxes(t *testing.T) {
	testenv.NoLeak(t)
	id := testenv.NewIdentity(t)
	d := startDovecot(t, id)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()

	t.Run("5000 messages", func(t *testing.T) {
		var texts []string
		for i := range 5000 {
			text := fmt.Sprintf("%snumber %d\r\n%s", notice, i, strings.Repeat("line of text\r\n", i%100))
			if i%10 == 4 {
				text = plain + "an ordinary one\r\n"
			}
			texts = append(texts, text)
		}
		d.Seed("large", texts...)
		c := d.open(id, "large", imapclient.Options{})
		all, items, err := collect(ctx, c, inbox)
		require.NoError(t, err)
		require.Len(t, all, len(texts))
		for i, text := range texts {
			want := got{uint32(i + 1), text}
			if strings.HasPrefix(text, plain) {
				want.body = "-"
			}
			require.Equal(t, want, all[i])
		}
		all, _, err = collect(ctx, c, items[4999].Cursor)
		require.NoError(t, err)
		assert.Empty(t, all)
	})

	// Dovecot knows these files and cannot read them: it hangs up at the first two, and
	// sends too little of the third.
	t.Run("damaged messages", func(t *testing.T) {
		var texts []string
		for i := range 12 {
			texts = append(texts, fmt.Sprintf("%snumber %d\r\n%s", notice, i, strings.Repeat("line of text\r\n", 10000)))
		}
		paths := d.Seed("damaged", texts...)
		c := d.open(id, "damaged", imapclient.Options{})
		_, _, err := collect(ctx, c, inbox)
		require.NoError(t, err)
		require.NoError(t, os.Chmod(paths[2], 0))
		require.NoError(t, os.Chmod(paths[3], 0))
		require.NoError(t, os.Truncate(paths[6], 3000))
		require.NoError(t, os.Remove(paths[8]))

		var all []got
		var unreadable []uint32
		after, broken := inbox, 0
		for {
			some, bad, err := collectReadable(ctx, c, after)
			all, unreadable = append(all, some...), append(unreadable, bad...)
			if err == nil {
				break
			}
			checkReason(t, err, imapclient.ReasonNetwork) // in the middle of the truncated one
			if broken++; broken > 3 {
				require.NoError(t, err)
			}
			after = pec.Cursor{Folder: "INBOX", UIDValidity: 0, UID: 0}
			all, unreadable = nil, nil
		}
		assert.Equal(t, []uint32{3, 4}, unreadable)
		require.Len(t, all, 9)
		for _, g := range all {
			want := texts[g.uid-1]
			if g.uid == 7 {
				want = want[:3000]
			}
			assert.Equal(t, want, g.body)
		}
	})

	t.Run("a folder vanishes", func(t *testing.T) {
		d.Seed("folders", notice)
		owner := newOwner(t, d.Addr, id, "folders")
		owner.do(owner.client.Create("INBOX.Ricevute", nil).Wait())
		owner.append("INBOX.Ricevute", notice, time.Now())
		c := d.open(id, "folders", imapclient.Options{Folders: []string{"INBOX", "INBOX.Ricevute"}})
		cursors := map[string]pec.Cursor{}
		for _, folder := range c.Folders() {
			_, items, err := collect(ctx, c, pec.Cursor{Folder: folder})
			require.NoError(t, err)
			require.Len(t, items, 1)
			cursors[folder] = items[0].Cursor
		}
		owner.do(owner.client.Delete("INBOX.Ricevute").Wait())
		owner.append("INBOX", notice, time.Now())
		_, _, err := collect(ctx, c, cursors["INBOX.Ricevute"])
		checkReason(t, err, imapclient.ReasonFolder)
		all, _, err := collect(ctx, c, cursors["INBOX"])
		require.NoError(t, err)
		assert.Len(t, all, 1)
		p, err := c.Probe(ctx)
		require.NoError(t, err)
		require.Len(t, p.Selected, 2)
		assert.Equal(t, imapclient.FolderState{Name: "INBOX", UIDValidity: cursors["INBOX"].UIDValidity, Messages: 2}, p.Selected[0])
		checkReason(t, p.Selected[1].Err, imapclient.ReasonFolder)
	})

	t.Run("search", func(t *testing.T) {
		about := func(id string) string { return "X-Riferimento-Message-ID: " + id + "\r\n" + notice }
		d.Seed("search", about("<1@a>"), about("<2@a>"), notice+"X-Riferimento-Message-ID: <2@a>\r\n", about("<2@a>"), about("<12@a>"))
		c := d.open(id, "search", imapclient.Options{})
		all, err := searched(ctx, c, "INBOX", "<2@a>")
		require.NoError(t, err)
		assert.Equal(t, []got{{2, about("<2@a>")}, {4, about("<2@a>")}}, all)
		var many []string
		for i := range 200 {
			many = append(many, fmt.Sprintf("<%d%s@b>", i, strings.Repeat("y", 60)))
		}
		all, err = searchedFor(ctx, c, "INBOX", append(many, "<1@a>", "<12@a>"))
		require.NoError(t, err)
		assert.Equal(t, []got{{1, about("<1@a>")}, {5, about("<12@a>")}}, all)
		all, err = searched(ctx, c, "INBOX", `<"\@a>`)
		require.NoError(t, err)
		assert.Empty(t, all)
	})

	t.Run("probe", func(t *testing.T) {
		d.Seed("probe")
		owner := newOwner(t, d.Addr, id, "probe")
		text := notice + strings.Repeat("line of text\r\n", 10000)
		owner.append("INBOX", text, time.Now())
		c := d.open(id, "probe", imapclient.Options{})
		p, err := c.Probe(ctx)
		require.NoError(t, err)
		assert.True(t, p.Idle)
		assert.Contains(t, p.Capabilities, "QUOTA")
		require.NotNil(t, p.Quota)
		assert.Equal(t, int64(100<<20), p.Quota.Limit)
		assert.InDelta(t, len(text), p.Quota.Used, 2048)
		assert.Contains(t, p.Folders, imapclient.Folder{Name: "INBOX.Spedite", Delimiter: ".", SpecialUse: `\Sent`, Selectable: true})
		assert.Empty(t, owner.search(&imap.SearchCriteria{Flag: []imap.Flag{imap.FlagSeen}}))
	})

	t.Run("sent", func(t *testing.T) {
		d.Seed("sent")
		open := func() *imapclient.SentFolder {
			s, err := imapclient.NewSentFolder(d.Addr, pec.Password("sent", secret), &imapclient.SentOptions{TLS: id.Client, Timeout: 20 * time.Second})
			require.NoError(t, err)
			t.Cleanup(func() { s.Close() })
			return s
		}
		s := open()
		for range 2 {
			require.NoError(t, save(s))
		}
		require.NoError(t, save(open()))

		// A large message is streamed, never held in memory as a whole.
		head := "Message-ID: <large@pec.example>\r\n\r\n"
		line := bytes.Repeat([]byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab\r\n"), 1<<10)
		const lines = 600
		body := []io.Reader{strings.NewReader(head)}
		for range lines {
			body = append(body, bytes.NewReader(line))
		}
		size := int64(len(head) + lines*len(line))
		stop := peak()
		require.NoError(t, s.Save(ctx, "<large@pec.example>", size, io.MultiReader(body...)))
		assert.Less(t, stop(), uint64(16<<20))

		// An incomplete message leaves no copy.
		err := s.Save(ctx, "<short@pec.example>", size, strings.NewReader(head))
		checkReason(t, err, imapclient.ReasonArgument)

		c := d.open(id, "sent", imapclient.Options{})
		p, err := c.Probe(ctx)
		require.NoError(t, err)
		require.NotNil(t, p.Quota)
		owner := newOwner(t, d.Addr, id, "sent")
		_, err = owner.client.Select("INBOX.Spedite", nil).Wait()
		owner.do(err)
		assert.Len(t, owner.search(&imap.SearchCriteria{}), 2)
		assert.Len(t, owner.search(&imap.SearchCriteria{Flag: []imap.Flag{imap.FlagSeen}}), 2)
		all, _, err := collect(ctx, c, pec.Cursor{Folder: "INBOX.Spedite"})
		require.NoError(t, err)
		assert.Len(t, all, 2)
	})
}

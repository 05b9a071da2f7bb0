package pec_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/growth"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// renumberingMailbox is a Mailbox that has a new UIDVALIDITY each time it is read, and
// never hands out a message.
type renumberingMailbox struct {
	*ports
	validity uint32
}

func (m *renumberingMailbox) Fetch(_ context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		m.validity++
		yield(pec.Item{}, &pec.MessageError{
			Cursor: pec.Cursor{Folder: after.Folder, UIDValidity: m.validity, UID: 1}, Err: errors.New("withheld"),
		})
	}
}

// Sync returns although the mailbox renumbers its messages again and again.
func TestAMailboxThatRenumbersItselfEndsTheLoop(t *testing.T) {
	n := pectest.Start(t, nil)
	m := &renumberingMailbox{ports: &ports{}}
	c := newClient(t, n, m, m, nil)
	steps := 0
	for e, err := range c.Sync(t.Context()) {
		if steps++; steps > 10 {
			break
		}
		require.True(t, err != nil || e.Unreadable != nil)
	}
	require.LessOrEqual(t, steps, 3)
}

// Somebody who knows the Message-ID of a send forges many notices and bounces about it.
func TestWorkOnForgeriesGrowsAsTheyDo(t *testing.T) {
	n, forger := pectest.Start(t, nil), pectest.Start(t, nil)
	growth.Run(t, []growth.Case{
		{Name: "claims and bounces", N: 50, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			c, p, store := newCountingClient(tb, n)
			id, err := c.Send(tb.Context(), pec.Message{To: []string{info}})
			require.NoError(tb, err)
			for range size {
				raw, err := forger.Providers()[1].Emit(pectest.Notice{
					Kind: pectest.KindDelivery, Sender: me, MessageID: "<" + id + ">", Delivered: info, Recipients: []pectest.Recipient{{Address: info}},
				})
				require.NoError(tb, err)
				p.inbox = append(p.inbox, raw, bounceMail(tb, n, id, "\nFinal-Recipient: rfc822; "+info+"\nAction: failed\n"))
			}
			before := store.read
			return func() int64 {
				seen := 0
				for e, err := range c.Sync(context.Background()) {
					require.NoError(tb, err)
					require.Equal(tb, id, e.MessageID)
					seen++
				}
				require.Equal(tb, 2*size, seen)
				return store.read - before
			}
		}},
	})
}

// wordySubmitter is a Submitter whose server answers at length.
type wordySubmitter struct {
	*ports
	words string
	kind  pec.OutcomeKind
}

func (s wordySubmitter) Submit(_ context.Context, m pec.Submission) pec.Outcome {
	long := pec.Reply{Code: 451, Text: s.words}
	o := pec.Outcome{Kind: s.kind, Reply: long, Err: errors.New(s.words)}
	for _, address := range m.To {
		o.Recipients = append(o.Recipients, pec.RecipientReply{Address: address, Reply: long})
	}
	return o
}

// The server's reply for each recipient is stored with each attempt, and is shortened.
func TestLongRepliesDoNotFillTheStore(t *testing.T) {
	n := pectest.Start(t, nil)
	for _, kind := range []pec.OutcomeKind{pec.OutcomeTemporary, pec.OutcomeRefused, pec.OutcomeUncertain, pec.OutcomeAuthentication} {
		t.Run(string(kind), func(t *testing.T) {
			store, p := &weighingStore{Store: pec.NewMemory()}, &ports{}
			c := newClient(t, n, wordySubmitter{p, strings.Repeat("<", 64<<10), kind}, p, &pec.Options{Store: store})
			const recipients = 50
			id, err := c.Send(t.Context(), pec.Message{To: addresses(recipients)})
			require.Error(t, err)
			require.Less(t, store.kept, int64(recipients*8<<10+64<<10))
			s, err := c.Status(t.Context(), id)
			require.NoError(t, err)
			require.Len(t, s.Recipients, recipients)
		})
	}
}

// thornyMailbox is a Mailbox in which a search meets a message that cannot be read.
type thornyMailbox struct {
	*ports
	folders []string
	thorn   func(folder, messageID string) bool // whether that search meets it
	notices map[string][]byte                   // in the last folder, by Message-ID
}

func (m *thornyMailbox) Folders() []string { return m.folders }

func (m *thornyMailbox) Search(_ context.Context, folder string, messageIDs []string) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		at, thorns := pec.Cursor{Folder: folder, UIDValidity: 1, UID: 1}, 0
		for _, id := range messageIDs {
			if raw := m.notices[id]; raw != nil && folder == m.folders[len(m.folders)-1] {
				if !yield(pec.Item{Cursor: at, Body: bytes.NewReader(raw)}, nil) {
					return
				}
			}
			if m.thorn(folder, id) {
				thorns++
			}
		}
		if thorns > 0 {
			yield(pec.Item{}, &pec.MessageError{Cursor: at, Err: errors.New("withheld")})
		}
	}
}

// A message that cannot be read does not keep another folder, or another send, from being
// searched.
func TestAMessageThatCannotBeReadHidesNoProof(t *testing.T) {
	begin := func(t *testing.T, m *thornyMailbox) (c *pec.Client, ids []string) {
		n := pectest.Start(t, &pectest.Options{InMemory: true})
		m.ports, m.notices = &ports{outcome: pec.OutcomeUncertain, waits: true}, map[string][]byte{}
		c = newClient(t, n, m, m, nil)
		for range 3 {
			id, err := c.Send(t.Context(), diffida(""))
			require.Error(t, err)
			ids = append(ids, id)
			m.notices[id] = emit(t, n.Providers()[1], pectest.KindDelivery, me, id, luigi)
		}
		return c, ids
	}
	t.Run("folder", func(t *testing.T) {
		c, ids := begin(t, &thornyMailbox{folders: []string{"A", "INBOX"}, thorn: func(folder, _ string) bool { return folder == "A" }})
		require.Error(t, lastError(c.SearchNotices(t.Context(), ids[0])), "the failure is reported")
		require.Equal(t, pec.StateDelivered, stateOf(t, c, ids[0]))
	})
	t.Run("send", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, ids := begin(t, &thornyMailbox{folders: []string{"INBOX"}, thorn: func(string, string) bool { return true }})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			require.ErrorIs(t, lastError(c.Watch(ctx)), context.DeadlineExceeded)
			for _, id := range ids {
				require.Equal(t, pec.StateDelivered, stateOf(t, c, id))
			}
		})
	})
}

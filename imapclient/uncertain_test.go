package imapclient_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// doubtful is a Submitter that never gets a reply.
type doubtful struct{}

func (doubtful) Submit(_ context.Context, s pec.Submission) pec.Outcome {
	_, _ = io.Copy(io.Discard, s.Body)
	return pec.Outcome{Kind: pec.OutcomeUncertain}
}

// searching counts calls, and ends a Watch after one search.
type searching struct {
	pec.Mailbox
	over     func()
	fetches  int
	searches int
	took     time.Duration
	reached  map[string]bool
}

func (m *searching) Fetch(ctx context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	m.fetches++
	return m.Mailbox.Fetch(ctx, after)
}

func (m *searching) Search(ctx context.Context, folder string, ids []string) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		m.searches++
		begun := time.Now()
		for item, err := range m.Mailbox.Search(ctx, folder, ids) {
			if !yield(item, err) || err != nil {
				return
			}
		}
		m.took = max(m.took, time.Since(begun))
		for _, id := range ids {
			m.reached[id] = true
		}
		m.over()
	}
}

// TestUncertainSendsInALargeMailbox searches a real Dovecot for proof of 300 uncertain
// sends, a few of which were delivered. GOPEC_SCALE sets the number of messages in the
// mailbox.
func TestUncertainSendsInALargeMailbox(t *testing.T) {
	count, sends := 2000, 300
	if s := os.Getenv("GOPEC_SCALE"); s != "" {
		var err error
		count, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	id, n := testenv.NewIdentity(t), pectest.Start(t, nil)
	d := startDovecot(t, id)
	now, store := time.Now(), pec.NewMemory()
	m := &searching{Mailbox: d.open(id, me, imapclient.Options{}), reached: map[string]bool{}, over: func() {}}
	c, err := pec.New(me, doubtful{}, m, trusttest.Verifier(t, n, nil), &pec.Options{Store: store, Now: func() time.Time { return now }})
	require.NoError(t, err)
	var left, texts []string
	for i := range sends {
		now = now.Add(time.Millisecond)
		messageID, err := c.Send(t.Context(), pec.Message{To: []string{luigi}, Subject: "x", Text: "x"})
		require.Error(t, err)
		if i%60 == 59 {
			left = append(left, messageID)
			texts = append(texts, delivery(t, n, messageID))
		}
	}
	for i := len(texts); i < count; i++ {
		texts = append(texts, fmt.Sprintf("X-Riferimento-Message-ID: <%d@elsewhere.example>\r\n%sx\r\n", i, plain))
	}
	d.Seed(me, texts...)
	// The cursor is at the end of the mailbox: only searches find the proof.
	for item, err := range m.Mailbox.Fetch(t.Context(), pec.Cursor{Folder: "INBOX"}) {
		require.NoError(t, err)
		item.Cursor.UID = uint32(count)
		require.NoError(t, store.SetCursor(t.Context(), me, item.Cursor))
		break
	}
	now = now.Add(2 * time.Minute)
	turns := 0
	for ; len(m.reached) < sends && turns < 20; turns++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		m.over = cancel
		before := m.fetches
		for e := range c.Watch(ctx) {
			require.NoError(t, e.Trouble)
		}
		cancel()
		require.Greater(t, m.fetches, before, "each turn reads")
	}
	t.Logf("%d messages, %d uncertain sends: all reached in %d turns of one search, the longest of %v", count, sends, turns, m.took)
	require.Len(t, m.reached, sends)
	require.Equal(t, 6, turns)
	for _, messageID := range left {
		s, err := c.Status(t.Context(), messageID)
		require.NoError(t, err)
		require.Equal(t, pec.StateDelivered, s.Recipients[0].State)
	}
}

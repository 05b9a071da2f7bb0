package rewindtest

import (
	"bytes"
	"context"
	"io"
	"iter"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

const (
	me    = "mario@alfa-pec.example"
	luigi = "luigi@beta-pec.example"
)

// provider is a submitter and a mailbox in one. It has what no backup puts back: the messages
// that left, and the notices about them. A pectest network signs the notices.
type provider struct {
	t       *testing.T
	network *pectest.Network
	answers []pec.OutcomeKind // the outcomes of the next attempts; then every attempt is submitted
	fails   int               // how many of the next messages are not delivered
	copies  map[string]int    // how often each message was submitted, by Message-ID
	inbox   []item
	now     *time.Time
}

// item is a notice and the time at which it arrives.
type item struct {
	raw     []byte
	arrives time.Time
}

// delay is how long a notice takes to arrive. A Store may be put back before that.
const delay = 30 * time.Minute

func newProvider(t *testing.T, network *pectest.Network) *provider {
	return &provider{t: t, network: network, copies: map[string]int{}}
}

func (p *provider) Submit(_ context.Context, s pec.Submission) pec.Outcome {
	raw, err := io.ReadAll(s.Body)
	if err != nil {
		return pec.Outcome{Kind: pec.OutcomeTemporary, Err: err}
	}
	kind := pec.OutcomeSubmitted
	if len(p.answers) > 0 {
		kind, p.answers = p.answers[0], p.answers[1:]
	}
	if kind != pec.OutcomeSubmitted {
		return pec.Outcome{Kind: kind}
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	require.NoError(p.t, err)
	id := strings.Trim(m.Header.Get("Message-Id"), "<>")
	p.copies[id]++
	p.notice(pectest.KindAcceptance, id, m.Header.Get("Subject"))
	last := pectest.KindDelivery
	if p.fails > 0 {
		p.fails--
		last = pectest.KindNonDelivery
	}
	p.notice(last, id, m.Header.Get("Subject"))
	return pec.Outcome{Kind: kind}
}

// notice adds a notice about a message to the mailbox.
func (p *provider) notice(kind, id, subject string) {
	n := pectest.Notice{
		Kind: kind, Sender: me, MessageID: "<" + id + ">", CertID: "c-" + id, Subject: subject,
		Recipients: []pectest.Recipient{{Address: luigi}},
	}
	if kind != pectest.KindAcceptance {
		n.Delivered = luigi
	}
	raw, err := p.network.Providers()[0].Emit(n)
	require.NoError(p.t, err)
	p.inbox = append(p.inbox, item{raw, p.now.Add(delay)})
}

func (p *provider) Folders() []string { return []string{"INBOX"} }

func (p *provider) Fetch(_ context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	return p.items(after.Folder, int(after.UID), func([]byte) bool { return true })
}

func (p *provider) Search(_ context.Context, folder string, messageIDs []string) iter.Seq2[pec.Item, error] {
	return p.items(folder, 0, func(raw []byte) bool {
		return slices.ContainsFunc(messageIDs, func(id string) bool { return bytes.Contains(raw, []byte(id)) })
	})
}

// items yields the notices that have arrived, from a place on, for which wanted is true.
func (p *provider) items(folder string, from int, wanted func([]byte) bool) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		for i := from; i < len(p.inbox) && !p.inbox[i].arrives.After(*p.now); i++ {
			item := pec.Item{Cursor: pec.Cursor{Folder: folder, UIDValidity: 1, UID: uint32(i + 1)}, Body: bytes.NewReader(p.inbox[i].raw)}
			if wanted(p.inbox[i].raw) && !yield(item, nil) {
				return
			}
		}
	}
}

func (p *provider) Wait(ctx context.Context) error { return ctx.Err() }

package pec_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/inbound"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

// One recipient answers, one bounces, and the delivery receipt of one has the content.
func TestAnswersBouncesAndContentJoinTheSend(t *testing.T) {
	n := pectest.Start(t, nil)
	n.SetFate(luigi, pectest.Fate{Reply: "Ricevuto."})
	c := overSockets(t, n)
	id, err := c.Send(t.Context(), pec.Message{To: []string{luigi, "unknown@example.org"}, Cc: []string{bruna}, Text: "Buongiorno"})
	require.NoError(t, err)
	require.NoError(t, n.Idle(t.Context()))
	replies, bounces := 0, 0
	for e, err := range c.Sync(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, id, e.MessageID)
		require.NotNil(t, e.Proven)
		switch e.Proven.Kind {
		case envelope.KindTransport:
			replies++
			require.Equal(t, luigi, e.Inbound.Sender)
		case envelope.KindAnomaly:
			bounces++
		}
	}
	require.Equal(t, 1, replies)
	require.Equal(t, 1, bounces)
	s, err := c.Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, pec.StateBounced, recipientState(t, s, "unknown@example.org"))
	require.True(t, s.Settled)
	for address, want := range map[string]receipt.ContentResult{luigi: receipt.ContentMatch, bruna: receipt.ContentUnchecked} {
		r, _ := s.Recipient(address)
		require.Equal(t, pec.StateDelivered, r.State)
		require.Equal(t, want, r.Content, address)
	}
	r, _ := s.Recipient(bruna)
	require.Equal(t, receipt.DetailConcise, r.Detail)
}

// A reply to our PEC cites the provider's ID of it in In-Reply-To.
func TestAReplyNamesTheCertID(t *testing.T) {
	n := pectest.Start(t, nil)
	n.SetFate(luigi, pectest.Fate{Reply: "Ricevuto."})
	c := overSockets(t, n)
	_, err := c.Send(t.Context(), pec.Message{To: []string{luigi}, Subject: "Diffida"})
	require.NoError(t, err)
	require.NoError(t, n.Idle(t.Context()))
	var certID string
	seen := 0
	for e, err := range c.Sync(t.Context()) {
		require.NoError(t, err)
		if e.Inbound == nil {
			certID = e.Notice.CertID
			continue
		}
		seen++
		in, err := inbound.Open(e.Proven, time.Time{})
		require.NoError(t, err)
		require.Equal(t, envelope.KindTransport, in.Kind)
		require.Equal(t, luigi, in.Sender)
		require.Equal(t, []string{certID}, in.Header.InReplyTo)
		text, err := in.Text()
		require.NoError(t, err)
		require.Contains(t, text, "Ricevuto.")
	}
	require.Equal(t, 1, seen)
}

// A delivery whose content is not what was sent is still a delivery. Its notice and the
// status report the difference.
func TestDeliveredContentThatDiffersIsReported(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	original := append([]byte{}, o.submitted[0].raw...)
	original[len(original)-5] ^= 1
	raw, err := o.network.Providers()[1].Emit(pectest.Notice{
		Kind: pectest.KindDelivery, Sender: me, MessageID: "<" + id + ">", Delivered: luigi,
		Recipients: []pectest.Recipient{{Address: luigi}}, ReceiptKind: pectest.ReceiptFull, Original: original,
	})
	require.NoError(t, err)
	o.inbox = [][]byte{raw}
	events := syncAll(t, o.Client)
	require.Len(t, events, 1)
	require.Equal(t, receipt.ContentMismatch, events[0].Notice.Content.Result)
	require.Equal(t, "body", events[0].Notice.Content.Differences[0].What)
	s, err := o.Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, pec.StateDelivered, s.Recipients[0].State)
	require.Equal(t, receipt.ContentMismatch, s.Recipients[0].Content)
}

package pec_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

func TestNoticesMoveTheStatus(t *testing.T) {
	n := pectest.Start(t, nil)
	p := &ports{outcome: pec.OutcomeSubmitted}
	c := newClient(t, n, p, p, nil)
	id := sendOne(t, c)
	p.inbox = [][]byte{
		nil, // ordinary mail, by its header
		emit(t, n.Providers()[0], pectest.KindAcceptance, me, id, ""),
	}
	events := syncAll(t, c)
	require.Len(t, events, 1)
	require.Equal(t, id, events[0].MessageID)
	require.Equal(t, envelope.KindAcceptance, events[0].Notice.Kind)
	require.Equal(t, pec.StateAccepted, stateOf(t, c, id))

	p.inbox = append(p.inbox, emit(t, n.Providers()[1], pectest.KindDelivery, me, id, luigi))
	events = syncAll(t, c)
	require.Len(t, events, 1, "what was read is not read again")
	require.Equal(t, pec.Cursor{Folder: "INBOX", UIDValidity: 1, UID: 3}, events[0].Cursor)
	status, err := c.Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, pec.ResultDelivered, status.Result)
	r := status.Recipients[0]
	require.Equal(t, events[0].Notice.Digest, r.Evidence)
	require.Equal(t, events[0].Notice.Time, r.Time)
	require.False(t, status.SentAt.IsZero())
}

// The attack of a recipient: it read our Message-ID, sent a PEC of its own with
// it, and got a genuine delivery receipt for it into our mailbox.
func TestGenuineDeliveryForAnotherSenderIsForeign(t *testing.T) {
	n := pectest.Start(t, nil)
	p := &ports{outcome: pec.OutcomeSubmitted}
	c := newClient(t, n, p, p, nil)
	id := sendOne(t, c)
	p.inbox = [][]byte{emit(t, n.Providers()[1], pectest.KindDelivery, bruna, id, luigi)}
	events := syncAll(t, c)
	require.Len(t, events, 1)
	require.Equal(t, envelope.KindDelivery, events[0].Notice.Kind, "it is proven")
	require.Empty(t, events[0].MessageID, "and it is not ours")
	require.Equal(t, pec.StateSubmitted, stateOf(t, c, id))
	// The same with our address is the genuine one.
	p.inbox = append(p.inbox, emit(t, n.Providers()[1], pectest.KindDelivery, me, id, luigi))
	require.Equal(t, id, syncAll(t, c)[0].MessageID)
	require.Equal(t, pec.StateDelivered, stateOf(t, c, id))
}

func TestWhatIsNotProvenMovesNothingAndBlocksNothing(t *testing.T) {
	n, stranger := pectest.Start(t, nil), pectest.Start(t, nil)
	p := &ports{outcome: pec.OutcomeSubmitted}
	c := newClient(t, n, p, p, nil)
	id := sendOne(t, c)
	genuine := emit(t, n.Providers()[1], pectest.KindDelivery, me, id, luigi)
	p.inbox = [][]byte{
		emit(t, stranger.Providers()[1], pectest.KindDelivery, me, id, luigi),
		bytes.Replace(genuine, []byte("Il giorno"), []byte("Il Giorno"), 1),
		[]byte("X-Ricevuta: avvenuta-consegna\r\n\r\nconsegnato\r\n"),
		[]byte("Subject: ordinary\r\nContent-Type: multipart/signed\r\n\r\nciao\r\n"),
		append(bytes.Repeat([]byte("X-Long: header\r\n"), 80_000), genuine...),
	}
	events := syncAll(t, c)
	require.Len(t, events, 4)
	for i, code := range []envelope.Code{envelope.CodeUntrusted, envelope.CodeDigestMismatch, envelope.CodeUnsigned, envelope.CodeTooLarge} {
		require.Zero(t, events[i].Notice)
		require.Equal(t, code, events[i].Unverified.Code)
	}
	require.Equal(t, pec.StateSubmitted, stateOf(t, c, id))
	p.inbox = append(p.inbox, genuine)
	require.Len(t, syncAll(t, c), 1)
	require.Equal(t, pec.StateDelivered, stateOf(t, c, id))
}

func TestTransportEnvelopeIsInbound(t *testing.T) {
	n := pectest.Start(t, nil)
	p := &ports{}
	c := newClient(t, n, p, p, nil)
	original := "From: luigi@beta-pec.example\r\nSubject: Risposta\r\n\r\nSì.\r\n"
	raw, err := n.Providers()[1].Emit(pectest.Notice{
		Kind: pectest.KindTransport, Sender: luigi, MessageID: "<x@y>", Recipients: []pectest.Recipient{{Address: me}},
		Original: []byte(original),
	})
	require.NoError(t, err)
	p.inbox = [][]byte{raw}
	seen := 0
	for e, err := range c.Sync(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, envelope.KindTransport, e.Inbound.Kind)
		require.Equal(t, luigi, e.Proven.CertData.Sender)
		kept, err := io.ReadAll(e.Raw)
		require.NoError(t, err)
		require.Equal(t, raw, kept, "the evidence, byte for byte")
		r, err := e.Proven.Original()
		require.NoError(t, err)
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, original, string(got))
		seen++
	}
	require.Equal(t, 1, seen)
}

func TestAMessageIsReadAgainUntilItIsSafe(t *testing.T) {
	n := pectest.Start(t, nil)
	p := &ports{outcome: pec.OutcomeSubmitted}
	c := newClient(t, n, p, p, nil)
	id := sendOne(t, c)
	p.inbox = [][]byte{
		emit(t, n.Providers()[0], pectest.KindAcceptance, me, id, ""),
		emit(t, n.Providers()[1], pectest.KindDelivery, me, id, luigi),
	}
	p.failAt = 2
	var got error
	events := 0
	for _, err := range c.Sync(t.Context()) {
		if err != nil {
			got = err
			continue
		}
		events++
	}
	require.ErrorIs(t, got, io.ErrUnexpectedEOF)
	require.Equal(t, 1, events)
	require.Equal(t, pec.StateAccepted, stateOf(t, c, id))
	p.failAt = 0
	for range c.Sync(t.Context()) {
		break // the application stops before it has handled the event
	}
	require.Len(t, syncAll(t, c), 1, "the message it was left at comes again")
	require.Equal(t, pec.StateDelivered, stateOf(t, c, id))
}

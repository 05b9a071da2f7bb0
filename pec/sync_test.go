package pec_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
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
		nil, // ordinary mail
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

// A recipient has sent a PEC with our Message-ID, and has got the genuine delivery receipt
// for it into our mailbox.
func TestAGenuineDeliveryForAnotherSenderIsForeign(t *testing.T) {
	n := pectest.Start(t, nil)
	p := &ports{outcome: pec.OutcomeSubmitted}
	c := newClient(t, n, p, p, nil)
	id := sendOne(t, c)
	p.inbox = [][]byte{emit(t, n.Providers()[1], pectest.KindDelivery, bruna, id, luigi)}
	events := syncAll(t, c)
	require.Len(t, events, 1)
	require.Equal(t, envelope.KindDelivery, events[0].Notice.Kind, "the notice is proven")
	require.Empty(t, events[0].MessageID, "the notice is not about our send")
	require.Equal(t, pec.StateSubmitted, stateOf(t, c, id))
	// A notice that names our address is about our send.
	p.inbox = append(p.inbox, emit(t, n.Providers()[1], pectest.KindDelivery, me, id, luigi))
	require.Equal(t, id, syncAll(t, c)[0].MessageID)
	require.Equal(t, pec.StateDelivered, stateOf(t, c, id))
}

func TestAnUnprovenMessageMovesNothingAndBlocksNothing(t *testing.T) {
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

func TestATransportEnvelopeIsInbound(t *testing.T) {
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

func TestAMessageIsReadAgainUntilItIsHandled(t *testing.T) {
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
	require.Len(t, syncAll(t, c), 1, "the message at which the loop was left is yielded again")
	require.Equal(t, pec.StateDelivered, stateOf(t, c, id))
}

// withholdingMailbox is a Mailbox that does not hand out one message.
type withholdingMailbox struct {
	pec.Mailbox
	uid uint32
}

func (m withholdingMailbox) Fetch(ctx context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		for item, err := range m.Mailbox.Fetch(ctx, after) {
			if item.Cursor.UID == m.uid {
				yield(pec.Item{}, &pec.MessageError{Cursor: item.Cursor, Err: errors.New("withheld")})
				return
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

func TestAWithheldMessageIsPassedOver(t *testing.T) {
	n, p := pectest.Start(t, nil), &ports{outcome: pec.OutcomeSubmitted}
	c := newClient(t, n, p, withholdingMailbox{p, 2}, nil)
	id := sendOne(t, c)
	p.inbox = [][]byte{
		emit(t, n.Providers()[0], pectest.KindAcceptance, me, id, ""),
		[]byte("never seen"),
		emit(t, n.Providers()[1], pectest.KindDelivery, me, id, luigi),
	}
	events := syncAll(t, c)
	require.Len(t, events, 3)
	require.EqualError(t, errors.Unwrap(events[1].Unreadable), "withheld")
	require.Equal(t, pec.StateDelivered, stateOf(t, c, id))
	require.Empty(t, syncAll(t, c))
}

func TestSendsOfOtherProgramsAreFollowed(t *testing.T) {
	o := newOffice(t)
	o.inbox = [][]byte{
		emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, "outlook@desk", ""),
		emit(t, o.network.Providers()[1], pectest.KindDelivery, me, "outlook@desk", luigi),
		emit(t, o.network.Providers()[1], pectest.KindDelivery, bruna, "hers@desk", luigi),
	}
	events := syncAll(t, o.Client)
	require.Len(t, events, 3)
	require.Empty(t, events[2].MessageID)
	s, err := o.Status(t.Context(), "outlook@desk")
	require.NoError(t, err)
	require.True(t, s.Elsewhere)
	require.Equal(t, pec.ResultDelivered, s.Result)
	_, err = o.Status(t.Context(), "hers@desk")
	require.ErrorIs(t, err, pec.ErrUnknownSend)
	require.Len(t, o.find(t, pec.FilterAll), 1)
	require.Empty(t, o.find(t, pec.FilterDue))
}

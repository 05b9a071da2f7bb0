package pec_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/inbound"
	"github.com/gopec/gopec/pec/pectest"
)

// A bounce that has passed through a network of providers names the send and its
// recipient.
func TestABounceOfAnOrdinaryRecipientNamesTheSend(t *testing.T) {
	n := pectest.Start(t, nil)
	c := overSockets(t, n)
	id, err := c.Send(t.Context(), pec.Message{To: []string{"unknown@example.org"}, Subject: "Diffida"})
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
		b, err := in.Bounce()
		require.NoError(t, err)
		require.Equal(t, id, b.MessageID)
		require.Equal(t, certID, b.CertID)
		require.Len(t, b.Recipients, 1)
		require.Equal(t, "unknown@example.org", b.Recipients[0].Final)
		require.Equal(t, "5.1.1", b.Recipients[0].Code)
		require.Equal(t, "550 5.1.1", b.Recipients[0].Diagnostic)
	}
	require.Equal(t, 1, seen)
}

// Anybody can write a bounce. It proves nothing about a PEC mailbox.
func TestABounceDoesNotMoveACertifiedRecipient(t *testing.T) {
	n := pectest.Start(t, nil)
	c := overSockets(t, n)
	id, err := c.Send(t.Context(), pec.Message{To: []string{"silent@beta-pec.example"}})
	require.NoError(t, err)
	require.NoError(t, n.Idle(t.Context()))
	forged := "From: mailer-daemon@example.org\r\nTo: " + me + "\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
		"--b\r\n\r\nfailed\r\n" +
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; example.org\r\n\r\n" +
		"Final-Recipient: rfc822; silent@beta-pec.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n" +
		"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nX-Riferimento-Message-ID: <" + id + ">\r\n\r\n--b--\r\n"
	require.NoError(t, n.Receive("", []string{me}, []byte(forged)))
	require.NoError(t, n.Idle(t.Context()))
	bounces := 0
	for e, err := range c.Sync(t.Context()) {
		require.NoError(t, err)
		if e.Inbound != nil {
			require.Equal(t, id, e.MessageID)
			bounces++
		}
	}
	require.Equal(t, 1, bounces)
	require.Equal(t, pec.StateAccepted, stateOf(t, c, id))
	facts, err := c.Facts(t.Context(), id)
	require.NoError(t, err)
	for _, f := range facts {
		_, bounce := f.(pec.BounceFact)
		require.False(t, bounce, "no fact is recorded about it")
	}
}

// A bounce may name several recipients. The whole message of the bounce can be read from
// each fact about it.
func TestEachFactOfABounceHasItsMessage(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeSubmitted
	id, err := o.Send(t.Context(), pec.Message{To: []string{info, "altro@example.org", luigi}})
	require.NoError(t, err)
	acceptance, err := o.network.Providers()[0].Emit(pectest.Notice{
		Kind: pectest.KindAcceptance, Sender: me, MessageID: "<" + id + ">",
		Recipients: []pectest.Recipient{{Address: info, Type: pectest.RecipientOrdinary}, {Address: "altro@example.org", Type: pectest.RecipientOrdinary}, {Address: luigi}},
	})
	require.NoError(t, err)
	raw := bounceMail(t, o.network, id, `
Final-Recipient: rfc822; info@example.org
Action: failed

Final-Recipient: rfc822; luigi@beta-pec.example
Action: failed

Final-Recipient: rfc822; altro@example.org
Action: failed
`)
	o.inbox = [][]byte{acceptance, raw}
	syncAll(t, o.Client)
	facts, err := o.Facts(t.Context(), id)
	require.NoError(t, err)
	var bounced []string
	for _, f := range facts {
		if b, ok := f.(pec.BounceFact); ok {
			bounced = append(bounced, b.Recipient)
			body, err := o.Raw(t.Context(), id, b)
			require.NoError(t, err)
			kept, err := io.ReadAll(body)
			require.NoError(t, err)
			require.Equal(t, raw, kept)
		}
	}
	require.Equal(t, []string{info, "altro@example.org"}, bounced, "a bounce proves nothing about a PEC mailbox")
}

// A store of an earlier version has the message of a bounce once for each recipient, and
// bounces of certified recipients too. Its facts fold as they did, and each opens its own
// message.
func TestBouncesStoredByAnEarlierVersionFoldTheSame(t *testing.T) {
	store := pec.NewMemory()
	ledger, err := pec.NewLedger(me, store, nil)
	require.NoError(t, err)
	facts := append(submitted(luigi, info), acceptance(),
		pec.BounceFact{Digest: envelope.Digest{7}, Recipient: luigi, Code: "5.1.1", At: sentAt},
		pec.BounceFact{Digest: envelope.Digest{7}, Recipient: info, Code: "5.1.2", At: sentAt},
		pec.BounceFact{Digest: envelope.Digest{8}, Recipient: info, Code: "5.1.3", At: sentAt.Add(time.Hour)})
	for _, f := range facts {
		entry, err := pec.NewEntryForTest(ourID, f)
		require.NoError(t, err)
		if b, ok := f.(pec.BounceFact); ok {
			raw := []byte("message for " + b.Recipient)
			entry.Raw = io.NewSectionReader(bytes.NewReader(raw), 0, int64(len(raw)))
		}
		added, err := store.Append(t.Context(), me, entry)
		require.NoError(t, err)
		require.True(t, added)
	}
	s, err := ledger.Status(t.Context(), ourID)
	require.NoError(t, err)
	require.Equal(t, pec.StateAccepted, recipientState(t, s, luigi))
	require.Equal(t, pec.StateBounced, recipientState(t, s, info))
	r, _ := s.Recipient(info)
	require.Equal(t, "5.1.2", r.Failure.Code)
	for _, f := range facts[len(facts)-3:] {
		body, err := ledger.Raw(t.Context(), ourID, f)
		require.NoError(t, err)
		kept, err := io.ReadAll(body)
		require.NoError(t, err)
		require.Equal(t, "message for "+f.(pec.BounceFact).Recipient, string(kept))
	}
}

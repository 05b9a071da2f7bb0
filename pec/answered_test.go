package pec_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/inbound"
	"github.com/gopec/gopec/pec/pectest"
)

// The bounce of an ordinary recipient, all the way through a network.
func TestBounceOfAnOrdinaryRecipient(t *testing.T) {
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

// A reply to our PEC names the provider's ID.
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

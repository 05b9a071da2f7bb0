package pec_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

// Package pectest, which was written independently of this package, sends over a day what
// RFC 6109 demands of providers. The status of each recipient follows it.
func TestTheFatesOfADayBecomeStates(t *testing.T) {
	n := pectest.Start(t, nil)
	c := overSockets(t, n)
	at := func(local string) string { return local + "@beta-pec.example" }
	var to []string
	for local := range pectest.ReservedFates() {
		to = append(to, at(local))
	}
	require.Len(t, to, 8)
	id, err := c.Send(t.Context(), pec.Message{To: append(to, luigi, info), Subject: "Diffida"})
	require.NoError(t, err)

	expect := func(states map[string]pec.State) pec.Status {
		t.Helper()
		require.NoError(t, n.Idle(t.Context()))
		for e, err := range c.Sync(t.Context()) {
			require.NoError(t, err)
			require.Nil(t, e.Unverified)
			require.Equal(t, id, e.MessageID)
		}
		s, err := c.Status(t.Context(), id)
		require.NoError(t, err)
		require.False(t, s.Has(pec.FlagConflict))
		for local, want := range states {
			require.Equal(t, want, recipientState(t, s, at(local)), local)
		}
		return s
	}
	expect(map[string]pec.State{
		"unknown": pec.StateFailed, "full": pec.StateFailed, "virus": pec.StateFailed,
		"twice": pec.StateDelivered, "luigi": pec.StateDelivered,
		"silent": pec.StateAccepted, "late": pec.StateAccepted, "delay12": pec.StateAccepted, "delay24": pec.StateAccepted,
	})
	n.Advance(13 * time.Hour)
	expect(map[string]pec.State{"delay12": pec.StateDelayed, "delay24": pec.StateDelayed, "late": pec.StateAccepted})
	n.Advance(6 * time.Hour)
	expect(map[string]pec.State{"delay12": pec.StateDelivered, "delay24": pec.StateDelayed})
	n.Advance(4*time.Hour + 15*time.Minute)
	expect(map[string]pec.State{"late": pec.StateExpired, "delay24": pec.StateExpired})
	n.Advance(time.Hour)
	s := expect(map[string]pec.State{"late": pec.StateDelivered, "delay24": pec.StateExpired, "silent": pec.StateAccepted})

	require.Equal(t, pec.ResultOpen, s.Result, "the silent recipient is still open")
	for local, cause := range map[string]envelope.Cause{
		"unknown": envelope.CauseUnknownAddress, "full": envelope.CauseMailboxFull,
		"virus": envelope.CauseVirus, "delay24": envelope.CauseTimeout,
	} {
		r, ok := s.Recipient(at(local))
		require.True(t, ok)
		require.Equal(t, cause, r.Failure.Cause, local)
	}
	require.Equal(t, pec.StateOrdinary, recipientState(t, s, info))
}

func TestAVirusIsRejectedAfterTheSubmission(t *testing.T) {
	n := pectest.Start(t, nil)
	c := overSockets(t, n)
	id, err := c.Send(t.Context(), pec.Message{To: []string{luigi, bruna}, Text: pectest.EICAR})
	require.NoError(t, err, "the provider's 250 comes before its refusal")
	require.NoError(t, n.Idle(t.Context()))
	for _, err := range c.Sync(t.Context()) {
		require.NoError(t, err)
	}
	s, err := c.Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, pec.ResultRejected, s.Result)
	require.Equal(t, envelope.CauseVirus, s.Recipients[1].Failure.Cause)
}

// The connection ends after the final dot, so the message may have left. It is not sent
// again. A notice that arrives proves that it left.
func TestALostReplyToTheFinalDotIsUncertainUntilANoticeArrives(t *testing.T) {
	for _, lost := range []bool{false, true} {
		n := pectest.Start(t, nil)
		c := overSockets(t, n)
		remove := n.Intercept(func(m pectest.Moment) *pectest.Fault {
			if m.Protocol == pectest.SMTP && m.Command == pectest.MomentDot {
				return &pectest.Fault{Cut: true, Lose: lost}
			}
			return nil
		})
		id, err := c.Send(t.Context(), pec.Message{To: []string{luigi}})
		require.Error(t, err)
		remove()
		require.Equal(t, pec.StateUncertain, stateOf(t, c, id))
		require.NoError(t, n.Idle(t.Context()))
		for _, err := range c.Sync(t.Context()) {
			require.NoError(t, err)
		}
		want := pec.StateDelivered
		if lost {
			want = pec.StateUncertain
		}
		require.Equal(t, want, stateOf(t, c, id))
	}
}

// A message that uses every field passes the formal checks of package pectest (RFC 6109,
// 3.1.1), which was written independently of this package.
func TestProvidersAcceptWhatIsComposed(t *testing.T) {
	n := pectest.Start(t, nil)
	c := overSockets(t, n)
	id, err := c.Send(t.Context(), pec.Message{
		To:        []string{"\"Rossi, Luigi\" <" + luigi + ">", "Società per azioni " + strings.Repeat("molto ", 20) + "lunga <" + bruna + ">"},
		Cc:        []string{info},
		ReplyTo:   "Ufficio <ufficio@alfa-pec.example>",
		Subject:   "Città – " + strings.Repeat("oggetto ", 30),
		Text:      "Perché no?\n.\nFrom me\n",
		HTML:      "<p>Perché no?</p>",
		InReplyTo: "opec1.20261121.1@pec.beta.example",
		Receipt:   receipt.DetailBrief,
		ExtraHeader: []pec.HeaderField{
			{Name: "X-Protocollo", Value: "0001/2026 – città"},
		},
		Attachments: []pec.Attachment{
			{Name: "fattura.pdf", Type: "application/pdf", Content: strings.NewReader(strings.Repeat("%PDF", 5000))},
			{Name: strings.Repeat("è", 127), Content: strings.NewReader("")},
		},
	})
	require.NoError(t, err)
	require.NoError(t, n.Idle(t.Context()))
	for e, err := range c.Sync(t.Context()) {
		require.NoError(t, err)
		require.Nil(t, e.Unverified)
	}
	s, err := c.Status(t.Context(), id)
	require.NoError(t, err)
	for _, address := range []string{luigi, bruna} {
		require.Equal(t, pec.StateDelivered, recipientState(t, s, address))
	}
	require.Equal(t, pec.StateOrdinary, recipientState(t, s, info))
}

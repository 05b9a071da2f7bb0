package pec_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

// A message with everything passes the formal checks of a provider (RFC 6109,
// 3.1.1) that was written without sight of how it is composed.
func TestProvidersTakeWhatIsComposed(t *testing.T) {
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
		require.Equal(t, pec.StateDelivered, state(t, s, address))
	}
	require.Equal(t, pec.StateOrdinary, state(t, s, info))
}

package pectest_test

import (
	"bytes"
	"errors"
	"net/mail"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

// anomaly checks the outer form of an anomaly envelope, and returns its header and the
// message inside.
func anomaly(t *testing.T, raw []byte) (mail.Header, string) {
	t.Helper()
	m := parse(t, raw)
	require.Equal(t, []string{"text/plain", "message/rfc822 postacert.eml"}, m.names, "no certification data")
	require.Equal(t, "errore", m.header.Get("X-Trasporto"))
	require.Empty(t, m.header.Get("X-Ricevuta"))
	require.Empty(t, m.header.Get("X-Riferimento-Message-ID"))
	require.NotContains(t, m.text, "Identificativo")
	return m.header, string(m.postacert)
}

func TestOrdinaryMailIn(t *testing.T) {
	n := pectest.Start(t, nil)
	require.NoError(t, n.Receive("cliente@posta.example", []string{mario, anna}, []byte(internet)))
	idle(t, n)
	for _, address := range []string{mario, anna} {
		all, err := n.ProviderOf(address).Messages(address, pectest.InboxFolder)
		require.NoError(t, err)
		require.Len(t, all, 1)
		h, inner := anomaly(t, all[0])
		require.Equal(t, strings.ReplaceAll(internet, "\n", "\r\n"), inner)
		require.Equal(t, "ANOMALIA MESSAGGIO: Perché", decodeWords(t, h.Get("Subject")))
		require.Equal(t, "<internet@posta.example>", h.Get("Message-ID"), "kept")
		require.Equal(t, "Mario <mario@alfa-pec.example>", h.Get("To"))
		require.Equal(t, "altri@posta.example", h.Get("Cc"))
		require.Equal(t, "<cliente@posta.example>", h.Get("Return-Path"))
		require.Equal(t, "cliente@posta.example", h.Get("Reply-To"))
		require.Len(t, h["Received"], 1)
		from, err := mail.ParseAddress(h.Get("From"))
		require.NoError(t, err)
		require.Equal(t, &mail.Address{Name: "Per conto di: cliente@posta.example", Address: "posta-certificata@alfa-pec.example"}, from)
	}
}

func TestOrdinaryMailRefused(t *testing.T) {
	providers := []pectest.ProviderOptions{
		{Domain: "open.example", Accounts: []pectest.Account{{Address: "a@open.example", Password: "p"}}},
		{Domain: "closed.example", RefuseOrdinary: true, Accounts: []pectest.Account{{Address: "b@closed.example", Password: "p"}}},
	}
	n := pectest.Start(t, &pectest.Options{Providers: providers})
	for address, code := range map[string]int{"b@closed.example": 554, "z@open.example": 550, "z@posta.example": 550} {
		err := n.Receive("", []string{"a@open.example", address}, []byte(internet))
		var refused *pectest.RefusedError
		require.True(t, errors.As(err, &refused))
		require.Equal(t, code, refused.Code)
		require.Equal(t, address, refused.Address)
		require.Contains(t, refused.Error(), address)
	}
	idle(t, n)
	require.Empty(t, notices(t, n, "a@open.example"), "one refused recipient refuses all")
}

func TestBounce(t *testing.T) {
	n := pectest.Start(t, nil)
	const unknown = "unknown@posta.example"
	submit(t, n, mario, []string{unknown}, plain("<a@x>", mario, unknown))
	all, err := n.ProviderOf(mario).Messages(mario, pectest.InboxFolder)
	require.NoError(t, err)
	require.Len(t, all, 2)
	h, inner := anomaly(t, all[1])
	require.Equal(t, "ANOMALIA MESSAGGIO: Undelivered Mail Returned to Sender", h.Get("Subject"))
	require.Contains(t, h.Get("From"), "MAILER-DAEMON@posta.example")
	bounce, err := mail.ReadMessage(strings.NewReader(inner))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(bounce.Header.Get("Content-Type"), "multipart/report; report-type=delivery-status;"))
	require.Contains(t, inner, "Final-Recipient: rfc822; "+unknown+"\r\nAction: failed\r\nStatus: 5.1.1\r\n")
	require.Contains(t, inner, "X-Trasporto: posta-certificata\r\n", "the envelope's header came back, and must not classify the anomaly")
	require.Len(t, n.OrdinaryMail(), 1)
}

func TestEnvelopeFromOutside(t *testing.T) {
	// A genuine envelope counts wherever it comes from; a changed one is ordinary mail.
	n := pectest.Start(t, nil)
	envelope := func(text string) []byte {
		raw, err := n.ProviderOf(mario).Emit(pectest.Notice{
			Kind: pectest.KindTransport, Sender: mario, Recipients: []pectest.Recipient{{Address: luigi}}, Original: []byte("\r\n" + text + "\r\n"),
		})
		require.NoError(t, err)
		return raw
	}
	require.NoError(t, n.Receive(mario, []string{luigi}, envelope("ciao")))
	require.NoError(t, n.Receive(mario, []string{luigi}, bytes.Replace(envelope("ciao"), []byte("ciao"), []byte("miao"), 1)))
	idle(t, n)
	all, err := n.ProviderOf(luigi).Messages(luigi, pectest.InboxFolder)
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, "posta-certificata", parse(t, all[0]).data.Kind)
	anomaly(t, all[1])
	require.Equal(t, []string{delivered + luigi}, kinds(notices(t, n, mario)))
}

package pectest

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIncomingPoint(t *testing.T) {
	n, other := Start(t, nil), Start(t, nil)
	alfa, beta := n.Providers()[0], n.Providers()[1]
	sender, recipient := alfa.mailboxes[0].account.Address, beta.mailboxes[0].account.Address
	notice := Notice{
		Kind: KindTransport, Sender: sender, Recipients: []Recipient{{Address: recipient}}, CertID: "p@alfa-pec.example",
		Original: []byte("From: " + sender + "\r\n\r\nciao\r\n"),
	}
	emit := func(p *Provider, n Notice) []byte {
		raw, err := p.Emit(n)
		require.NoError(t, err)
		return raw
	}
	genuine := emit(alfa, notice)
	with := func(change func(n *Notice)) []byte {
		changed := notice
		change(&changed)
		return emit(alfa, changed)
	}
	unsigned := []byte("X-Trasporto: posta-certificata\r\nFrom: " + alfa.ServiceAddress() + "\r\n\r\nciao\r\n")

	arrive := func(raw []byte) {
		n.queue.add(func() { beta.incoming(transfer{from: sender, to: []string{recipient}, raw: raw}) })
		require.NoError(t, n.Idle(context.Background()))
	}
	anomalies := 0
	reasons := map[bool]string{
		true:  "il messaggio non =E8 formalmente corretto",
		false: "la firma digitale del messaggio non risulta attendibile",
	}
	correct := map[string]bool{"no original": true, "other XML": true} // the signature
	for name, raw := range map[string][]byte{
		"unsigned":        unsigned,
		"changed":         bytes.Replace(genuine, []byte("\r\nciao\r\n"), []byte("\r\nmiao\r\n"), 1),
		"foreign CA":      emit(other.Providers()[0], notice),
		"other From":      with(func(n *Notice) { n.Header = []Field{{"From", beta.ServiceAddress()}} }),
		"two From":        with(func(n *Notice) { n.Header = []Field{{"From", alfa.ServiceAddress() + ", " + beta.ServiceAddress()}} }),
		"no original":     with(func(n *Notice) { n.Original = nil }),
		"other XML":       with(func(n *Notice) { n.Kind, n.Header = KindDelivery, []Field{{"X-Trasporto", KindTransport}} }),
		"signature alone": genuine[:bytes.LastIndex(genuine, []byte("\r\n------"))-200],
	} {
		require.NotEqual(t, genuine, raw, name)
		arrive(raw)
		got, err := alfa.Messages(sender, InboxFolder)
		require.NoError(t, err)
		require.Empty(t, got, "%s: a notice", name)
		got, err = beta.Messages(recipient, InboxFolder)
		require.NoError(t, err)
		anomalies++
		require.Len(t, got, anomalies)
		wrapped := parseEntity(got[anomalies-1])
		require.Equal(t, KindAnomaly, wrapped.get("X-Trasporto"), name)
		require.NotContains(t, string(wrapped.raw[:wrapped.end]), "X-Ricevuta", name)
		require.Contains(t, string(wrapped.raw), string(raw), "%s: as it came", name)
		require.Contains(t, string(wrapped.raw), reasons[correct[name]], name)
	}

	arrive(genuine)
	got, err := beta.Messages(recipient, InboxFolder)
	require.NoError(t, err)
	require.Equal(t, genuine, got[anomalies], "the envelope is stored unchanged")
	got, err = alfa.Messages(sender, InboxFolder)
	require.NoError(t, err)
	require.Len(t, got, 1)
}

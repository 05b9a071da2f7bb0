package pectest_test

import (
	"bytes"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

const scenarioSubject = `Perché "A & B" <C> e altro, con un oggetto molto lungo che occupa due righe`

func TestEndToEnd(t *testing.T) {
	before := time.Now().Add(-time.Second)
	n := runScenario(t)
	alfa, beta := n.Providers()[0], n.Providers()[1]

	sent := inbox(t, n, mario)
	require.Equal(t, []string{
		"accettazione", "avvenuta-consegna " + anna, "avvenuta-consegna " + luigi, "errore-consegna " + unknown,
	}, kinds(sent))
	acceptance, concise, full, failure := sent[0], sent[1], sent[2], sent[3]
	toLuigi, toAnna := inbox(t, n, luigi), inbox(t, n, anna)
	require.Len(t, toLuigi, 1)
	require.Len(t, toAnna, 1)
	require.Empty(t, inbox(t, n, bruna))
	envelope := toLuigi[0]
	require.Equal(t, envelope.raw, toAnna[0].raw, "every recipient has the same envelope")
	left := n.OrdinaryMail()
	require.Len(t, left, 1)
	require.Equal(t, pectest.OrdinaryMessage{From: mario, To: []string{ordinary}, Raw: envelope.raw}, left[0])

	id := acceptance.data.CertID
	require.Regexp(t, `^opec2106\.\d{14}\.\d{5}\.\d+\.\d+\.1@alfa-pec\.example$`, id)
	rome, err := time.LoadLocation("Europe/Rome")
	require.NoError(t, err)
	for _, m := range []message{acceptance, concise, full, failure, envelope} {
		require.Equal(t, mario, m.data.Sender)
		require.Equal(t, []recipient{
			{"certificato", luigi}, {"certificato", unknown}, {"esterno", ordinary}, {"certificato", anna},
		}, m.data.Recipients)
		require.Equal(t, mario, m.data.ReplyTo)
		require.Equal(t, scenarioSubject, *m.data.Subject)
		require.Equal(t, id, m.data.CertID)
		require.Equal(t, "<uno.1@alfa-pec.example>", *m.data.MessageID)
		require.Equal(t, []string{"<uno.1@alfa-pec.example>"}, m.header["X-Riferimento-Message-Id"])
		require.Empty(t, m.data.Taken)
		require.Contains(t, m.text, "Identificativo messaggio:")

		at, err := time.Parse("02/01/2006 15:04:05 -0700", m.data.Date.Day+" "+m.data.Date.Time+" "+m.data.Date.Zone)
		require.NoError(t, err)
		require.WithinRange(t, at, before, time.Now())
		require.Equal(t, at.In(rome).Format("-0700"), m.data.Date.Zone)
		date, err := m.header.Date()
		require.NoError(t, err)
		require.True(t, at.Equal(date), "Date differs from the certification data")
	}

	type facts struct{ kind, errore, provider, receipt, delivered, text string }
	factsOf := func(m message) facts {
		f := facts{kind: m.data.Kind, errore: m.data.Error, provider: m.data.Provider}
		if m.data.Receipt != nil {
			f.receipt = m.data.Receipt.Kind
		}
		if m.data.Delivered != nil {
			f.delivered = *m.data.Delivered
		}
		if m.data.ErrorText != nil {
			f.text = *m.data.ErrorText
		}
		return f
	}
	require.Equal(t, facts{"accettazione", "nessuno", "Alfa PEC S.p.A.", "", "", ""}, factsOf(acceptance))
	require.Equal(t, facts{"posta-certificata", "nessuno", "Alfa PEC S.p.A.", "completa", "", ""}, factsOf(envelope))
	require.Equal(t, facts{"avvenuta-consegna", "nessuno", "Alfa PEC S.p.A.", "completa", anna, ""}, factsOf(concise))
	require.Equal(t, facts{"avvenuta-consegna", "nessuno", "Beta PEC S.p.A.", "completa", luigi, ""}, factsOf(full))
	require.Equal(t, facts{"errore-consegna", "no-dest", "Beta PEC S.p.A.", "", unknown, "5.1.1 - Beta PEC S.p.A. - indirizzo non valido"}, factsOf(failure))

	text, data, original := "text/plain", "application/xml daticert.xml", "message/rfc822 postacert.eml"
	require.Equal(t, []string{text, data}, acceptance.names)
	require.Equal(t, []string{text, data, original}, envelope.names)
	require.Equal(t, []string{text, data}, concise.names, "a recipient in Cc gets a concise delivery")
	require.Equal(t, []string{text, data, original}, full.names)
	require.Equal(t, []string{text, data}, failure.names)
	require.Equal(t, envelope.postacert, full.postacert)

	require.Contains(t, acceptance.text, ordinary+` ("posta ordinaria")`)
	require.Contains(t, acceptance.text, `luigi@beta-pec.example ("posta certificata")`)
	require.Contains(t, acceptance.text, "=E8 stato accettato dal sistema ed inoltrato.")

	ids := map[string]bool{"<" + id + ">": true}
	subjects := map[string]string{}
	for _, c := range []struct {
		m        message
		provider *pectest.Provider
	}{{acceptance, alfa}, {concise, alfa}, {full, beta}, {failure, beta}} {
		require.Equal(t, c.provider.ServiceAddress(), c.m.header.Get("From"))
		require.Equal(t, mario, c.m.header.Get("To"))
		require.Equal(t, c.m.data.Kind, c.m.header.Get("X-Ricevuta"))
		require.Empty(t, c.m.header.Get("X-Trasporto"))
		require.Equal(t, "<"+c.provider.ServiceAddress()+">", c.m.header.Get("Return-Path"))
		own := c.m.header.Get("Message-Id")
		require.False(t, ids[own], "every notice has its own Message-ID")
		ids[own] = true
		subjects[c.m.data.Kind] = c.m.header.Get("Subject")
	}
	for kind, prefix := range map[string]string{
		"accettazione": "ACCETTAZIONE: ", "avvenuta-consegna": "CONSEGNA: ", "errore-consegna": "AVVISO DI MANCATA CONSEGNA: ",
	} {
		require.Equal(t, prefix+scenarioSubject, decodeWords(t, subjects[kind]))
		require.True(t, strings.HasPrefix(subjects[kind], prefix))
	}

	h := envelope.header
	require.Equal(t, "posta-certificata", h.Get("X-Trasporto"))
	require.Empty(t, h.Get("X-Ricevuta"))
	require.Empty(t, h.Get("X-TipoRicevuta"))
	require.Equal(t, "<"+id+">", h.Get("Message-Id"))
	require.Equal(t, "<"+mario+">", h.Get("Return-Path"))
	require.Equal(t, mario, h.Get("Reply-To"))
	require.Equal(t, anna, h.Get("Cc"))
	require.Equal(t, "Luigi <luigi@beta-pec.example>, nessuno@beta-pec.example, cliente@posta.example", h.Get("To"))
	require.Contains(t, string(envelope.raw), "To: Luigi <luigi@beta-pec.example>, nessuno@beta-pec.example,\r\n cliente@posta.example\r\n")
	require.Equal(t, "POSTA CERTIFICATA: "+scenarioSubject, decodeWords(t, h.Get("Subject")))
	from, err := mail.ParseAddress(h.Get("From"))
	require.NoError(t, err)
	require.Equal(t, &mail.Address{Name: "Per conto di: " + mario, Address: alfa.ServiceAddress()}, from)
	require.Len(t, h["Received"], 2, "ours and the one that was there")
	require.Contains(t, string(envelope.raw[:bytes.Index(envelope.raw, []byte("\r\n\r\n"))]), scenario[:strings.Index(scenario, "\r\n")], "unmodified")
}

func TestCertificationDataLayout(t *testing.T) {
	n := pectest.Start(t, nil)
	p := n.Providers()[0]
	raw, err := p.Emit(pectest.Notice{
		Kind: pectest.KindDelivery, Sender: mario, Recipients: []pectest.Recipient{{Address: luigi}},
		Subject: `a "b" <c> & d`, Time: time.Date(2026, 11, 13, 16, 39, 26, 0, time.FixedZone("", 3600)),
		CertID: "opec@x.example", MessageID: "<m@x.example>", Delivered: luigi,
	})
	require.NoError(t, err)
	require.Equal(t, `<?xml version="1.0" encoding="UTF-8"?>
<postacert tipo="avvenuta-consegna" errore="nessuno">
    <intestazione>
        <mittente>mario@alfa-pec.example</mittente>
        <destinatari tipo="certificato">luigi@beta-pec.example</destinatari>
        <risposte>mario@alfa-pec.example</risposte>
        <oggetto>a &#34;b&#34; &lt;c&gt; &amp; d</oggetto>
    </intestazione>
    <dati>
        <gestore-emittente>Alfa PEC S.p.A.</gestore-emittente>
        <data zona="+0100">
            <giorno>13/11/2026</giorno>
            <ora>16:39:26</ora>
        </data>
        <identificativo>opec@x.example</identificativo>
        <msgid>&lt;m@x.example&gt;</msgid>
        <ricevuta tipo="completa" />
        <consegna>luigi@beta-pec.example</consegna>
    </dati>
</postacert>
`, parse(t, raw).xml)
}

func TestForeignNotice(t *testing.T) {
	// Verifiers need a genuine notice about somebody else's message.
	n := pectest.Start(t, nil)
	beta := n.ProviderOf(luigi)
	raw, err := beta.Emit(pectest.Notice{
		Kind: "di-fantasia", Sender: anna, Recipients: []pectest.Recipient{{Address: luigi, Type: pectest.RecipientOrdinary}},
		MessageID: "<m@x.example>", TakenInCharge: []string{luigi, bruna},
		Header: []pectest.Field{{Name: "x-ricevuta", Value: "accettazione"}, {Name: "Subject"}, {Name: "X-More", Value: "1"}},
	})
	require.NoError(t, err)
	require.NoError(t, n.ProviderOf(mario).Deliver(mario, pectest.InboxFolder, raw))
	got := inbox(t, n, mario)
	require.Len(t, got, 1)
	require.Equal(t, "di-fantasia", got[0].data.Kind)
	require.Equal(t, []string{luigi, bruna}, got[0].data.Taken)
	require.Equal(t, []string{"accettazione"}, got[0].header["X-Ricevuta"])
	require.NotContains(t, got[0].header, "Subject")
	require.Equal(t, "1", got[0].header.Get("X-More"))
	require.Nil(t, got[0].data.Subject)
}

func TestOptions(t *testing.T) {
	account := func(address string) pectest.Account { return pectest.Account{Address: address, Password: "p"} }
	for name, providers := range map[string][]pectest.ProviderOptions{
		"no domain":         {{Name: "A"}},
		"domain twice":      {{Domain: "a.example"}, {Domain: "A.example"}},
		"foreign address":   {{Domain: "a.example", Accounts: []pectest.Account{account("x@b.example")}}},
		"no address":        {{Domain: "a.example", Accounts: []pectest.Account{account("a.example")}}},
		"no password":       {{Domain: "a.example", Accounts: []pectest.Account{{Address: "x@a.example"}}}},
		"the account twice": {{Domain: "a.example", Accounts: []pectest.Account{account("x@a.example"), account("X@a.example")}}},
	} {
		_, err := pectest.New(&pectest.Options{Providers: providers})
		require.Error(t, err, name)
	}

	n := pectest.Start(t, &pectest.Options{Providers: []pectest.ProviderOptions{{
		Domain: "pec.example", Accounts: []pectest.Account{{Address: "ufficio@pec.example", Login: "M123", Password: "p"}},
	}}})
	require.Equal(t, "pec.example", n.Providers()[0].Name())
	// Login and address differ: the login is for AUTH, and the address for MAIL FROM.
	submit(t, n, "ufficio@pec.example", []string{"ufficio@pec.example"}, plain("<a@pec.example>", "ufficio@pec.example", "ufficio@pec.example"))
	require.Equal(t, []string{"accettazione", "posta-certificata", "avvenuta-consegna ufficio@pec.example"},
		kinds(inbox(t, n, "ufficio@pec.example")))
}

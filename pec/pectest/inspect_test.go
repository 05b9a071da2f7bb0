package pectest_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

// infectedMessage returns a message with a virus in an attached message.
func infectedMessage(to string) string {
	return "From: " + mario + "\r\nTo: " + to + "\r\nMessage-ID: <a@x>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nciao\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" +
		"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString([]byte(pectest.EICAR)) + "\r\n--b--\r\n"
}

func TestRefusals(t *testing.T) {
	large := plain("<a@x>", mario, luigi+", "+bruna) + strings.Repeat("x", 600) + "\r\n"
	for name, c := range map[string]struct {
		options  pectest.ProviderOptions
		to       []string
		raw      string
		errore   string
		text     string
		subject  string
		code     int
		enhanced smtp.EnhancedCode
	}{
		"formal": {pectest.ProviderOptions{}, []string{luigi}, plain("<a@x>", anna, luigi), "altro", "non coincide",
			"AVVISO DI NON ACCETTAZIONE:", 554, smtp.EnhancedCode{5, 6, 0}},
		"size times recipients": {pectest.ProviderOptions{MaxProduct: 1000}, []string{luigi, bruna}, large, "altro", "il limite è 1000",
			"AVVISO DI NON ACCETTAZIONE:", 552, smtp.EnhancedCode{5, 3, 4}},
		"ordinary recipient": {pectest.ProviderOptions{CertifiedOnly: true}, []string{ordinary}, plain("<a@x>", mario, ordinary), "altro", ordinary,
			"AVVISO DI NON ACCETTAZIONE:", 550, smtp.EnhancedCode{5, 7, 1}},
		"virus": {pectest.ProviderOptions{}, []string{luigi}, infectedMessage(luigi), "virus", "EICAR-Test-File",
			"AVVISO DI NON ACCETTAZIONE PER VIRUS:", 554, smtp.EnhancedCode{5, 7, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			n := pectest.Start(t, pair(c.options))
			submit(t, n, mario, c.to, c.raw)
			got := notices(t, n, mario)
			require.Equal(t, []string{"non-accettazione"}, kinds(got))
			require.Equal(t, c.errore, got[0].data.Error)
			require.Contains(t, *got[0].data.ErrorText, c.text)
			require.Equal(t, c.subject, got[0].header.Get("Subject"))
			require.Equal(t, c.errore == "virus", got[0].header.Get("X-VerificaSicurezza") == "errore")
			require.Empty(t, notices(t, n, luigi))
			require.Empty(t, n.OrdinaryMail())

			c.options.RefuseAtSMTP = true
			n = pectest.Start(t, pair(c.options))
			_, err := hand(t, n, mario, c.to, c.raw)
			requireReply(t, err, c.code, c.enhanced)
			idle(t, n)
			require.Empty(t, notices(t, n, mario))
			_, err = hand(t, n, mario, []string{bruna}, plain("<b@x>", mario, bruna))
			require.NoError(t, err, "what is in order passes")
		})
	}
	n := pectest.Start(t, pair(pectest.ProviderOptions{MaxProduct: int64(2 * len(large))}))
	submit(t, n, mario, []string{luigi, bruna}, large)
	require.Equal(t, acceptance, notices(t, n, mario)[0].data.Kind, "exactly the limit")
}

func TestVirusAtTheRecipient(t *testing.T) {
	n := pectest.Start(t, pair(pectest.ProviderOptions{SendViruses: true}))
	to := luigi + ", " + bruna
	submit(t, n, mario, []string{luigi, bruna}, infectedMessage(to))
	service := notices(t, n, n.ProviderOf(mario).ServiceMailbox())
	require.Equal(t, []string{"rilevazione-virus " + luigi, "rilevazione-virus " + bruna}, kinds(service), "no take-in-charge")
	for _, m := range service {
		require.Equal(t, "virus", m.data.Error)
		require.Equal(t, "Beta", m.data.Provider)
		require.Equal(t, mario, m.header.Get("X-Mittente"))
		require.Equal(t, "PROBLEMA DI SICUREZZA:", m.header.Get("Subject"))
		require.Empty(t, m.header.Get("X-VerificaSicurezza"))
	}
	got := notices(t, n, mario)
	require.Equal(t, []string{acceptance, failed + luigi, failed + bruna}, kinds(got))
	for _, m := range got[1:] {
		require.Equal(t, "virus", m.data.Error)
		require.Equal(t, "Alfa", m.data.Provider, "the sender's own provider")
		require.Equal(t, "errore", m.header.Get("X-VerificaSicurezza"))
		require.Equal(t, "AVVISO DI MANCATA CONSEGNA PER VIRUS:", m.header.Get("Subject"))
		require.Equal(t, "posta-certificata@alfa-pec.example", m.header.Get("From"))
	}
	require.Empty(t, notices(t, n, luigi))

	careless := pair(pectest.ProviderOptions{SendViruses: true})
	careless.Providers[1].ReceiveViruses = true
	n = pectest.Start(t, careless)
	submit(t, n, mario, []string{luigi}, infectedMessage(luigi))
	require.Equal(t, []string{acceptance, delivered + luigi}, kinds(notices(t, n, mario)))
}

func TestBriefReadings(t *testing.T) {
	// One attachment of two encoded lines. The sums were computed with sha1sum.
	body := "From: " + mario + "\r\nTo: " + luigi + "\r\nX-TipoRicevuta: breve\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nY2lh\r\nbw==\r\n--b--\r\n"
	for reading, want := range map[pectest.BriefHash]string{
		pectest.BriefHashDecoded:       "1e4e888ac66f8dd41e00c5a7ac36a32a9950d271",
		pectest.BriefHashEncoded:       hexSHA1("Y2lh\r\nbw=="),
		pectest.BriefHashEncodedLine:   hexSHA1("Y2lh\r\nbw==\r\n"),
		pectest.BriefHashEncodedLF:     hexSHA1("Y2lh\nbw=="),
		pectest.BriefHashEncodedLFLine: hexSHA1("Y2lh\nbw==\n"),
	} {
		options := pair(pectest.ProviderOptions{})
		options.Providers[1].BriefHash = reading
		n := pectest.Start(t, options)
		submit(t, n, mario, []string{luigi}, body)
		m := notices(t, n, mario)[1]
		require.Contains(t, string(m.postacert), "filename=a.pdf.hash\r\n\r\n"+want+"\r\n--b--\r\n", "reading %d", reading)
	}
}

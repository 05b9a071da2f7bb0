package pectest_test

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

// withoutTrace removes the Received field that the provider put on top.
func withoutTrace(t *testing.T, postacert []byte) string {
	t.Helper()
	s := string(postacert)
	require.True(t, strings.HasPrefix(s, "Received: from localhost ([127.0.0.1])\r\n\tby smtp.alfa-pec.example with ESMTPSA id "), s)
	lines := strings.SplitAfterN(s, "\r\n", 4)
	require.Len(t, lines, 4)
	require.Equal(t, byte('\t'), lines[2][0])
	return lines[3]
}

func TestOriginalIsKept(t *testing.T) {
	n := runScenario(t)
	envelope := inbox(t, n, luigi)[0]
	p := "Message-ID: <" + envelope.data.CertID + ">\r\n"
	want := strings.Replace(scenario, "Message-ID: <uno.1@alfa-pec.example>\r\n", p, 1)
	want = strings.Replace(want, "\r\n\r\n", "\r\nX-Riferimento-Message-ID: <uno.1@alfa-pec.example>\r\n\r\n", 1)
	require.NotEqual(t, scenario, want)
	require.Equal(t, want, withoutTrace(t, envelope.postacert))
}

func TestOriginalWithoutMessageID(t *testing.T) {
	n := pectest.Start(t, nil)
	raw := plain("", mario, luigi, "Reply-To: Ufficio <"+anna+">")
	submit(t, n, mario, []string{luigi}, raw)
	envelope := inbox(t, n, luigi)[0]
	want := strings.Replace(raw, "\r\n\r\n", "\r\nMessage-ID: <"+envelope.data.CertID+">\r\n\r\n", 1)
	require.Equal(t, want, withoutTrace(t, envelope.postacert))
	require.Equal(t, "Ufficio <"+anna+">", envelope.header.Get("Reply-To"))
	for _, m := range append(inbox(t, n, mario), envelope) {
		require.Nil(t, m.data.MessageID)
		require.NotContains(t, m.header, "X-Riferimento-Message-Id")
		require.Equal(t, anna, m.data.ReplyTo)
		require.Nil(t, m.data.Subject)
	}
	require.Len(t, inbox(t, n, mario), 2)
}

func TestOriginalOddEnds(t *testing.T) {
	n := pectest.Start(t, nil)
	head := "From: " + mario + "\r\nTo: " + luigi + "\r\n"
	reference := "X-Riferimento-Message-ID: <a@x>\r\n"
	for name, c := range map[string]struct{ id, rest, body string }{
		"folded id":       {"Message-ID:\r\n <a@x>\r\n", "X-A: 1\r\n", "\r\nciao\r\n"},
		"header only":     {"Message-ID: <a@x>\r\n", "", ""},
		"id in body":      {"message-id: <a@x>\r\n", "", "\r\nMessage-ID: <b@x>\r\n"},
		"trailing blanks": {"Message-ID: <a@x>  \r\n", "X-A: \r\n", "\r\nciao   \r\n\r\n\r\n"},
		"no field":        {"Message-ID: <a@x>\r\n", "questa riga non ha due punti\r\n", "\r\nciao\r\n"},
	} {
		before := len(inbox(t, n, luigi))
		submit(t, n, mario, []string{luigi}, head+c.id+c.rest+c.body)
		m := inbox(t, n, luigi)[before]
		require.Equal(t, "<a@x>", *m.data.MessageID, name)
		want := head + "Message-ID: <" + m.data.CertID + ">\r\n" + c.rest + reference + c.body
		require.Equal(t, want, withoutTrace(t, m.postacert), name)
	}
}

func TestReceiptKinds(t *testing.T) {
	n := pectest.Start(t, nil)
	body := strings.Replace(scenario, "nessuno@beta-pec.example,\r\n cliente@posta.example", bruna, 1)
	sum := sha1.Sum([]byte("ciao"))
	for kind, want := range map[string]struct{ title, body string }{
		"completa": {"Ricevuta di avvenuta consegna", "Content-Type: application/pdf; name=\"atto.pdf\"\r\nContent-Disposition: attachment; filename=\"atto.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nY2lhbw==\r\n--sep--\r\n"},
		"breve":    {"Ricevuta breve di avvenuta consegna", "Content-Type: text/plain; name=atto.pdf.hash\r\nContent-Transfer-Encoding: 7bit\r\nContent-Disposition: attachment; filename=atto.pdf.hash\r\n\r\n" + hex.EncodeToString(sum[:]) + "\r\n--sep--\r\n"},
		// The value of the specification, in mixed case.
		"Sintetica": {"Ricevuta sintetica di avvenuta consegna", ""},
	} {
		before := len(inbox(t, n, mario))
		atLuigi := len(inbox(t, n, luigi))
		submit(t, n, mario, []string{luigi, bruna, anna}, "X-TipoRicevuta: "+kind+"\r\n"+body)
		got := inbox(t, n, mario)[before:]
		require.Equal(t, []string{"accettazione", "avvenuta-consegna " + anna, "avvenuta-consegna " + luigi, "avvenuta-consegna " + bruna}, kinds(got))
		envelope := inbox(t, n, luigi)[atLuigi]
		require.Equal(t, kind, envelope.header.Get("X-TipoRicevuta"))
		require.Nil(t, got[1].postacert, "Cc")
		require.Contains(t, got[1].text, "Ricevuta sintetica")
		for _, m := range got[1:] {
			require.Equal(t, strings.ToLower(kind), m.data.Receipt.Kind)
		}
		for _, m := range got[2:] {
			require.True(t, strings.HasPrefix(m.text, want.title+"\r\n"), m.text)
			require.True(t, strings.HasSuffix(string(m.postacert), want.body), "%s", m.postacert)
			require.Equal(t, want.body == "", m.postacert == nil)
		}
	}
}

func TestBriefOfSignedOriginal(t *testing.T) {
	// The parts of the signed content are replaced, an attached message as a whole. The
	// sender's own signature stays (RFC 6109, 3.3.2.2).
	n := pectest.Start(t, nil)
	signature := "--out\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nAAAA\r\n--out--\r\n"
	submit(t, n, mario, []string{luigi}, "From: "+mario+"\r\nTo: "+luigi+"\r\nX-TipoRicevuta: breve\r\n"+
		"Content-Type: multipart/signed; boundary=out\r\n\r\n--out\r\nContent-Type: multipart/mixed; boundary=out-in\r\n\r\n"+
		"--out-in\r\nContent-Type: text/plain\r\n\r\ntesto\r\n"+
		"--out-in\r\nContent-Type: message/rfc822\r\n\r\nSubject: dentro\r\n\r\nciao\r\n--out-in--\r\n"+signature)
	m := inbox(t, n, mario)[1]
	sum := sha1.Sum([]byte("Subject: dentro\r\n\r\nciao"))
	require.True(t, strings.HasSuffix(string(m.postacert), "--out-in\r\nContent-Type: text/plain\r\n\r\ntesto\r\n"+
		"--out-in\r\nContent-Type: text/plain; name=message.eml.hash\r\nContent-Transfer-Encoding: 7bit\r\n"+
		"Content-Disposition: attachment; filename=message.eml.hash\r\n\r\n"+hex.EncodeToString(sum[:])+"\r\n--out-in--\r\n"+signature), "%s", m.postacert)
}

package pectest_test

import (
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

func TestFormalChecks(t *testing.T) {
	n := pectest.Start(t, nil)
	both := []string{luigi, anna}
	for name, c := range map[string]struct {
		to     []string
		raw    string
		reason string
	}{
		"no From":        {both, strings.Replace(plain("<a@x>", mario, luigi+", "+anna), "From:", "X-From:", 1), "manca il campo From"},
		"From twice":     {both, plain("<a@x>", mario, luigi+", "+anna, "From: "+mario), "più volte"},
		"two authors":    {both, plain("<a@x>", mario+", "+anna, luigi+", "+anna), "From non contiene"},
		"invalid From":   {both, plain("<a@x>", "mario", luigi+", "+anna), "From non contiene"},
		"other From":     {both, plain("<a@x>", anna, luigi+", "+anna), "non coincide"},
		"no To":          {both, strings.Replace(plain("<a@x>", mario, luigi+", "+anna), "To:", "Cc:", 1), "To non contiene"},
		"invalid To":     {both, plain("<a@x>", mario, "tutti quanti"), "To non contiene"},
		"empty To":       {both, plain("<a@x>", mario, "", "Cc: "+luigi+", "+anna), "To non contiene"},
		"invalid Cc":     {both, plain("<a@x>", mario, luigi, "Cc: tutti quanti"), "Cc non contiene"},
		"hidden RCPT":    {both, plain("<a@x>", mario, luigi), "il destinatario " + anna},
		"RCPT missing":   {both, plain("<a@x>", mario, luigi, "Cc: "+anna+", "+bruna), "l'indirizzo " + bruna},
		"Bcc":            {both, plain("<a@x>", mario, luigi, "Bcc: "+anna), "Bcc"},
		"Bcc beside Cc":  {both, plain("<a@x>", mario, luigi, "Cc: "+anna, "Bcc: "+anna), "Bcc"},
		"Bcc with group": {both, plain("<a@x>", mario, luigi, "Cc: "+anna, "Bcc: altri:;"), "Bcc"},
	} {
		t.Run(name, func(t *testing.T) {
			before := inbox(t, n, mario)
			submit(t, n, mario, c.to, c.raw)
			got := inbox(t, n, mario)[len(before):]
			require.Equal(t, []string{"non-accettazione"}, kinds(got))
			m := got[0]
			require.Equal(t, "altro", m.data.Error)
			require.NotNil(t, m.data.ErrorText)
			require.Contains(t, *m.data.ErrorText, c.reason)
			require.Nil(t, m.postacert, "the original must not be included")
			require.Equal(t, "<a@x>", *m.data.MessageID)
			require.Equal(t, "non-accettazione", m.header.Get("X-Ricevuta"))
			require.Equal(t, "AVVISO DI NON ACCETTAZIONE: ", m.header.Get("Subject")+" ")
			require.Equal(t, []recipient{{"certificato", luigi}, {"certificato", anna}}, m.data.Recipients)
		})
	}
	require.Empty(t, inbox(t, n, luigi))
	require.Empty(t, inbox(t, n, anna))
	require.Empty(t, n.OrdinaryMail())
}

func TestFormalChecksPass(t *testing.T) {
	// Case, display names, groups, folding, an empty Bcc and repetitions are allowed.
	n := pectest.Start(t, nil)
	submit(t, n, mario, []string{"LUIGI@beta-pec.example", luigi, anna},
		plain("<a@x>", "Mario <MARIO@alfa-pec.example>", "Tutti: \"Rossi, Luigi\" <luigi@BETA-pec.example>;,\r\n\t"+anna, "Cc: "+luigi, "Bcc:"))
	require.Equal(t, []string{"accettazione", "avvenuta-consegna " + anna, "avvenuta-consegna LUIGI@beta-pec.example"}, kinds(inbox(t, n, mario)))
	// A recipient in both To and Cc is ambiguous, so it is treated as a primary recipient.
	require.NotNil(t, inbox(t, n, mario)[2].postacert)
}

func TestLogin(t *testing.T) {
	n := pectest.Start(t, nil)
	a, _ := n.Account(mario)
	requireReply(t, dialSMTP(t, n, mario).Auth(sasl.NewPlainClient("", a.Login, "wrong")), 535, smtp.EnhancedCode{5, 7, 8})
	requireReply(t, dialSMTP(t, n, mario).Auth(sasl.NewLoginClient(a.Login, "wrong")), 535, smtp.EnhancedCode{5, 7, 8})
	requireReply(t, dialSMTP(t, n, mario).Auth(sasl.NewPlainClient("", luigi, a.Password)), 535, smtp.EnhancedCode{5, 7, 8})
	requireReply(t, dialSMTP(t, n, mario).Auth(sasl.NewPlainClient(anna, a.Login, a.Password)), 535, smtp.EnhancedCode{5, 7, 8})
	require.NoError(t, dialSMTP(t, n, mario).Auth(sasl.NewLoginClient(a.Login, a.Password)))
	require.NoError(t, dialSMTP(t, n, mario).Auth(sasl.NewPlainClient("", a.Login, a.Password)))
	requireReply(t, dialSMTP(t, n, mario).Mail(mario, nil), 530, smtp.EnhancedCode{5, 7, 0})
	requireReply(t, loginSMTP(t, n, mario).Mail(anna, nil), 553, smtp.EnhancedCode{5, 7, 1})
	requireReply(t, loginSMTP(t, n, mario).Mail(mario, &smtp.MailOptions{Size: pectest.MaxMessageBytes + 1}), 552, smtp.EnhancedCode{5, 3, 4})
}

func TestSizeLimit(t *testing.T) {
	n := pectest.Start(t, nil)
	c := loginSMTP(t, n, mario)
	size, ok := c.MaxMessageSize()
	require.True(t, ok)
	require.Equal(t, pectest.MaxMessageBytes, size)
	require.NoError(t, c.Mail(mario, nil))
	require.NoError(t, c.Rcpt(luigi, nil))
	w, err := c.Data()
	require.NoError(t, err)
	_, err = w.Write([]byte(plain("<a@x>", mario, luigi) + strings.Repeat(strings.Repeat("x", 998)+"\r\n", pectest.MaxMessageBytes/1000+1)))
	require.NoError(t, err)
	requireReply(t, w.Close(), 552, smtp.EnhancedCode{5, 3, 4})
	idle(t, n)
	require.Empty(t, inbox(t, n, mario))
}

package pectest_test

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

// tryLogins logs in by SMTP and by IMAP.
func tryLogins(t *testing.T, n *pectest.Network, login, password string) (smtpErr, imapErr error) {
	t.Helper()
	smtpErr = dialSMTP(t, n, mario).Auth(sasl.NewPlainClient("", login, password))
	c, err := imapclient.DialTLS(n.Access(mario).IMAP, &imapclient.Options{TLSConfig: n.Access(mario).TLS})
	require.NoError(t, err)
	defer c.Close()
	return smtpErr, c.Login(login, password).Wait()
}

func TestLoginIsNotTheAddress(t *testing.T) {
	n, p := one(t, pectest.ProviderOptions{}, pectest.Account{Login: "M1234"})
	s, i := tryLogins(t, n, "M1234", "p")
	require.NoError(t, s)
	require.NoError(t, i)
	s, i = tryLogins(t, n, mario, "p")
	requireReply(t, s, 535, smtp.EnhancedCode{5, 7, 8})
	requireCode(t, i, imap.ResponseCodeAuthenticationFailed)
	require.Zero(t, p.RefusedLogins(mario), "nobody's login")
}

func TestPasswordExpires(t *testing.T) {
	n, p := one(t, pectest.ProviderOptions{PasswordLife: 90 * 24 * time.Hour}, pectest.Account{})
	n.Advance(90*24*time.Hour - time.Hour)
	s, i := tryLogins(t, n, mario, "p")
	require.NoError(t, s)
	require.NoError(t, i)
	n.Advance(time.Hour)
	s, i = tryLogins(t, n, mario, "p")
	requireReply(t, s, 535, smtp.EnhancedCode{5, 7, 8})
	requireCode(t, i, imap.ResponseCodeExpired)
	require.Equal(t, 2, p.RefusedLogins(mario))
	require.NoError(t, p.SetPassword(mario, "q"))
	require.Error(t, p.SetPassword(luigi, "q"))
	s, i = tryLogins(t, n, mario, "q")
	require.NoError(t, s)
	require.NoError(t, i)
	s, _ = tryLogins(t, n, mario, "p")
	require.Error(t, s)
}

func TestLockOut(t *testing.T) {
	n, p := one(t, pectest.ProviderOptions{LockAfter: 3}, pectest.Account{})
	for range 3 { // a good login ends a row
		_, _ = tryLogins(t, n, mario, "wrong")
		s, i := tryLogins(t, n, mario, "p")
		require.NoError(t, s)
		require.NoError(t, i)
	}
	_, _ = tryLogins(t, n, mario, "wrong")
	_, _ = tryLogins(t, n, mario, "wrong")
	s, i := tryLogins(t, n, mario, "p")
	requireReply(t, s, 535, smtp.EnhancedCode{5, 7, 8})
	requireCode(t, i, imap.ResponseCodeContactAdmin)
	require.Equal(t, 12, p.RefusedLogins(mario))
	require.NoError(t, p.SetPassword(mario, "p"))
	s, i = tryLogins(t, n, mario, "p")
	require.NoError(t, s)
	require.NoError(t, i)
}

func TestRateLimit(t *testing.T) {
	n, _ := one(t, pectest.ProviderOptions{MaxPerMinute: 2}, pectest.Account{})
	c := loginSMTP(t, n, mario)
	require.NoError(t, c.Mail(mario, nil))
	require.NoError(t, c.Reset())
	require.NoError(t, c.Mail(mario, nil))
	require.NoError(t, c.Reset())
	err := c.Mail(mario, nil)
	var reply *smtp.SMTPError
	require.ErrorAs(t, err, &reply)
	require.Equal(t, 550, reply.Code)
	require.Equal(t, `MAIL from: "`+mario+`" blocked "Class Of Service" - Too much traffic from this sender`, reply.Message)
	n.Advance(61 * time.Second)
	require.NoError(t, c.Mail(mario, nil))
}

func TestStartTLS(t *testing.T) {
	n, p := one(t, pectest.ProviderOptions{}, pectest.Account{})
	plaintext, err := smtp.Dial(p.SMTPStartTLSAddr())
	require.NoError(t, err)
	defer plaintext.Close()
	ok, _ := plaintext.Extension("STARTTLS")
	require.True(t, ok)
	ok, _ = plaintext.Extension("AUTH")
	require.False(t, ok, "no password in clear text")
	requireReply(t, plaintext.Auth(sasl.NewPlainClient("", mario, "p")), 523, smtp.EnhancedCode{5, 7, 10})

	c, err := smtp.DialStartTLS(p.SMTPStartTLSAddr(), &tls.Config{RootCAs: n.TLSRoots(), ServerName: "localhost"})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Auth(sasl.NewLoginClient(mario, "p")))
	require.NoError(t, c.Mail(mario, nil))
}

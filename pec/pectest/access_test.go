package pectest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

func TestAccess(t *testing.T) {
	n, p := one(t, pectest.ProviderOptions{}, pectest.Account{Login: "M1234"})
	a := n.Access("MARIO@alfa-pec.example")
	require.Equal(t, []string{mario, "M1234", "p", p.SMTPAddr(), p.IMAPAddr()}, []string{a.Address, a.Login, a.Password, a.SMTP, a.IMAP})
	require.True(t, n.TLSRoots().Equal(a.TLS.RootCAs))
	require.Equal(t, n.SigningCA(), a.SigningCA)
	for _, unknown := range []string{luigi, anna, p.ServiceMailbox(), ""} {
		require.Zero(t, n.Access(unknown))
	}
}

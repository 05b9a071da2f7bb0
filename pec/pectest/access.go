package pectest

import (
	"crypto/tls"
	"crypto/x509"
)

// Access is all that a program needs to use an account: where to connect, as whom, and
// whom to trust.
type Access struct {
	Address         string
	Login, Password string
	SMTP, IMAP      string            // host:port, with TLS from the first byte
	TLS             *tls.Config       // trusts the network's servers alone
	SigningCA       *x509.Certificate // of what the providers sign
}

// Access returns what is needed to use the account with an address; the zero value when
// there is none.
func (n *Network) Access(address string) Access {
	account, ok := n.Account(address)
	if !ok {
		return Access{}
	}
	p := n.ProviderOf(address)
	return Access{
		Address: account.Address, Login: account.Login, Password: account.Password,
		SMTP: p.SMTPAddr(), IMAP: p.IMAPAddr(),
		TLS: &tls.Config{RootCAs: n.TLSRoots()}, SigningCA: n.SigningCA(),
	}
}

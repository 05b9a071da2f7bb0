package pectest

import (
	"crypto/tls"
	"crypto/x509"
)

// Access is everything a program needs to use an account: the servers, the login, and what
// to trust.
type Access struct {
	Address         string
	Login, Password string
	SMTP, IMAP      string            // host:port, with implicit TLS; under Options.InMemory only Network.DialContext reaches them
	TLS             *tls.Config       // trusts the network's servers and no others
	SigningCA       *x509.Certificate // the anchor that proves what the providers sign; see Network.SigningCA
}

// Access returns what is needed to use the account with the given address, compared
// without regard to case. It returns the zero value when there is no such account.
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

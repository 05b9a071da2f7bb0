package pec_test

import (
	"crypto/tls"
	"log"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/smtpclient"
)

// connect makes the Client of an account, as ExampleClient does step by step, and what
// closes its connections.
func connect(network *pectest.Network, address string, opts *pec.Options) (*pec.Client, func()) {
	account, _ := network.Account(address)
	provider := network.ProviderOf(address)
	login := pec.Password(account.Login, account.Password)
	trust := &tls.Config{RootCAs: network.TLSRoots()}
	submitter, err := smtpclient.New(provider.SMTPAddr(), login, &smtpclient.Options{TLS: trust})
	if err != nil {
		log.Fatal(err)
	}
	mailbox, err := imapclient.New(provider.IMAPAddr(), login, &imapclient.Options{TLS: trust})
	if err != nil {
		log.Fatal(err)
	}
	anchor := envelope.AnchorFromCertificate(network.SigningCA())
	verifier, err := envelope.NewVerifier([]envelope.Anchor{anchor}, nil)
	if err != nil {
		log.Fatal(err)
	}
	client, err := pec.New(address, submitter, mailbox, verifier, opts)
	if err != nil {
		log.Fatal(err)
	}
	return client, func() {
		submitter.Close()
		mailbox.Close()
	}
}

package pec_test

import (
	"log"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/pec/provider"
)

// connect returns the Client of an account, and a function that closes its connections.
func connect(network *pectest.Network, address string, opts *pec.Options) (*pec.Client, func()) {
	a := network.Access(address)
	preset := provider.Preset{
		SMTP: a.SMTP, IMAP: a.IMAP, TLS: a.TLS,
		Anchors: []envelope.Anchor{envelope.AnchorFromCertificate(a.SigningCA)},
	}
	conn, err := preset.Connect(pec.Password(a.Login, a.Password), nil)
	if err != nil {
		log.Fatal(err)
	}
	client, err := conn.NewClient(address, opts)
	if err != nil {
		log.Fatal(err)
	}
	return client, func() { conn.Close() }
}

package pec_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/smtpclient"
)

// Send a PEC and follow it until it is settled. The provider is one of package pectest.
// With a real one, only the addresses, the password and the anchors differ.
func ExampleClient() {
	ctx := context.Background()
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	alfa, account := network.Providers()[0], network.Accounts()[0]
	trust := &tls.Config{RootCAs: network.TLSRoots()}
	anchors := []envelope.Anchor{envelope.AnchorFromCertificate(network.SigningCA())} // or envelope.BuiltinAnchors()

	login := pec.Password(account.Login, account.Password)
	submitter, err := smtpclient.New(alfa.SMTPAddr(), login, &smtpclient.Options{TLS: trust})
	if err != nil {
		log.Fatal(err)
	}
	defer submitter.Close()
	mailbox, err := imapclient.New(alfa.IMAPAddr(), login, &imapclient.Options{TLS: trust})
	if err != nil {
		log.Fatal(err)
	}
	defer mailbox.Close()
	verifier, err := envelope.NewVerifier(anchors, nil)
	if err != nil {
		log.Fatal(err)
	}
	client, err := pec.New(account.Address, submitter, mailbox, verifier, nil)
	if err != nil {
		log.Fatal(err)
	}

	id, err := client.Send(ctx, pec.Message{
		To:      []string{"luigi@beta-pec.example", "nobody@beta-pec.example"},
		Subject: "Diffida",
		Text:    "Si diffida a voler provvedere.",
	})
	if err != nil {
		log.Fatal(err)
	}
	for {
		for _, err := range client.Sync(ctx) {
			if err != nil {
				log.Fatal(err)
			}
		}
		status, err := client.Status(ctx, id)
		if err != nil {
			log.Fatal(err)
		}
		if status.Settled {
			fmt.Println(status.Result)
			for _, r := range status.Recipients {
				fmt.Println(r.Address, r.State)
			}
			return
		}
		if err := client.Wait(ctx); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// partial
	// luigi@beta-pec.example delivered
	// nobody@beta-pec.example failed
}

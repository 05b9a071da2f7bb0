package pec_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/smtpclient"
)

// sendInvoice sends one PEC and prints what became of it for each recipient. Run again
// with the same store it sends no second one. A nil trust is the system's roots.
func sendInvoice(ctx context.Context, from string, login pec.Login, p pec.Preset, anchors []envelope.Anchor, trust *tls.Config, store pec.Store) error {
	submitter, err1 := smtpclient.New(p.SMTP.Value, login, &smtpclient.Options{TLS: trust, PerMinute: p.PerMinute.Value, Throttles: p.Throttles.Value})
	mailbox, err2 := imapclient.New(p.IMAP.Value, login, &imapclient.Options{TLS: trust})
	verifier, err3 := envelope.NewVerifier(anchors, nil)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	defer submitter.Close()
	defer mailbox.Close()
	client, err := pec.New(from, submitter, mailbox, verifier, &pec.Options{Store: store, Limits: p.Limits.Value})
	if err != nil {
		return err
	}
	id, err := client.Send(ctx, pec.Message{
		To: []string{"luigi@beta-pec.example"}, Subject: "Fattura n. 12/2026", Text: "In allegato la fattura.",
		Attachments: []pec.Attachment{{Name: "fattura.txt", Content: strings.NewReader("Totale: 100,00 euro\n")}},
		Key:         "invoice 12/2026",
	})
	if _, recorded := errors.AsType[*pec.SendError](err); err != nil && !recorded {
		return err // of a *pec.SendError the status tells
	}
	status, err := client.Status(ctx, id)
	if err == nil && !status.Settled { // what is settled makes no event
		for _, err = range client.Watch(ctx) {
			if err == nil {
				status, err = client.Status(ctx, id)
			}
			if err != nil || status.Settled {
				break
			}
		}
	}
	for _, r := range status.Recipients {
		fmt.Println(r.Address, r.State)
	}
	return err
}

// The program in the README, run twice with a provider of package pectest.
func Example_readme() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	provider, account := network.Providers()[0], network.Accounts()[0]
	preset := pec.Preset{SMTP: pec.Known[string]{Value: provider.SMTPAddr()}, IMAP: pec.Known[string]{Value: provider.IMAPAddr()}}
	anchors := []envelope.Anchor{envelope.AnchorFromCertificate(network.SigningCA())}
	trust, store := &tls.Config{RootCAs: network.TLSRoots()}, pec.NewMemory()
	for range 2 {
		err := sendInvoice(context.Background(), account.Address, pec.Password(account.Login, account.Password), preset, anchors, trust, store)
		if err != nil {
			log.Fatal(err)
		}
	}
	received, err := provider.Messages(account.Address, pectest.InboxFolder)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("notices:", len(received))
	// Output:
	// luigi@beta-pec.example delivered
	// luigi@beta-pec.example delivered
	// notices: 2
}

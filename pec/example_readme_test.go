package pec_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/pec/provider"
)

// sendInvoice sends one PEC and returns what became of it. Called again with the same
// store, it does not send a second one.
func sendInvoice(ctx context.Context, preset provider.Preset, login pec.Login, address string, store pec.Store) (pec.Status, error) {
	conn, err := preset.Connect(login, nil)
	if err != nil {
		return pec.Status{}, err
	}
	defer conn.Close()
	client, err := conn.NewClient(address, &pec.Options{Store: store})
	if err != nil {
		return pec.Status{}, err
	}
	id, err := client.Send(ctx, pec.Message{
		To: []string{"luigi@beta-pec.example"}, Subject: "Fattura n. 12/2026", Text: "In allegato la fattura.", Key: "invoice 12/2026",
		Attachments: []pec.Attachment{{Name: "fattura.txt", Content: strings.NewReader("Totale: 100,00 euro\n")}},
	})
	if _, recorded := errors.AsType[*pec.SendError](err); err != nil && !recorded {
		return pec.Status{}, err // a *pec.SendError is recorded: the status says more
	}
	return client.Follow(ctx, id)
}

// The program in the README runs twice with a provider of package pectest.
func Example_readme() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	mario, store := network.Access("mario@alfa-pec.example"), pec.NewMemory()
	preset := provider.Preset{
		SMTP: mario.SMTP, IMAP: mario.IMAP, TLS: mario.TLS,
		Anchors: []envelope.Anchor{envelope.AnchorFromCertificate(mario.SigningCA)},
	}
	for range 2 {
		status, err := sendInvoice(context.Background(), preset, pec.Password(mario.Login, mario.Password), mario.Address, store)
		if err != nil {
			log.Fatal(err)
		}
		for _, r := range status.Recipients {
			fmt.Println(r.Address, r.State)
		}
	}
	received, err := network.ProviderOf(mario.Address).Messages(mario.Address, pectest.InboxFolder)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("notices:", len(received))
	// Output:
	// luigi@beta-pec.example delivered
	// luigi@beta-pec.example delivered
	// notices: 2
}

package pec_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// Read the PECs that others sent, with their attachments, and answer one.
func Example_inbound() {
	ctx := context.Background()
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	mario, disconnect := connect(network, "mario@alfa-pec.example", nil)
	defer disconnect()
	luigi, disconnect := connect(network, "luigi@beta-pec.example", nil)
	defer disconnect()

	sent, err := mario.Send(ctx, pec.Message{
		To:          []string{"luigi@beta-pec.example"},
		Subject:     "Fattura n. 12/2026",
		Text:        "In allegato la fattura.",
		Attachments: []pec.Attachment{{Name: "fattura.xml", Type: "text/xml", Content: strings.NewReader("<p:FatturaElettronica/>")}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := network.Idle(ctx); err != nil {
		log.Fatal(err)
	}

	for event, err := range luigi.Sync(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		in := event.Inbound
		if in == nil {
			continue
		}
		fmt.Println(in.Sender, "-", in.Subject)
		for file, err := range in.Attachments() {
			if err != nil {
				log.Fatal(err)
			}
			content, err := io.ReadAll(file.Open()) // store it under a name of your own, or file.SafeName
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(file.SafeName, file.Form, len(content))
		}
		_, err = luigi.Send(ctx, pec.Message{
			To:        []string{in.Sender},
			Subject:   "Re: " + in.Subject,
			Text:      "Ricevuta.",
			InReplyTo: in.CertID,                // what mario's notices cite
			Key:       "answer to " + in.CertID, // an envelope is handed over at least once
		})
		if err != nil {
			log.Fatal(err)
		}
	}

	if err := network.Idle(ctx); err != nil {
		log.Fatal(err)
	}
	for event, err := range mario.Sync(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if event.Inbound != nil {
			fmt.Println(event.Inbound.Subject, "- an answer to what was sent:", event.MessageID == sent)
		}
	}
	// Output:
	// mario@alfa-pec.example - Fattura n. 12/2026
	// fattura.xml invoice 23
	// Re: Fattura n. 12/2026 - an answer to what was sent: true
}

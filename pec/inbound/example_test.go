package inbound_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec/inbound"
	"github.com/gopec/gopec/pec/pectest"
)

// Open a PEC that arrived, and read what the provider certifies and what the sender wrote.
func ExampleOpen() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	raw, err := network.Providers()[1].Emit(pectest.Notice{
		Kind: pectest.KindTransport, Sender: "luigi@beta-pec.example", Subject: "Risposta",
		Recipients: []pectest.Recipient{{Address: "mario@alfa-pec.example"}},
		Original: []byte("From: Chiunque <chiunque@example.org>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
			"--b\r\n\r\nIn allegato.\r\n--b\r\nContent-Type: text/xml; name=segnatura.xml\r\n\r\n<Segnatura/>\r\n--b--\r\n"),
	})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(network.SigningCA())}, nil)
	if err != nil {
		log.Fatal(err)
	}
	message, err := envelope.Open(context.Background(), bytes.NewReader(raw), verifier)
	if err != nil {
		log.Fatal(err)
	}
	defer message.Close()

	in, err := inbound.Open(message, time.Now())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("certified sender:", in.Sender)
	fmt.Println("claimed author:", in.Header.From[0])
	text, err := in.Text()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text)
	for file, err := range in.Attachments() {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(file.SafeName, file.Form, file.Size)
	}
	// Output:
	// certified sender: luigi@beta-pec.example
	// claimed author: "Chiunque" <chiunque@example.org>
	// In allegato.
	// segnatura.xml segnatura 12
}

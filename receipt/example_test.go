package receipt_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

// deliveryReceipt returns a receipt signed by a provider of package pectest.
func deliveryReceipt(network *pectest.Network) []byte {
	raw, err := network.Providers()[1].Emit(pectest.Notice{
		Kind:       pectest.KindDelivery,
		Sender:     "mario@alfa-pec.example",
		Recipients: []pectest.Recipient{{Address: "luigi@beta-pec.example"}},
		MessageID:  "<1@alfa-pec.example>",
		Delivered:  "luigi@beta-pec.example",
	})
	if err != nil {
		log.Fatal(err)
	}
	return raw
}

// Verify a receipt and read what it says.
func ExampleOpen() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	anchors := []envelope.Anchor{envelope.AnchorFromCertificate(network.SigningCA())} // or envelope.BuiltinAnchors()
	verifier, err := envelope.NewVerifier(anchors, nil)
	if err != nil {
		log.Fatal(err)
	}

	notice, err := receipt.Open(context.Background(), bytes.NewReader(deliveryReceipt(network)), verifier)
	if err != nil {
		log.Fatal(err)
	}
	defer notice.Close()
	switch n := notice.(type) {
	case *receipt.Delivery:
		fmt.Println("delivered to", n.Recipient, "by", n.Provider)
	case *receipt.NonDelivery:
		fmt.Println("not delivered to", n.Recipient, n.Failure.Cause)
	}
	// Output: delivered to luigi@beta-pec.example by Beta PEC S.p.A.
}

// For a receipt that is not proven, Open returns an error that says which check failed.
func ExampleOpen_refused() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	verifier, err := envelope.NewVerifier(envelope.BuiltinAnchors(), nil)
	if err != nil {
		log.Fatal(err)
	}

	_, err = receipt.Open(context.Background(), bytes.NewReader(deliveryReceipt(network)), verifier)
	if refused, ok := errors.AsType[*envelope.VerifyError](err); ok {
		fmt.Println(refused.Code, "- it claims a", refused.Findings.Kind, "to", refused.Findings.CertData.Recipient)
	}
	// Output: untrusted - it claims a delivery to luigi@beta-pec.example
}

// Write the verdict on one message, proven or not, as JSON for a program in any language.
func ExampleNewReport() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	verifier, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(network.SigningCA())}, nil)
	if err != nil {
		log.Fatal(err)
	}

	m, err := envelope.Open(context.Background(), bytes.NewReader(deliveryReceipt(network)), verifier)
	if m != nil {
		defer m.Close()
	}
	report, err := receipt.NewReport("consegna.eml", m, err)
	if err != nil {
		log.Fatal(err) // the message could not be read
	}
	text, err := json.Marshal(report)
	if err != nil {
		log.Fatal(err)
	}
	var names map[string]any
	if err := json.Unmarshal(text, &names); err != nil {
		log.Fatal(err)
	}
	fmt.Println(names["file"], names["verified"], names["kind"], names["recipient"], names["detail"])
	// Output: consegna.eml true delivery luigi@beta-pec.example concise
}

// An auditor has a delivery receipt and the message as it was sent, and verifies that this
// message was delivered.
func ExampleCheckContent() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	sent := "From: mario@alfa-pec.example\r\nTo: luigi@beta-pec.example\r\n" +
		"Message-ID: <1@alfa-pec.example>\r\nSubject: Diffida\r\n\r\nSi diffida.\r\n"
	raw, err := network.Providers()[1].Emit(pectest.Notice{
		Kind:       pectest.KindDelivery,
		Sender:     "mario@alfa-pec.example",
		Recipients: []pectest.Recipient{{Address: "luigi@beta-pec.example"}},
		MessageID:  "<1@alfa-pec.example>",
		Delivered:  "luigi@beta-pec.example",
		Original:   []byte(sent),
	})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(network.SigningCA())}, nil)
	if err != nil {
		log.Fatal(err)
	}

	notice, err := receipt.Open(context.Background(), bytes.NewReader(raw), verifier)
	if err != nil {
		log.Fatal(err)
	}
	defer notice.Close()
	delivery, ok := notice.(*receipt.Delivery)
	if !ok {
		log.Fatal("not a delivery receipt")
	}
	for _, message := range []string{sent, strings.Replace(sent, "Si diffida", "Si ringrazia", 1)} {
		content, err := receipt.CheckContent(io.NewSectionReader(strings.NewReader(message), 0, int64(len(message))), delivery)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(content.Result, len(content.Differences))
	}
	// Output:
	// match 0
	// mismatch 1
}

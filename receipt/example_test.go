package receipt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

// A provider of package pectest signs the receipt that is read here.
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

// Prove a receipt and read what it says.
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

// A receipt that is not proven gives no notice, and an error that says which check
// failed.
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

package receipt_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

// The verdict on one message as JSON, proven or not, for a program in any language.
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

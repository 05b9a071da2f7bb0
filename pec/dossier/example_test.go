package dossier_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"testing/fstest"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec/dossier"
	"github.com/gopec/gopec/pec/pectest"
)

// A dossier of notices that were saved from a mailbox. In this example a provider of
// package pectest signs them.
func ExampleWrite() {
	ctx := context.Background()
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	delivery, err := network.Providers()[1].Emit(pectest.Notice{
		Kind: pectest.KindDelivery, Sender: "mario@alfa-pec.example", MessageID: "<1@alfa-pec.example>", Delivered: "luigi@beta-pec.example",
		Recipients: []pectest.Recipient{{Address: "luigi@beta-pec.example"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	saved := fstest.MapFS{"consegna.eml": {Data: delivery}}                           // or os.DirFS
	anchors := []envelope.Anchor{envelope.AnchorFromCertificate(network.SigningCA())} // or envelope.BuiltinAnchors()

	var file bytes.Buffer
	report, err := dossier.Write(ctx, &file, dossier.FromFolder(saved, ""), anchors, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range report.Recipients {
		fmt.Println(r.Address, r.State)
	}
	for _, gap := range report.Missing {
		if gap.Request != "" {
			fmt.Println("missing:", gap.What, "- to be asked of the provider of", gap.Domain)
		}
	}

	_, err = dossier.Verify(ctx, bytes.NewReader(file.Bytes()), int64(file.Len()), anchors, nil)
	fmt.Println("intact:", err == nil)
	// Output:
	// luigi@beta-pec.example delivered
	// missing: acceptance - to be asked of the provider of alfa-pec.example
	// intact: true
}

package pec_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// Read what has arrived since the last time, and see what it is. Sync returns when there
// is no more, so it suits a program that runs every few minutes.
func ExampleClient_Sync() {
	ctx := context.Background()
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	client, disconnect := connect(network, "mario@alfa-pec.example", nil)
	defer disconnect()
	if _, err := client.Send(ctx, pec.Message{To: []string{"luigi@beta-pec.example"}, Subject: "Diffida", Text: "Si diffida."}); err != nil {
		log.Fatal(err)
	}
	if err := network.Idle(ctx); err != nil {
		log.Fatal(err)
	}

	for event, err := range client.Sync(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		switch {
		case event.Inbound != nil:
			fmt.Println("a PEC from", event.Inbound.Sender)
		case event.Proven != nil:
			fmt.Println("a proven", event.Proven.Kind)
		case event.Unverified != nil:
			fmt.Println("not proven:", event.Unverified.Code)
		case event.Unreadable != nil:
			fmt.Println("set aside:", event.Unreadable)
		}
	}
	// Output:
	// a proven acceptance
	// a proven delivery
}

// A receipt that was changed on its way does not move the status. What was read is evidence
// of the change, and is kept in the store too.
func ExampleClient_Sync_refused() {
	ctx := context.Background()
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	remove := network.Route(func(n pectest.Notice) ([]pectest.Posting, bool) {
		forged := pectest.Posting{Style: &pectest.Style{Malformed: pectest.MalformedChanged}}
		return []pectest.Posting{forged}, n.Kind == pectest.KindDelivery
	})
	defer remove()
	client, disconnect := connect(network, "mario@alfa-pec.example", nil)
	defer disconnect()
	id, err := client.Send(ctx, pec.Message{To: []string{"luigi@beta-pec.example"}, Subject: "Diffida", Text: "Si diffida."})
	if err != nil {
		log.Fatal(err)
	}
	if err := network.Idle(ctx); err != nil {
		log.Fatal(err)
	}

	for event, err := range client.Sync(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if event.Unverified == nil {
			continue
		}
		evidence, err := io.ReadAll(event.Raw) // keep it with your evidence
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.Unverified.Code, "about the send:", event.MessageID == id)
		fmt.Println("whole:", strings.Contains(string(evidence), "daticert.xml"))
	}
	status, err := client.Status(ctx, id)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status.Recipients[0].State, status.Flags)
	// Output:
	// digest-mismatch about the send: true
	// whole: true
	// accepted [unverified]
}

// Raw returns the notices of a send, byte for byte as they arrived. They are the proof to
// hand over.
func ExampleLedger_Raw() {
	ctx := context.Background()
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	client, disconnect := connect(network, "mario@alfa-pec.example", nil)
	defer disconnect()
	id, err := client.Send(ctx, pec.Message{To: []string{"luigi@beta-pec.example"}, Subject: "Diffida", Text: "Si diffida."})
	if err != nil {
		log.Fatal(err)
	}
	settle(ctx, client, id)

	// Whoever receives the files can check them without the store.
	anchor := envelope.AnchorFromCertificate(network.SigningCA()) // or envelope.BuiltinAnchors()
	verifier, err := envelope.NewVerifier([]envelope.Anchor{anchor}, nil)
	if err != nil {
		log.Fatal(err)
	}
	facts, err := client.Facts(ctx, id)
	if err != nil {
		log.Fatal(err)
	}
	for _, fact := range facts {
		notice, ok := fact.(pec.NoticeFact)
		if !ok {
			continue
		}
		raw, err := client.Raw(ctx, id, notice)
		if err != nil {
			log.Fatal(err)
		}
		message, err := envelope.Open(ctx, raw, verifier)
		raw.Close()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(message.Kind, "still proven:", message.Digest == notice.Digest)
		message.Close()
	}
	// Output:
	// acceptance still proven: true
	// delivery still proven: true
}

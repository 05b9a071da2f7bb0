package pec_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// settle waits until a send is settled. It reads the status before it waits, since Watch
// yields nothing for sends that are already settled.
func settle(ctx context.Context, client *pec.Client, messageID string) pec.Status {
	status, err := client.Status(ctx, messageID)
	if err != nil {
		log.Fatal(err)
	}
	if status.Settled {
		return status
	}
	for _, err := range client.Watch(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if status, err = client.Status(ctx, messageID); err != nil {
			log.Fatal(err)
		}
		if status.Settled {
			break
		}
	}
	return status
}

// Watch a mailbox and get each notice as it arrives. A program does this for as long as it
// runs.
func ExampleClient_Watch() {
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
	for event, err := range client.Watch(ctx) {
		if err != nil {
			log.Fatal(err) // ctx ended, or a *pec.SuspendedError
		}
		if event.Trouble != nil {
			log.Print(event.Trouble) // Watch goes on by itself
		}
		if event.MessageID != id {
			continue
		}
		fmt.Println(event.Notice.Kind, "from", event.Notice.Provider)
		if event.Notice.Kind == envelope.KindDelivery {
			break
		}
	}
	// Output:
	// acceptance from Alfa PEC S.p.A.
	// delivery from Beta PEC S.p.A.
}

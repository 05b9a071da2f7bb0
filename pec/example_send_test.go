package pec_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// A message with a key is sent once, however often Send is called: again after a crash, or
// by two workers.
func ExampleClient_Send() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	client, disconnect := connect(network, "mario@alfa-pec.example", nil)
	defer disconnect()

	var ids []string
	for range 2 {
		id, err := client.Send(context.Background(), pec.Message{
			To:          []string{"luigi@beta-pec.example"},
			Subject:     "Fattura n. 12/2026",
			Text:        "In allegato la fattura.",
			Attachments: []pec.Attachment{{Name: "fattura.xml", Type: "text/xml", Content: strings.NewReader("<Fattura/>")}},
			Key:         "fattura 12/2026",
		})
		if err != nil {
			log.Fatal(err)
		}
		ids = append(ids, id)
	}
	fmt.Println("the same send:", ids[0] == ids[1])

	if err := network.Idle(context.Background()); err != nil {
		log.Fatal(err)
	}
	received, err := network.Providers()[1].Messages("luigi@beta-pec.example", pectest.InboxFolder)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("received:", len(received))
	// Output:
	// the same send: true
	// received: 1
}

// A SendError says whether the message may have left, and has the provider's own words.
func ExampleSendError() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	remove := network.Intercept(func(m pectest.Moment) *pectest.Fault {
		if strings.HasPrefix(m.Command, "MAIL") {
			return &pectest.Fault{Reply: "550 5.7.1 contract expired\r\n"}
		}
		return nil
	})
	defer remove()
	client, disconnect := connect(network, "mario@alfa-pec.example", nil)
	defer disconnect()

	_, err = client.Send(context.Background(), pec.Message{To: []string{"luigi@beta-pec.example"}, Subject: "Diffida"})
	if failed, ok := errors.AsType[*pec.SendError](err); ok {
		switch failed.Outcome.Kind {
		case pec.OutcomeRefused:
			fmt.Println("it did not leave:", failed.Outcome.Reply)
		case pec.OutcomeTemporary:
			fmt.Println("it did not leave, and Watch tries again")
		case pec.OutcomeUncertain:
			fmt.Println("it may have left: wait for a notice")
		}
	}
	// Output: it did not leave: 550 5.7.1 contract expired
}

// A message has several recipients, and one of them does not exist. Once that is certain,
// a message of its own goes to the right address.
func ExampleClient_Resend() {
	ctx := context.Background()
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	client, disconnect := connect(network, "mario@alfa-pec.example", nil)
	defer disconnect()

	message := pec.Message{
		To:      []string{"luigi@beta-pec.example", "brunna@beta-pec.example"},
		Subject: "Convocazione",
		Text:    "L'assemblea è convocata.",
	}
	first, err := client.Send(ctx, message)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Resend(ctx, first, message); err != nil {
		refused, ok := errors.AsType[*pec.ResendError](err)
		fmt.Println("not again:", ok && refused.Recipient == "luigi@beta-pec.example")
	}

	settle(ctx, client, first)
	message.To = []string{"bruna@beta-pec.example"}
	second, err := client.Resend(ctx, first, message)
	if err != nil {
		log.Fatal(err)
	}
	status := settle(ctx, client, second)
	fmt.Println(status.Result, "and it takes the place of the first:", status.Resends == first)
	// Output:
	// not again: true
	// delivered and it takes the place of the first: true
}

package pec_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// cutAtDot cuts connections at the one moment after which nobody knows whether the message
// has left. With lose it has not.
func cutAtDot(lose bool) func(pectest.Moment) *pectest.Fault {
	return func(m pectest.Moment) *pectest.Fault {
		if m.Command != pectest.MomentDot {
			return nil
		}
		return &pectest.Fault{Lose: lose, Cut: true}
	}
}

// The provider's last reply was lost. A notice proves that the message has left.
func ExampleClient_SearchNotices() {
	ctx := context.Background()
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	client, disconnect := connect(network, "mario@alfa-pec.example", nil)
	defer disconnect()

	remove := network.Intercept(cutAtDot(false))
	id, err := client.Send(ctx, pec.Message{To: []string{"luigi@beta-pec.example"}, Subject: "Diffida", Text: "Si diffida."})
	remove()
	failed, ok := errors.AsType[*pec.SendError](err)
	fmt.Println(ok && failed.Outcome.Kind == pec.OutcomeUncertain)
	if err := network.Idle(ctx); err != nil {
		log.Fatal(err)
	}

	for event, err := range client.SearchNotices(ctx, id) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("proof:", event.Notice.Kind)
	}
	status, err := client.Status(ctx, id)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status.Result)
	// Output:
	// true
	// proof: acceptance
	// proof: delivery
	// delivered
}

// The provider's last reply was lost, and no notice arrives. Nothing is sent again until a
// person says that the message has not left.
func ExampleLedger_ResolveUnsent() {
	ctx := context.Background()
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	client, disconnect := connect(network, "mario@alfa-pec.example", nil)
	defer disconnect()

	message := pec.Message{To: []string{"luigi@beta-pec.example"}, Subject: "Diffida", Text: "Si diffida."}
	remove := network.Intercept(cutAtDot(true))
	first, err := client.Send(ctx, message)
	remove()
	if failed, ok := errors.AsType[*pec.SendError](err); ok {
		fmt.Println(failed.Outcome.Kind)
	}
	_, err = client.Resend(ctx, first, message)
	refused, ok := errors.AsType[*pec.ResendError](err)
	fmt.Println("refused:", ok && refused.State == pec.StateUncertain)

	if err := client.ResolveUnsent(ctx, first, "not among the sent messages on the provider's site; A. Rossi"); err != nil {
		log.Fatal(err)
	}
	second, err := client.Resend(ctx, first, message)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(settle(ctx, client, second).Result)
	// Output:
	// uncertain
	// refused: true
	// delivered
}

package pec_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// One message goes to four recipients, and the status has what became of it for each.
func ExampleStatus() {
	ctx := context.Background()
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	client, disconnect := connect(network, "mario@alfa-pec.example", nil)
	defer disconnect()

	id, err := client.Send(ctx, pec.Message{
		To:      []string{"luigi@beta-pec.example", "unknown@beta-pec.example", "full@beta-pec.example"},
		Cc:      []string{"info@example.org"}, // ordinary mail
		Subject: "Convocazione",
		Text:    "L'assemblea è convocata.",
	})
	if err != nil {
		log.Fatal(err)
	}
	status := settle(ctx, client, id)
	fmt.Println(status.Result)
	for _, r := range status.Recipients {
		if r.State == pec.StateFailed {
			fmt.Println(r.Address, r.State, "for", r.Failure.Cause)
			continue
		}
		fmt.Println(r.Address, r.State)
	}
	// Output:
	// partial
	// luigi@beta-pec.example delivered
	// unknown@beta-pec.example failed for unknown-address
	// full@beta-pec.example failed for mailbox-full
	// info@example.org ordinary
}

// Find lists the sends that need attention. It reads the store and makes no connection.
func ExampleLedger_Find() {
	ctx := context.Background()
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	store := pec.NewMemory() // or one of package sqlstore
	client, disconnect := connect(network, "mario@alfa-pec.example", &pec.Options{Store: store})
	defer disconnect()
	for _, to := range []string{"luigi@beta-pec.example", "unknown@beta-pec.example"} {
		id, err := client.Send(ctx, pec.Message{To: []string{to}, Subject: "Per " + to, Text: "Buongiorno."})
		if err != nil {
			log.Fatal(err)
		}
		settle(ctx, client, id)
	}

	ledger, err := pec.NewLedger("mario@alfa-pec.example", store, nil)
	if err != nil {
		log.Fatal(err)
	}
	for status, err := range ledger.Find(ctx, pec.Query{Filter: pec.FilterFailed}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(status.Subject, status.Result)
	}
	// Output: Per unknown@beta-pec.example failed
}

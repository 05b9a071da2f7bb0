package pec_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// overdue stands for the application under test. It lists the sends that are overdue.
func overdue(ctx context.Context, client *pec.Client) ([]string, error) {
	var subjects []string
	for status, err := range client.Find(ctx, pec.Query{Filter: pec.FilterOverdue}) {
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, status.Subject)
	}
	return subjects, nil
}

// Test an application without a provider and without waiting. Package pectest has a
// recipient for every fate, and a clock that the test advances and the Client uses.
func Example_testing() {
	ctx := context.Background()
	network, err := pectest.New(&pectest.Options{Start: time.Now().Add(-48 * time.Hour)}) // in a test: pectest.Start(t, ...)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	client, disconnect := connect(network, "mario@alfa-pec.example", &pec.Options{Now: network.Now})
	defer disconnect()

	for _, to := range []string{"luigi@beta-pec.example", "silent@beta-pec.example"} {
		if _, err := client.Send(ctx, pec.Message{To: []string{to}, Subject: "Per " + to, Text: "Buongiorno."}); err != nil {
			log.Fatal(err)
		}
	}
	network.Advance(27 * time.Hour)
	for _, err := range client.Sync(ctx) {
		if err != nil {
			log.Fatal(err)
		}
	}
	subjects, err := overdue(ctx, client)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(subjects)
	// Output: [Per silent@beta-pec.example]
}

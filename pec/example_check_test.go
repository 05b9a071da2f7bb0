package pec_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// Check returns everything that Send would refuse, at once, and records nothing.
func ExampleClient_Check() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	client, disconnect := connect(network, "mario@alfa-pec.example", nil)
	defer disconnect()

	_, err = client.Check(context.Background(), pec.Message{
		To:      []string{"luigi@beta-pec.example", "bruna"},
		Subject: "Diffida\r\nBcc: x@example.org",
	})
	if refused, ok := errors.AsType[*pec.ComposeError](err); ok {
		for _, p := range refused.Problems {
			fmt.Println(p.Field, p.Reason)
		}
	}
	// Output:
	// To bad-address
	// Subject control
}

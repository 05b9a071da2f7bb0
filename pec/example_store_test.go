package pec_test

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// counting is a Store that counts the entries that another Store records. A Store that
// keeps entries by itself needs every method of pec.Store: see examples/custom-store, and
// storetest.Run, which tests it.
type counting struct {
	pec.Store
	recorded atomic.Int64
}

func (c *counting) Append(ctx context.Context, mailbox string, entries ...pec.Entry) (bool, error) {
	added, err := c.Store.Append(ctx, mailbox, entries...)
	if added {
		c.recorded.Add(int64(len(entries)))
	}
	return added, err
}

// Wrap a Store in one of your own.
func ExampleStore() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	store := &counting{Store: pec.NewMemory()}
	client, disconnect := connect(network, "mario@alfa-pec.example", &pec.Options{Store: store})
	defer disconnect()

	if _, err := client.Send(context.Background(), pec.Message{To: []string{"luigi@beta-pec.example"}, Subject: "Diffida"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("intent, attempt, outcome:", store.recorded.Load())
	// Output: intent, attempt, outcome: 3
}

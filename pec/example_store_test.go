package pec_test

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// counting is a Store that counts what another one records. A Store that keeps facts by
// itself has every method of pec.Store: examples/custom-store is one, and storetest.Run
// tests it.
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

// A Store of one's own, around another.
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

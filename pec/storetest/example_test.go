package storetest_test

import (
	"testing"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/storetest"
)

// A Store is tested by its own tests; here it is pec.NewMemory.
func ExampleRun() {
	_ = func(t *testing.T) { // func TestStore(t *testing.T)
		storetest.Run(t, func(t *testing.T) pec.Store {
			store := pec.NewMemory()
			// t.Cleanup(store.Close)
			return store
		})
	}
}

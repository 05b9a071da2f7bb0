package storetest_test

import (
	"testing"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) pec.Store { return pec.NewMemory() })
}

func TestMemoryShared(t *testing.T) {
	storetest.RunShared(t, func(*testing.T) func() pec.Store {
		m := pec.NewMemory()
		return func() pec.Store { return m }
	})
}

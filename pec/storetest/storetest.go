// Package storetest tests that an implementation of pec.Store keeps its contract.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) pec.Store { return openEmpty(t) })
//	}
//
// Run is for every Store. RunDurable is for a Store that outlives the process, and
// RunShared for a Store that several processes may use at once. They test what the
// contract promises and nothing more: a Store that passes can still be slow. No test
// sleeps, and none uses the network.
package storetest

import (
	"testing"

	"github.com/gopec/gopec/pec"
)

// check tests one property of a Store. The Store is empty at first.
type check struct {
	name string
	run  func(*testing.T, pec.Store)
}

// Run tests each property of the contract in a subtest with a Store of its own. open
// returns an empty Store. It is called once per subtest, with the subtest's *testing.T:
// open registers with t.Cleanup whatever must be closed.
func Run(t *testing.T, open func(t *testing.T) pec.Store) {
	t.Helper()
	for _, checks := range [][]check{appendChecks, readChecks, rawChecks, changesChecks, sendsChecks, cursorChecks, cancelChecks} {
		for _, c := range checks {
			t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
		}
	}
	for _, c := range raceChecks {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// RunDurable tests that a Store still has its data after a restart. storage makes an
// empty storage, such as a database file, and returns a function that opens it. Each
// call of reopen stands for a restart: the Store that it returned before is no longer
// used, and reopen may close it.
func RunDurable(t *testing.T, storage func(t *testing.T) (reopen func() pec.Store)) {
	t.Helper()
	t.Run("Durable", func(t *testing.T) { durable(t, storage(t)) })
}

// RunShared tests that several processes can use one storage at once. storage makes an
// empty storage and returns a function that opens it. The Stores that open returns are
// used at the same time, each in place of one process.
func RunShared(t *testing.T, storage func(t *testing.T) (open func() pec.Store)) {
	t.Helper()
	for _, c := range raceChecks {
		t.Run("Shared"+c.name, func(t *testing.T) {
			open := storage(t)
			c.run(t, open(), open(), open())
		})
	}
}

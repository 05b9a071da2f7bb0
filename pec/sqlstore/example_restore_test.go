package sqlstore_test

import (
	"context"
	"time"

	"github.com/gopec/gopec/pec"
)

// markRestored is step 3 of the restore in README.md.
func markRestored(ctx context.Context, store pec.Store, stopped time.Time, addresses ...string) error {
	for _, address := range addresses {
		ledger, err := pec.NewLedger(address, store, nil)
		if err != nil {
			return err
		}
		if err := ledger.MarkRestored(ctx, stopped); err != nil {
			return err
		}
	}
	return nil
}

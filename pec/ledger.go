package pec

import (
	"errors"
	"fmt"
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/mailtext"
)

// Ledger is what a Store knows of one mailbox. It sends and reads nothing, and needs no
// connection: reports, web hooks and the programs of operators work with it while
// Clients elsewhere do. A Client has all its methods. It is safe for concurrent use.
type Ledger struct {
	box     string // the mailbox's name in the store
	store   Store
	now     func() time.Time
	folders []string // that tell how far the mailbox was read; nil for all that ever were
}

// LedgerOptions are the optional settings of a Ledger.
type LedgerOptions struct {
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// NewLedger gives the Ledger of the mailbox with the given address, a bare
// "name@domain"; anything else is an *AddressError. Nothing is read yet. Nil opts is the
// zero value.
func NewLedger(address string, store Store, opts *LedgerOptions) (*Ledger, error) {
	if !mailtext.IsPlainAddress(address) {
		return nil, &AddressError{Address: address}
	}
	if store == nil {
		return nil, errors.New("pec: a Ledger needs a Store")
	}
	l := &Ledger{box: envelope.NormalizeAddress(address), store: store, now: time.Now}
	if opts != nil && opts.Now != nil {
		l.now = opts.Now
	}
	return l, nil
}

// AddressError reports that New or NewLedger was given what is no address of a PEC mailbox.
type AddressError struct {
	Address string
}

// Error implements error.
func (e *AddressError) Error() string {
	return fmt.Sprintf("pec: %q is no bare mailbox address: use name@domain in ASCII, at most 254 bytes, without display name or brackets", e.Address)
}

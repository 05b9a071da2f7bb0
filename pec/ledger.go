package pec

import (
	"errors"
	"fmt"
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/mailtext"
)

// Ledger is what a Store knows of one mailbox. It needs no connection, since it sends
// nothing and reads no mail. Reports, web hooks and the programs of operators use it while
// Clients run elsewhere. A Client has all its methods. It is safe for concurrent use.
type Ledger struct {
	box     string // the mailbox's name in the store
	store   Store
	now     func() time.Time
	folders []string // those that have to be read; nil means all that ever were
}

// LedgerOptions are the optional settings of a Ledger.
type LedgerOptions struct {
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// NewLedger returns the Ledger of the mailbox with the given address, a bare
// "name@domain". For anything else the error is an *AddressError. A nil Store is an
// *OptionError. Nothing is read yet. Nil opts is the zero value.
func NewLedger(address string, store Store, opts *LedgerOptions) (*Ledger, error) {
	if !mailtext.IsPlainAddress(address) {
		return nil, &AddressError{Address: address}
	}
	if store == nil {
		return nil, &OptionError{"Store", "nil: a Ledger needs one, such as one of package sqlstore"}
	}
	l := &Ledger{box: envelope.NormalizeAddress(address), store: store, now: time.Now}
	if opts != nil && opts.Now != nil {
		l.now = opts.Now
	}
	return l, nil
}

// AddressError reports that New or NewLedger was given something else than the bare
// address of a mailbox: name@domain in ASCII, at most 254 bytes.
type AddressError struct {
	Address string // as it was given
}

// Error implements error.
func (e *AddressError) Error() string {
	return fmt.Sprintf("pec: %q is not a bare mailbox address: use name@domain in ASCII, at most 254 bytes, without display name or brackets", e.Address)
}

// OptionError reports an argument or a field that New, NewLedger or Ledger.Find refuses.
type OptionError struct {
	Option string // the argument or field, such as "Submitter" or "Options.RetryFor"
	Text   string // what is wrong with it, and what is right
}

// Error implements error.
func (e *OptionError) Error() string { return "pec: " + e.Option + ": " + e.Text }

// ErrUnknownSend reports a Message-ID, or a key, under which nothing is known.
var ErrUnknownSend = errors.New("pec: nothing is known under this Message-ID or key")

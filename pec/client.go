package pec

import (
	"bytes"
	"cmp"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gopec/gopec/envelope"
)

// Client sends from one PEC mailbox and reads what arrives in it. It also has the methods of
// its Ledger: Status, Find, Changes, ResolveSent, Resume and the others. It is safe for
// concurrent use. Several Clients of one mailbox, in one process or in many, may share a
// Store.
//
// A Client need not be closed. The caller closes its Submitter and Mailbox after the last
// use.
type Client struct {
	*Ledger
	address   string
	submitter Submitter
	mailbox   Mailbox
	verifier  *envelope.Verifier
	options   Options
	log       *slog.Logger
	underWay  *underWay

	mu      sync.Mutex
	trouble map[Cursor]int            // how often a message could not be read to its end
	links   map[string]bool           // CertIDs, in lower case, whose CertLink is recorded; not all of them
	lifted  int                       // the last Restoration that holds nothing back any more
	others  *othersSends              // since that Restoration; nil until needed
	bounces map[string]map[string]int // how many more bounces are kept, by send and recipient; not for all sends
}

// Options are the optional settings of a Client.
type Options struct {
	// Store keeps the facts. Nil means NewMemory: a restart forgets all of them, also that
	// a message was sent.
	Store Store
	// SentFolder gets a copy of each message that was submitted. Nil means no copies. When
	// a copy cannot be saved, that is only logged.
	SentFolder SentFolder
	// Limits are those of the provider. The zero value is what every provider has to
	// accept.
	Limits Limits
	// KeySecret protects keys against the loss of the Store. With it, the Message-ID of a
	// send with a key is computed from secret, mailbox and key. When a send is lost because
	// the Store was restored from a backup, a repeated key recognises it by the notices in
	// the mailbox and sends nothing. Use 32 random bytes or more, the same in every process
	// and for as long as keys are repeated, and keep them outside the Store. Nil means that
	// each Message-ID is random: after such a loss a repeated key makes a second PEC.
	KeySecret []byte
	// RetryFor is how long a message that provably has not left is offered again before it
	// is given up; zero means 24 hours. A pause between two attempts counts for at most an
	// eighth of it, or for the pause that Retry makes if that is longer: one wrong clock, or
	// a machine that slept, does not give a message up.
	RetryFor time.Duration
	// OverdueAfter is how long after acceptance a certified recipient without a final notice
	// becomes overdue (FlagOverdue); zero means 26 hours. It applies to sends begun from now
	// on.
	OverdueAfter time.Duration
	// PollInterval is how often Watch reads the folders that the server does not report on;
	// zero means 1 minute.
	PollInterval time.Duration
	// Now is the clock. It must be safe for concurrent use. Nil means time.Now.
	Now func() time.Time
	// Logger gets what happens, by Message-ID; never bodies, addresses or secrets. Nil logs
	// nothing.
	Logger *slog.Logger
}

// check returns an *OptionError for a field that no Client can work with.
func (o *Options) check() error {
	for name, d := range map[string]time.Duration{"RetryFor": o.RetryFor, "OverdueAfter": o.OverdueAfter, "PollInterval": o.PollInterval} {
		if d < 0 {
			return &OptionError{"Options." + name, fmt.Sprintf("%v is negative: use zero for the default", d)}
		}
	}
	// A shorter secret could be guessed.
	if n := len(o.KeySecret); o.KeySecret != nil && n < leastKeySecret {
		return &OptionError{"Options.KeySecret", fmt.Sprintf("%d bytes: use %d random bytes or more", n, leastKeySecret)}
	}
	return nil
}

// New returns the Client of the mailbox with the given address, a bare "name@domain". It does
// not connect. Nil opts is the zero value. Any other form of address is an *AddressError; a
// negative duration, a short KeySecret, or a nil Submitter, Mailbox or Verifier is an
// *OptionError.
func New(address string, s Submitter, m Mailbox, v *envelope.Verifier, opts *Options) (*Client, error) {
	for part, missing := range map[string]bool{"Submitter": s == nil, "Mailbox": m == nil, "Verifier": v == nil} {
		if missing {
			return nil, &OptionError{part, "nil: a Client needs one"}
		}
	}
	c := &Client{
		address: address, submitter: s, mailbox: m, verifier: v, trouble: map[Cursor]int{}, links: map[string]bool{},
		bounces:  map[string]map[string]int{},
		underWay: &underWay{sends: map[string]chan struct{}{}},
	}
	if opts != nil {
		c.options = *opts
	}
	if err := c.options.check(); err != nil {
		return nil, err
	}
	c.options.KeySecret = bytes.Clone(c.options.KeySecret)
	c.options.RetryFor = cmp.Or(c.options.RetryFor, defaultRetryFor)
	c.options.PollInterval = cmp.Or(c.options.PollInterval, time.Minute)
	store := c.options.Store
	if store == nil {
		store = NewMemory()
	}
	ledger, err := NewLedger(address, store, &LedgerOptions{Now: c.options.Now})
	if err != nil {
		return nil, err
	}
	c.Ledger = ledger
	c.folders = m.Folders()
	if c.log = c.options.Logger; c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// leastKeySecret is the shortest Options.KeySecret, in bytes: as long as the digest of the
// HMAC (RFC 2104, 3).
const leastKeySecret = 32

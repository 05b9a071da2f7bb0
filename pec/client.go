package pec

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gopec/gopec/envelope"
)

// ErrUnknownSend reports a Message-ID under which nothing is known.
var ErrUnknownSend = errors.New("pec: nothing is known of this message")

// Client is one PEC mailbox: it sends from it and reads what comes back. It is
// safe for concurrent use, and several Clients of one mailbox, in one process or in
// many, may share a Store. It has the methods of its Ledger too: Status, Find, Changes,
// ResolveSent, Resume and the others.
//
// A Client holds nothing that has to be closed. Its Submitter and Mailbox are the
// caller's, to be closed after the last use.
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
	links   map[string]bool           // CertLinks that are recorded, in lower case; not all
	lifted  int                       // the last Restoration that holds nothing back any more
	others  *othersSends              // since then; nil until it is needed
	bounces map[string]map[string]int // how many more are kept, by send and recipient; not all
}

// Options are the optional settings of a Client.
type Options struct {
	// Store keeps what is known. Nil is NewMemory: a restart forgets it all, and
	// with it that a message was sent.
	Store Store
	// SentFolder gets a copy of each message that was submitted. Nil keeps none. That
	// a copy could not be saved is logged, and nothing else.
	SentFolder SentFolder
	// Limits are those of the provider. The zero value is the least that every
	// provider must take.
	Limits Limits
	// KeySecret is what the Message-ID of a send with a key is computed from, together with
	// mailbox and key: 32 random bytes or more, the same in every process and for as long as
	// keys are repeated, and kept outside the Store. With it a key whose send was lost,
	// because the Store was restored from a backup, is recognised by the notices in the
	// mailbox and sends nothing. Nil means that each Message-ID is drawn: after such a loss a
	// repeated key makes a second PEC.
	KeySecret []byte
	// RetryFor is how long a message that provably has not left is offered again
	// before it is given up; zero means 24 hours. A pause between two attempts counts for
	// an eighth of it at most, or for as long as Retry makes it: one wrong clock, or a
	// machine that slept, gives nothing up.
	RetryFor time.Duration
	// OverdueAfter is how long after acceptance the last notice about a certified
	// recipient is missed; zero means 26 hours. It holds for sends begun from now on.
	OverdueAfter time.Duration
	// PollInterval is how often Watch reads the folders of which it is not told that
	// they changed; zero means 1 minute.
	PollInterval time.Duration
	// Now is the clock, safe for concurrent use. Nil means time.Now.
	Now func() time.Time
	// Logger hears what happens, by Message-ID; never bodies, addresses or secrets.
	// Nil is silent.
	Logger *slog.Logger
}

// OptionError reports a field of Options that New refuses.
type OptionError struct {
	Option string // the name of the field
	Reason string // what is wrong with it, and what is right
}

// Error implements error.
func (e *OptionError) Error() string { return "pec: Options." + e.Option + ": " + e.Reason }

// check refuses what no Client can work with.
func (o *Options) check() error {
	for name, d := range map[string]time.Duration{"RetryFor": o.RetryFor, "OverdueAfter": o.OverdueAfter, "PollInterval": o.PollInterval} {
		if d < 0 {
			return &OptionError{name, fmt.Sprintf("%v is negative: use zero for the default", d)}
		}
	}
	// A shorter secret could be guessed.
	if n := len(o.KeySecret); o.KeySecret != nil && n < leastKeySecret {
		return &OptionError{"KeySecret", fmt.Sprintf("%d bytes: use %d random bytes or more", n, leastKeySecret)}
	}
	return nil
}

// New makes the Client of the mailbox with the given address, a bare
// "name@domain"; anything else is an *AddressError. A negative duration or a short
// KeySecret is an *OptionError. Without a Submitter, a Mailbox or a Verifier it fails. Nothing is connected yet. Nil opts
// is the zero value.
func New(address string, s Submitter, m Mailbox, v *envelope.Verifier, opts *Options) (*Client, error) {
	if s == nil || m == nil || v == nil {
		return nil, errors.New("pec: a Client needs a Submitter, a Mailbox and a Verifier")
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

// leastKeySecret is the shortest Options.KeySecret, in bytes: as long as the digest that
// it keys (RFC 2104, 3).
const leastKeySecret = 32

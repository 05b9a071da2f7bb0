package pec

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/gopec/gopec/envelope"
)

// ErrUnknownSend reports a Message-ID that is not one of the Client's sends.
var ErrUnknownSend = errors.New("pec: not a message sent by this client")

// Client is one PEC mailbox: it sends from it and reads what comes back. It is
// safe for concurrent use.
type Client struct {
	address   string
	submitter Submitter
	mailbox   Mailbox
	verifier  *envelope.Verifier
	memory    *memory
	now       func() time.Time
	log       *slog.Logger
}

// Options are the optional settings of a Client.
type Options struct {
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Logger hears what happens, by Message-ID; never bodies, addresses or secrets.
	// Nil is silent.
	Logger *slog.Logger
}

// New makes the Client of the mailbox with the given address, a bare
// "name@domain"; anything else is a *ComposeError. Nothing is connected yet. Nil
// opts is the zero value.
func New(address string, s Submitter, m Mailbox, v *envelope.Verifier, opts *Options) (*Client, error) {
	if a, reason, err := parseAddress(address); a == nil || a.Address != address {
		return nil, &ComposeError{[]Problem{{"From", address, cmp.Or(reason, ProblemBadAddress), err}}}
	}
	if s == nil || m == nil || v == nil {
		return nil, errors.New("pec: a Client needs a Submitter, a Mailbox and a Verifier")
	}
	c := &Client{
		address: address, submitter: s, mailbox: m, verifier: v,
		memory: newMemory(), now: time.Now, log: slog.New(slog.DiscardHandler),
	}
	if opts != nil && opts.Now != nil {
		c.now = opts.Now
	}
	if opts != nil && opts.Logger != nil {
		c.log = opts.Logger
	}
	return c, nil
}

// Status computes the status of a send as of now, from what Send and Sync have
// recorded. A Message-ID of no send gives ErrUnknownSend.
func (c *Client) Status(_ context.Context, messageID string) (Status, error) {
	facts := c.memory.facts(envelope.NormalizeMessageID(messageID))
	if len(facts) == 0 {
		return Status{}, ErrUnknownSend
	}
	return Fold(facts, c.now()), nil
}

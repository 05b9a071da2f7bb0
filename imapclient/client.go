// Package imapclient is the pec.Mailbox over IMAPS: IMAP4rev1 or IMAP4rev2 (RFC
// 9051) with implicit TLS (RFC 8314, 3.2). A Client only ever examines folders and
// peeks at messages: nothing in the mailbox changes. SentFolder, a type apart, adds
// copies of what was sent to one folder, and does nothing else.
package imapclient

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/gopec/gopec/internal/login"
	"github.com/gopec/gopec/internal/netguard"
	"github.com/gopec/gopec/pec"
)

// Options are the optional settings of a Client. Nil is the zero value.
type Options struct {
	// TLS are the settings for the connection; nil means the roots of the system.
	// The server name is taken from the address when it is empty, TLS 1.2 is the
	// lowest version, and InsecureSkipVerify is refused.
	TLS *tls.Config
	// Timeout is the longest silence of the server while it owes us something, and
	// the longest stall of one write; zero means 1 minute. An answer that comes in
	// trickles may take ten times as long in all, unless it is the text of a message.
	Timeout time.Duration
	// Folders are the folders to read; nil means INBOX. Wait watches the first.
	Folders []string
	// Since leaves out older messages where a folder is read from its beginning;
	// zero means all. IMAP compares days without a zone, so that messages of up to
	// two days before it can still appear.
	Since time.Time
	// MaxMessage is the size in bytes of the largest message to download; zero means
	// 200 MiB.
	MaxMessage int64
	// PollInterval is how long Wait waits on a server without IDLE; zero means 1
	// minute.
	PollInterval time.Duration
	// Logger tells of connections made; nil is silent. It is never given folder
	// names, logins, secrets or contents.
	Logger *slog.Logger
}

const (
	defaultTimeout = time.Minute
	defaultPoll    = time.Minute
	defaultMax     = 200 << 20
)

// Client reads one mailbox over one connection, which it makes when it needs it.
// It is safe for concurrent use; one call at a time has the connection.
type Client struct {
	addr    string
	login   pec.Login
	tls     *tls.Config
	options Options
	log     *slog.Logger

	life context.Context // ends with Close
	end  context.CancelFunc

	turns   chan struct{} // holds a token while a call has the connection
	waiting atomic.Int32  // calls that want a turn
	nudge   chan struct{} // asks a Wait to give up its turn

	// These belong to whoever has the turn.
	session    *session
	seen       *mark
	searchLine int // how long the command of a search may be; less once the server has refused one
}

var _ pec.Mailbox = (*Client)(nil)

// New gives a Client for the server at addr (host:port). It does not connect. It
// fails with an *Error of ReasonConfig.
func New(addr string, login pec.Login, opts *Options) (*Client, error) {
	c := &Client{addr: addr, login: login, turns: make(chan struct{}, 1), nudge: make(chan struct{}, 1), searchLine: searchLine}
	if opts != nil {
		c.options = *opts
	}
	var err error
	if c.tls, err = netguard.TLSConfig(addr, c.options.TLS); err != nil {
		return nil, &Error{Op: "new", Reason: ReasonConfig, Err: err}
	}
	if err := c.fill(); err != nil {
		return nil, &Error{Op: "new", Reason: ReasonConfig, Err: err}
	}
	c.life, c.end = context.WithCancel(context.Background())
	return c, nil
}

// fill puts the defaults in and checks the rest.
func (c *Client) fill() error {
	o := &c.options
	if err := login.Check(c.login.User, string(c.login.Mechanism), c.login.Secret != nil); err != nil {
		return err
	}
	if o.Timeout < 0 || o.PollInterval < 0 || o.MaxMessage < 0 {
		return errors.New("negative duration or size")
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.PollInterval == 0 {
		o.PollInterval = defaultPoll
	}
	if o.MaxMessage == 0 {
		o.MaxMessage = defaultMax
	}
	if o.Folders = slices.Clone(o.Folders); o.Folders == nil {
		o.Folders = []string{"INBOX"}
	}
	if len(o.Folders) == 0 || slices.Contains(o.Folders, "") {
		return errors.New("no folder, or one without a name")
	}
	if c.log = o.Logger; c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Folders implements pec.Mailbox.
func (c *Client) Folders() []string { return slices.Clone(c.options.Folders) }

// Close ends the connection and makes every call under way, and every later one,
// fail with ReasonClosed. It always returns nil.
func (c *Client) Close() error {
	c.end()
	select {
	case c.turns <- struct{}{}:
	default:
		return nil // whoever has the turn has just lost the connection and cleans up
	}
	if c.session != nil {
		c.session.logout()
		c.session.drop()
		c.session = nil
	}
	<-c.turns
	return nil
}

// Package imapclient is the pec.Mailbox over IMAPS: IMAP4rev1 or IMAP4rev2 (RFC
// 9051) with implicit TLS (RFC 8314, 3.2). A Client only examines folders and peeks at
// messages: it changes nothing in the mailbox. SentFolder, a separate type, only adds
// copies of sent messages to one folder.
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

// Options are the optional settings of a Client. Nil means the zero value.
type Options struct {
	// TLS configures the connection; nil trusts the system's root certificates. An
	// empty ServerName is taken from the address, the lowest version is TLS 1.2, and
	// InsecureSkipVerify is refused.
	TLS *tls.Config
	// Timeout is the longest silence of the server while we wait for it, and the
	// longest stall of one write; zero means 1 minute. A whole answer may take ten
	// times as long; for the text of a message, each 64 KiB may.
	Timeout time.Duration
	// Folders are the folders to read; nil means INBOX. Wait watches the first.
	Folders []string
	// Since skips older messages when a folder is read from its beginning; zero skips
	// none. IMAP compares days without a time zone, so messages that are up to two
	// days older can still appear.
	Since time.Time
	// MaxMessage is the size in bytes of the largest message to download; zero means
	// 200 MiB.
	MaxMessage int64
	// PollInterval is how long Wait waits if the server has no IDLE; zero means 1
	// minute.
	PollInterval time.Duration
	// Logger receives each new connection; nil logs nothing. Folder names, logins,
	// secrets and contents are never logged.
	Logger *slog.Logger
}

const (
	defaultTimeout = time.Minute
	defaultPoll    = time.Minute
	defaultMax     = 200 << 20
)

// Client reads one mailbox over one connection, which it makes when a call needs it. It
// is safe for concurrent use: calls take turns on the connection. Close it after its
// last use.
type Client struct {
	addr    string
	login   pec.Login
	tls     *tls.Config
	options Options
	log     *slog.Logger

	life context.Context // ends with Close
	end  context.CancelFunc

	turns   chan struct{} // holds a token while a call has the connection
	waiting atomic.Int32  // how many calls wait for their turn
	nudge   chan struct{} // asks a Wait to give up its turn

	// These belong to whoever has the turn.
	session    *session
	seen       *mark
	searchLine int // the longest search command in octets; lowered when the server refuses one
}

var _ pec.Mailbox = (*Client)(nil)

// New returns a Client for the server at addr (host:port). It does not connect. Its
// error is an *Error with ReasonConfig.
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

// fill sets the defaults and checks the options.
func (c *Client) fill() error {
	o := &c.options
	if err := login.Check(c.login.User, string(c.login.Mechanism), c.login.Secret != nil); err != nil {
		return err
	}
	if o.Timeout < 0 || o.PollInterval < 0 || o.MaxMessage < 0 {
		return errors.New("negative Timeout, PollInterval or MaxMessage")
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
		return errors.New("no folder to read, or one with an empty name")
	}
	if c.log = o.Logger; c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Folders implements pec.Mailbox.
func (c *Client) Folders() []string { return slices.Clone(c.options.Folders) }

// Close ends the connection. Every call in progress, and every later one, fails with
// ReasonClosed. Close always returns nil.
func (c *Client) Close() error {
	c.end()
	select {
	case c.turns <- struct{}{}:
	default:
		return nil // the call that has the turn loses the connection and cleans up
	}
	if c.session != nil {
		c.session.logout()
		c.session.drop()
		c.session = nil
	}
	<-c.turns
	return nil
}

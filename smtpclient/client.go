// Package smtpclient is the pec.Submitter over SMTPS: SMTP with implicit TLS
// (RFC 8314, 3.3), or with STARTTLS if Options.StartTLS is set.
package smtpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
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
	// StartTLS is for a server that speaks in the clear until it is asked for TLS
	// (RFC 3207), usually on port 587. If the server does not agree, neither login nor
	// message is sent: ReasonStartTLS. False means TLS from the first byte.
	StartTLS bool
	// Timeout is the longest silence of the server and the longest stall of one
	// write; zero means 2 minutes. A whole reply may take ten times as long.
	Timeout time.Duration
	// SubmitTimeout is the longest silence after the final dot; zero means 10
	// minutes (RFC 5321, 4.5.3.2.6). A shorter one can cause uncertain outcomes.
	SubmitTimeout time.Duration
	// IdleTimeout is how long the connection is kept, logged in, after a message;
	// zero means 30 seconds. A negative value ends it after each message.
	IdleTimeout time.Duration
	// PerMinute is the largest number of messages sent in any minute, including those
	// that the server refuses; the next one waits. Zero means no limit.
	PerMinute int
	// Throttles are 5xx replies of this provider that are temporary, because they
	// only mean that messages come too fast. Nil means none.
	Throttles []ThrottleReply
	// HelloName is the client's name in EHLO, in ASCII without spaces; empty means
	// localhost.
	HelloName string
	// Logger receives the outcome of each attempt; nil logs nothing. Addresses and the
	// provider's replies appear at Debug only, bodies and secrets never.
	Logger *slog.Logger
}

const (
	defaultTimeout       = 2 * time.Minute
	defaultSubmitTimeout = 10 * time.Minute
	defaultIdleTimeout   = 30 * time.Second
)

// Client submits messages to one server as one user. It is safe for concurrent use.
// It never has more than one connection, since providers count them: calls take
// turns. Close it after its last use.
type Client struct {
	addr    string
	login   pec.Login
	tls     *tls.Config
	options Options
	log     *slog.Logger

	turns   chan struct{} // holds a token while a call has the connection
	closed  chan struct{} // closed by Close
	closing sync.Once
	timers  sync.WaitGroup // of kept sessions; only the holder of the turn adds

	// These belong to whoever has the turn.
	session *session
	pace    pace
}

var _ pec.Submitter = (*Client)(nil)

// New returns a Client for the server at addr (host:port). It does not connect. Its
// error is an *Error with ReasonConfig.
func New(addr string, l pec.Login, opts *Options) (*Client, error) {
	c := &Client{addr: addr, login: l, turns: make(chan struct{}, 1), closed: make(chan struct{})}
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
	return c, nil
}

// fill sets the defaults and checks the options.
func (c *Client) fill() error {
	o := &c.options
	if err := login.Check(c.login.User, string(c.login.Mechanism), c.login.Secret != nil); err != nil {
		return err
	}
	if err := checkThrottles(o.Throttles); err != nil {
		return err
	}
	if o.Timeout < 0 || o.SubmitTimeout < 0 || o.PerMinute < 0 {
		return errors.New("negative Timeout, SubmitTimeout or PerMinute")
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.SubmitTimeout == 0 {
		o.SubmitTimeout = defaultSubmitTimeout
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = defaultIdleTimeout
	}
	o.Throttles = slices.Clone(o.Throttles)
	c.pace.limit = o.PerMinute
	if o.HelloName == "" {
		o.HelloName = "localhost"
	}
	if strings.ContainsFunc(o.HelloName, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return fmt.Errorf("HelloName %q: only ASCII without spaces and control characters is allowed", o.HelloName)
	}
	if c.log = o.Logger; c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Submit implements pec.Submitter. The body must hold exactly s.Size bytes and end
// each line with CRLF. It is read on the caller's goroutine: ctx cannot interrupt a
// Read that blocks.
//
// A kept connection that has ended by the time of MAIL FROM is replaced once. Nothing
// else is repeated.
func (c *Client) Submit(ctx context.Context, s pec.Submission) pec.Outcome {
	begin := time.Now()
	outcome := c.submit(ctx, s)
	c.log.InfoContext(ctx, "smtpclient: attempt",
		"server", c.addr, "outcome", outcome.Kind, "code", outcome.Reply.Code,
		"recipients", len(s.To), "bytes", s.Size, "took", time.Since(begin))
	c.log.DebugContext(ctx, "smtpclient: attempt in detail",
		"from", s.From, "to", s.To, "reply", outcome.Reply.String(), "error", outcome.Err)
	return outcome
}

func (c *Client) submit(ctx context.Context, s pec.Submission) pec.Outcome {
	if err := check(s); err != nil {
		return pec.Outcome{Kind: pec.OutcomeRefused, Err: err}
	}
	if err := c.begin(ctx); err != nil {
		return pec.Outcome{Kind: pec.OutcomeTemporary, Err: err}
	}
	defer c.end()
	if err := c.pace.wait(ctx, c.closed); err != nil {
		return pec.Outcome{Kind: pec.OutcomeTemporary, Err: failure(ctx, "wait", err, nil)}
	}
	a := &attempt{client: c, ctx: ctx, message: s}
	return a.run()
}

// check refuses a message before a connection is made.
func check(s pec.Submission) error {
	if err := checkAddresses(s); err != nil {
		return err
	}
	if s.Body == nil || s.Size <= 0 {
		return &Error{Op: "body", Reason: ReasonContent, Err: errors.New("no body: Body and a positive Size are required")}
	}
	return nil
}

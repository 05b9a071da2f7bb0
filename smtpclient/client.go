// Package smtpclient is the pec.Submitter over SMTPS: SMTP with implicit TLS
// (RFC 8314, 3.3), or with STARTTLS where that is asked for.
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

// Options are the optional settings of a Client. Nil is the zero value.
type Options struct {
	// TLS are the settings for the connection; nil means the roots of the system.
	// The server name is taken from the address when it is empty, TLS 1.2 is the
	// lowest version, and InsecureSkipVerify is refused.
	TLS *tls.Config
	// StartTLS is for a server that speaks in the clear until it is asked for TLS
	// (RFC 3207), on port 587 as a rule. One that does not consent is told neither
	// login nor message: ReasonStartTLS. False is TLS from the first byte.
	StartTLS bool
	// Timeout is the longest silence of the server and the longest stall of one
	// write; zero means 2 minutes.
	Timeout time.Duration
	// SubmitTimeout is the longest silence after the final dot; zero means 10
	// minutes (RFC 5321, 4.5.3.2.6). Cutting it short makes uncertain outcomes.
	SubmitTimeout time.Duration
	// IdleTimeout is how long the connection is kept, logged in, after a message;
	// zero means 30 seconds. Negative ends it after each message.
	IdleTimeout time.Duration
	// PerMinute is the most messages that are offered within any minute, those that
	// the server refused included; the next one waits. Zero is no limit.
	PerMinute int
	// Throttles are 5xx replies of this provider that are temporary, because they
	// only mean that messages come too fast. Nil is none.
	Throttles []Throttle
	// HelloName is what we call ourselves in EHLO; empty means localhost.
	HelloName string
	// Logger tells the outcome of each attempt; nil is silent. Addresses and the
	// provider's words appear at Debug only, bodies and secrets never.
	Logger *slog.Logger
}

const (
	defaultTimeout       = 2 * time.Minute
	defaultSubmitTimeout = 10 * time.Minute
	defaultIdleTimeout   = 30 * time.Second
)

// Client submits messages to one server as one user. It is safe for concurrent
// use and never has more than one connection, since providers count them: calls
// take turns. After its last use it should be closed.
type Client struct {
	addr    string
	login   pec.Login
	tls     *tls.Config
	options Options
	log     *slog.Logger

	turns   chan struct{} // holds a token while a call has the connection
	closed  chan struct{} // closed by Close
	closing sync.Once
	timers  sync.WaitGroup // of sessions that are kept; only the holder of the turn adds

	// These belong to whoever has the turn.
	session *session
	pace    pace
}

var _ pec.Submitter = (*Client)(nil)

// New gives a Client for the server at addr (host:port). It does not connect. It
// fails with an *Error of ReasonConfig.
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

// fill puts the defaults in and checks the rest.
func (c *Client) fill() error {
	o := &c.options
	if err := login.Check(c.login.User, string(c.login.Mechanism), c.login.Secret != nil); err != nil {
		return err
	}
	if err := checkThrottles(o.Throttles); err != nil {
		return err
	}
	if o.Timeout < 0 || o.SubmitTimeout < 0 || o.PerMinute < 0 {
		return errors.New("negative timeout or number")
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
		return fmt.Errorf("hello name %q", o.HelloName)
	}
	if c.log = o.Logger; c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Submit implements pec.Submitter. The body is read on the caller's goroutine; a
// body that blocks is the one thing ctx cannot interrupt. It must hold exactly
// s.Size bytes and end each line with CRLF.
//
// A kept connection that has ended by the time of MAIL FROM is replaced; nothing
// else is repeated.
func (c *Client) Submit(ctx context.Context, s pec.Submission) pec.Outcome {
	begin := time.Now()
	outcome := c.submit(ctx, s)
	c.log.InfoContext(ctx, "smtpclient: submitted once",
		"server", c.addr, "outcome", outcome.Kind, "code", outcome.Reply.Code,
		"recipients", len(s.To), "bytes", s.Size, "took", time.Since(begin))
	c.log.DebugContext(ctx, "smtpclient: details",
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

// check looks at the message before anybody is dialled.
func check(s pec.Submission) error {
	if err := checkAddresses(s); err != nil {
		return err
	}
	if s.Body == nil || s.Size <= 0 {
		return &Error{Op: "body", Reason: ReasonContent, Err: errors.New("no body")}
	}
	return nil
}

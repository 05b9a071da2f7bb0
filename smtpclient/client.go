// Package smtpclient is the pec.Submitter over SMTPS: SMTP with implicit TLS
// (RFC 8314, 3.3).
package smtpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/gopec/gopec/internal/netguard"
	"github.com/gopec/gopec/pec"
)

// Options are the optional settings of a Client. Nil is the zero value.
type Options struct {
	// TLS are the settings for the connection; nil means the roots of the system.
	// The server name is taken from the address when it is empty, TLS 1.2 is the
	// lowest version, and InsecureSkipVerify is refused.
	TLS *tls.Config
	// Timeout is the longest silence of the server and the longest stall of one
	// write; zero means 2 minutes.
	Timeout time.Duration
	// SubmitTimeout is the longest silence after the final dot; zero means 10
	// minutes (RFC 5321, 4.5.3.2.6). Cutting it short makes uncertain outcomes.
	SubmitTimeout time.Duration
	// HelloName is what we call ourselves in EHLO; empty means localhost.
	HelloName string
	// Logger tells the outcome of each attempt; nil is silent. Addresses and the
	// provider's words appear at Debug only, bodies and secrets never.
	Logger *slog.Logger
}

const (
	defaultTimeout       = 2 * time.Minute
	defaultSubmitTimeout = 10 * time.Minute
)

// Client submits messages to one server as one user. It holds no connection
// between two calls and is safe for concurrent use.
type Client struct {
	addr    string
	login   pec.Login
	tls     *tls.Config
	options Options
	log     *slog.Logger
}

var _ pec.Submitter = (*Client)(nil)

// New gives a Client for the server at addr (host:port). It does not connect. It
// fails with an *Error of ReasonConfig.
func New(addr string, login pec.Login, opts *Options) (*Client, error) {
	c := &Client{addr: addr, login: login}
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
	if c.login.User == "" || c.login.Secret == nil {
		return errors.New("a login with user and secret is required")
	}
	if o.Timeout < 0 || o.SubmitTimeout < 0 {
		return errors.New("negative timeout")
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.SubmitTimeout == 0 {
		o.SubmitTimeout = defaultSubmitTimeout
	}
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
func (c *Client) Submit(ctx context.Context, s pec.Submission) pec.Outcome {
	begin := time.Now()
	a := &attempt{client: c, ctx: ctx, message: s}
	outcome := a.run()
	c.log.InfoContext(ctx, "smtpclient: submitted once",
		"server", c.addr, "outcome", outcome.Kind.String(), "code", outcome.Reply.Code,
		"recipients", len(s.To), "bytes", s.Size, "took", time.Since(begin))
	c.log.DebugContext(ctx, "smtpclient: details",
		"from", s.From, "to", s.To, "reply", outcome.Reply.String(), "error", outcome.Err)
	return outcome
}

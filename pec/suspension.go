package pec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// SuspendedError reports that no login is tried any more: the provider refused
// one, and providers lock mailboxes for refused logins. It holds for SMTP and IMAP
// and for every Client that shares the Store, until Ledger.Resume.
type SuspendedError struct {
	Suspension Suspension // what was recorded of the refusal
	// Err is the *LoginError when this very call met the refusal; nil otherwise.
	Err error
}

// Error implements error.
func (e *SuspendedError) Error() string {
	return fmt.Sprintf("pec: the mailbox is suspended: login refused by %s: %s", e.Suspension.Server, e.Suspension.Reply)
}

// Unwrap gives the refusal.
func (e *SuspendedError) Unwrap() error { return e.Err }

// Suspended gives the suspension of the mailbox, nil when it is not suspended.
func (l *Ledger) Suspended(ctx context.Context) (*Suspension, error) {
	suspended, _, err := l.suspension(ctx)
	return suspended, err
}

// Resume lifts a suspension: call it once the password is right again. Without a
// suspension it does nothing.
func (l *Ledger) Resume(ctx context.Context) error {
	suspended, n, err := l.suspension(ctx)
	if err != nil || suspended == nil {
		return err
	}
	_, err = l.record(ctx, "", Resumption{N: n, At: l.now()})
	return err
}

// mayLogIn is asked before everything that logs in.
func (c *Client) mayLogIn(ctx context.Context) error {
	suspended, err := c.Suspended(ctx)
	if err == nil && suspended != nil {
		return &SuspendedError{Suspension: *suspended}
	}
	return err
}

// loginRefused turns a refused login into a suspension; any other error stays as it
// is.
func (c *Client) loginRefused(ctx context.Context, err error) error {
	var refused *LoginError
	if !errors.As(err, &refused) {
		return err
	}
	ctx, cancel := outlast(ctx)
	defer cancel()
	suspended, n, loadErr := c.suspension(ctx)
	if loadErr != nil {
		return errors.Join(err, loadErr)
	}
	if suspended == nil {
		suspended = &Suspension{N: n + 1, Server: clip(refused.Server, maxClaim), Reply: clip(refused.Reply, maxClaim), At: c.now()}
		if _, recordErr := c.record(ctx, "", *suspended); recordErr != nil {
			return errors.Join(err, recordErr)
		}
		c.log.ErrorContext(ctx, "pec: login refused, the mailbox is suspended", slog.String("server", refused.Server))
	}
	return &SuspendedError{Suspension: *suspended, Err: err}
}

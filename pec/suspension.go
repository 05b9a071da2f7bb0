package pec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// SuspendedError reports that no login is tried any more: the provider refused one, and
// providers lock mailboxes after refused logins. The suspension applies to SMTP and IMAP and
// to every Client that shares the Store. Put the right password in place, then call
// Ledger.Resume.
type SuspendedError struct {
	Suspension Suspension // what is recorded of the refusal
	// Err wraps the *LoginError when this call itself met the refusal; nil otherwise.
	Err error
}

// Error implements error.
func (e *SuspendedError) Error() string {
	return fmt.Sprintf("pec: the mailbox is suspended: login refused by %s: %s: put the right password in place, then Resume",
		e.Suspension.Server, e.Suspension.Reply)
}

// Unwrap returns the refusal.
func (e *SuspendedError) Unwrap() error { return e.Err }

// Suspended returns the suspension of the mailbox, nil when it is not suspended.
func (l *Ledger) Suspended(ctx context.Context) (*Suspension, error) {
	suspended, _, err := l.suspension(ctx)
	return suspended, err
}

// Resume lifts a suspension. Call it after the right password is in place. Without a
// suspension it does nothing.
func (l *Ledger) Resume(ctx context.Context) error {
	suspended, n, err := l.suspension(ctx)
	if err != nil || suspended == nil {
		return err
	}
	_, err = l.record(ctx, "", Resumption{N: n, At: l.now()})
	return err
}

// mayLogIn returns a *SuspendedError when the mailbox is suspended. It is called before
// everything that logs in.
func (c *Client) mayLogIn(ctx context.Context) error {
	suspended, err := c.Suspended(ctx)
	if err == nil && suspended != nil {
		return &SuspendedError{Suspension: *suspended}
	}
	return err
}

// loginRefused records a suspension when err is a refused login, and returns a
// *SuspendedError. It returns any other error unchanged.
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

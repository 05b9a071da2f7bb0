package main

import (
	"cmp"
	"context"

	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/pec"
)

// follower shows the changes of one message.
type follower struct {
	account *account.Account
	display display
	id      string
	seen    pec.Position
	last    error // the last trouble
}

// follow shows changes until the send is settled. It returns the error of the context when
// the time is up.
func (f *follower) follow(ctx context.Context) error {
	status, err := f.show(ctx)
	if err != nil || status.Settled {
		return err
	}
	for e, err := range f.account.Watch(ctx) {
		if err != nil {
			return err
		}
		f.event(e)
		if status, err = f.show(ctx); err != nil || status.Settled {
			return err
		}
	}
	return nil
}

// show shows what changed since the last call, and returns the status.
func (f *follower) show(ctx context.Context) (pec.Status, error) {
	for change, err := range f.account.Changes(ctx, f.seen) {
		if err != nil {
			return pec.Status{}, err
		}
		f.seen = change.Position
		if change.After.MessageID == f.id {
			if err := f.display.change(change); err != nil {
				return pec.Status{}, err
			}
		}
	}
	return f.account.Status(ctx, f.id)
}

// event reports what keeps the message from being settled.
func (f *follower) event(e pec.Event) {
	switch {
	case e.Trouble != nil:
		f.report(e.Trouble)
	case e.Unreadable != nil: // it may be about this message, or any other
		f.display.trouble(e.Unreadable)
	case e.Unverified != nil && e.MessageID == f.id:
		f.report(e.Unverified)
	case e.Outcome != nil && e.Outcome.Kind != pec.OutcomeSubmitted && e.MessageID == f.id:
		f.report(&pec.SendError{MessageID: f.id, Outcome: *e.Outcome})
	}
}

// report prints trouble, and keeps it for the result.
func (f *follower) report(err error) {
	f.last = err
	f.display.trouble(err)
}

// why returns what holds the message up, for recipients where no notice and no reply says
// so: the outcome of the last attempt, or else the last trouble.
func (f *follower) why(ctx context.Context) (string, error) {
	facts, err := f.account.Facts(ctx, f.id)
	if err != nil {
		return "", err
	}
	text := ""
	for _, fact := range facts {
		if attempt, ok := fact.(pec.AttemptOutcome); ok {
			text = failed(attempt.Outcome)
		}
	}
	if text == "" && f.last != nil {
		text = f.last.Error()
	}
	return text, nil
}

// failed says why an attempt failed; "" for one that did not.
func failed(o pec.Outcome) string {
	switch {
	case o.Kind == pec.OutcomeSubmitted:
		return ""
	case o.Reply.Code != 0:
		return o.Reply.String()
	case o.Err != nil:
		return o.Err.Error()
	default:
		return string(o.Kind)
	}
}

// reason returns the code and the text that say why a recipient is in its state. It returns
// why when neither a notice nor a reply says so.
func reason(r pec.RecipientStatus, why string) (code, text string) {
	switch {
	case r.Failure.Cause != "":
		return r.Failure.Code, r.Failure.Text
	case r.State == pec.StateDelivered || r.State == pec.StateOrdinary:
		return "", ""
	case r.Reply.Code/100 > 3:
		return r.Reply.Enhanced, r.Reply.String()
	default:
		return "", cmp.Or(r.Failure.Text, why)
	}
}

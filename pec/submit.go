package pec

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"log/slog"

	"github.com/gopec/gopec/envelope"
)

// submit makes one attempt at a send if its facts allow one. The error is nil when the
// provider has the message, else a *SendError. attempted is false when this call made no
// attempt that counts. With due it makes none unless the send is due.
func (c *Client) submit(ctx context.Context, messageID string, due bool, open func() (io.ReadCloser, error)) (attempted bool, err error) {
	begun := c.now()
	leave, waited, err := c.underWay.enter(ctx, sendName(messageID))
	if err != nil {
		return false, err
	}
	defer leave()
	s, err := c.load(ctx, messageID)
	if err != nil {
		return false, err
	}
	_, f := fold(s.facts, c.now())
	if f == nil || f.elsewhere && !f.intent.Adopted {
		return false, ErrUnknownSend
	}
	if !f.mayAttempt() {
		return false, f.standing()
	}
	if o := f.last().outcome; waited && o != nil && !o.At.Before(begun) {
		return false, f.standing() // the attempt that this call waited for answers it too
	}
	if due && !f.isDue(c.now()) {
		return false, nil // another worker has tried in the meantime
	}
	if f.heldBack() {
		return false, c.heldSend(ctx, f)
	}
	if suspended, _ := suspensionIn(s.facts); suspended != nil {
		err := &SuspendedError{Suspension: *suspended}
		return false, &SendError{MessageID: f.intent.MessageID, Outcome: Outcome{Kind: OutcomeAuthentication, Err: err}}
	}
	claimed, err := c.offer(ctx, c.newClaim(f.intent, f.last().n+1, true), open)
	if claimed || err != nil {
		return claimed, err
	}
	// Another worker was faster. The outcome of its attempt may be known by now.
	if s, err = c.load(ctx, messageID); err != nil {
		return false, err
	}
	if f = foldingOf(s.facts); f.heldBack() {
		return false, c.heldSend(ctx, f)
	}
	return false, f.standing()
}

// heldSend is what submit returns for a send that is held back.
func (c *Client) heldSend(ctx context.Context, f *folding) error {
	err := c.held(ctx, f)
	var held *HeldError
	if !errors.As(err, &held) {
		return err
	}
	return &SendError{MessageID: f.intent.MessageID, Outcome: Outcome{Kind: OutcomeUncertain, Err: held}}
}

// offerNew makes the first attempt at a send that no other worker knows yet.
func (c *Client) offerNew(ctx context.Context, intent Intent, open func() (io.ReadCloser, error)) (claimed bool, err error) {
	leave, _, err := c.underWay.enter(ctx, sendName(intent.MessageID))
	if err != nil {
		return false, err
	}
	defer leave()
	return c.offer(ctx, c.newClaim(intent, 1, false), open)
}

// offer makes the attempt of a claim. claimed is false when another worker has the attempt:
// then this call has sent nothing.
func (c *Client) offer(ctx context.Context, a *claim, open func() (io.ReadCloser, error)) (claimed bool, err error) {
	// A process that was stopped must not wake up and send: its claim may have been
	// resolved in the meantime.
	limited, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	outcome := c.attempt(limited, a, open)
	if a.lost {
		return false, nil
	}
	switch {
	case a.err != nil:
		// Whether the claim is recorded or not, no byte was handed out.
		outcome = Outcome{Kind: OutcomeTemporary, Err: a.err}
	case !a.made && outcome.Kind == OutcomeUncertain:
		outcome.Kind = OutcomeTemporary // the Submitter read no byte
	}
	return c.conclude(ctx, a, AttemptOutcome{N: a.n, At: c.now(), Outcome: outcome}, open)
}

// standing returns what the attempts at a send led to, in the form of submit: nil or a
// *SendError.
func (f *folding) standing() error {
	if f.certified() || f.elsewhere {
		return nil
	}
	r := f.submission()
	e := &SendError{MessageID: f.intent.MessageID, Outcome: Outcome{Kind: OutcomeUncertain, Reply: r.Reply}}
	switch r.State {
	case StateSubmitted:
		return nil
	case StateRefused:
		e.Outcome.Kind = OutcomeRefused
		e.Outcome.Err = errors.New("refused, or resolved as not sent")
		if given, ok := f.givenUp(); ok {
			e.Outcome.Err = errors.New("given up: " + cmp.Or(string(given), "by an earlier version"))
		}
	default:
		e.Outcome.Err = errOther
	}
	if last := f.last(); last.outcome != nil && last.outcome.Outcome.Kind.known() == last.kind() {
		e.Outcome = last.outcome.Outcome
	}
	return e
}

// attempt offers the message once. The claim is made when the Submitter asks for the
// first byte.
func (c *Client) attempt(ctx context.Context, a *claim, open func() (io.ReadCloser, error)) Outcome {
	body, err := open()
	if err != nil {
		return Outcome{Kind: OutcomeTemporary, Err: err}
	}
	defer body.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer a.end()
	defer cancel() // runs before a.end, which waits for a claim that is being recorded
	outcome := c.submitter.Submit(ctx, Submission{
		From: a.intent.Sender, To: a.intent.Recipients(), Size: a.intent.Size,
		Body: &checkedBody{
			src: body, hash: sha256.New(), left: a.intent.Size, want: a.intent.Digest,
			claim: func() error { return a.make(ctx) }, late: a.late,
		},
	}).clipped()
	if outcome.Kind == OutcomeAuthentication {
		var refused *LoginError
		if !errors.As(outcome.Err, &refused) {
			outcome.Err = &LoginError{Server: "the access point", Reply: outcome.Reply.String(), Err: outcome.Err}
		}
		outcome.Err = c.loginRefused(ctx, outcome.Err)
	}
	return outcome
}

// checkedBody is the message as the Submitter reads it. It returns nothing before the
// attempt is claimed. It withholds the end of a message that differs from the recorded one or
// whose claim has expired, so that the final dot never leaves.
type checkedBody struct {
	src   io.Reader
	hash  hash.Hash
	left  int64
	want  envelope.Digest
	claim func() error // before the first byte
	late  func() bool
}

func (b *checkedBody) Read(p []byte) (int, error) {
	if err := b.claim(); err != nil {
		return 0, err
	}
	n, err := b.src.Read(p)
	b.hash.Write(p[:n])
	b.left -= int64(n)
	switch {
	case b.left < 0, b.left == 0 && envelope.Digest(b.hash.Sum(nil)) != b.want, b.left > 0 && errors.Is(err, io.EOF):
		return 0, errAltered
	case b.late():
		return 0, errLate
	}
	return n, err
}

// conclude records an outcome, even when the caller has stopped waiting. It records the
// attempt with it when the Submitter never asked for the message, or when the Store did not
// confirm the claim. claimed is false when another worker has that attempt.
func (c *Client) conclude(ctx context.Context, a *claim, o AttemptOutcome, open func() (io.ReadCloser, error)) (claimed bool, err error) {
	kept, cancel := outlast(ctx)
	defer cancel()
	facts := []Fact{o}
	if !a.made {
		facts = []Fact{a.fact(), o}
	}
	added, err := c.record(kept, a.intent.MessageID, facts...)
	if !a.made && !added && err == nil {
		var ours bool
		if ours, err = a.ours(kept); err == nil && !ours {
			return false, nil
		}
		if ours {
			_, err = c.record(kept, a.intent.MessageID, o)
		}
	}
	c.log.InfoContext(ctx, "pec: submission",
		slog.String("message_id", a.intent.MessageID), slog.Int("attempt", o.N), slog.String("outcome", string(o.Outcome.Kind)))
	if o.Outcome.Kind == OutcomeSubmitted {
		c.saveCopy(ctx, a.intent, open)
	}
	if o.Outcome.Kind != OutcomeSubmitted || err != nil {
		return true, &SendError{MessageID: a.intent.MessageID, Outcome: o.Outcome, Store: err}
	}
	return true, nil
}

// saveCopy puts the message into the Sent folder. A failure is only logged.
func (c *Client) saveCopy(ctx context.Context, intent Intent, open func() (io.ReadCloser, error)) {
	if c.options.SentFolder == nil {
		return
	}
	err := c.mayLogIn(ctx)
	var body io.ReadCloser
	if err == nil {
		body, err = open()
	}
	if err == nil {
		defer body.Close()
		err = c.options.SentFolder.Save(ctx, intent.MessageID, intent.Size, body)
	}
	if err != nil {
		c.log.WarnContext(ctx, "pec: no copy in the Sent folder",
			slog.String("message_id", intent.MessageID), slog.Any("error", c.loginRefused(ctx, err)))
	}
}

// stored opens the message of a send as it was recorded.
func (l *Ledger) stored(ctx context.Context, messageID string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return l.Raw(ctx, messageID, Intent{}) }
}

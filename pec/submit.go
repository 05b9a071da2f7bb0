package pec

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"log/slog"
	"time"
)

var (
	// errOther is the Err of an uncertain outcome: the claim is another's.
	errOther = errors.New("another process has the attempt, or had it when it ended")
	// errAltered reports that the message is not the one whose digest was recorded.
	errAltered = errors.New("pec: the stored message is not the one that was recorded")
)

// recordPatience is how long the record of an outcome may take when the caller has
// gone.
const recordPatience = 30 * time.Second

// submit makes one attempt at a send, if its facts allow one, and tells where it
// then stands: nil when the provider has the message, else a *SendError.
func (c *Client) submit(ctx context.Context, messageID string, open func() (io.ReadCloser, error)) error {
	s, err := c.load(ctx, messageID)
	if err != nil {
		return err
	}
	_, f := fold(s.facts, c.now())
	intent := s.intent()
	if f == nil || intent == nil {
		return ErrUnknownSend
	}
	if !f.mayAttempt() {
		return f.standing()
	}
	if err := c.mayLogIn(ctx); err != nil {
		var suspended *SuspendedError
		if !errors.As(err, &suspended) {
			return err
		}
		return &SendError{MessageID: intent.MessageID, Outcome: Outcome{Kind: OutcomeAuthentication, Err: err}}
	}
	// A process that stood still must not wake up and send: by then its claim may have
	// been resolved.
	limited, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	// The claim: of all that try, one may make attempt n.
	n := f.last().n + 1
	claimed, err := c.record(ctx, messageID, Attempt{N: n, At: c.now()})
	if err != nil {
		return err
	}
	if !claimed {
		return &SendError{MessageID: intent.MessageID, Outcome: Outcome{Kind: OutcomeUncertain, Err: errOther}}
	}
	outcome := c.attempt(limited, *intent, open)
	return c.conclude(ctx, *intent, AttemptOutcome{N: n, At: c.now(), Outcome: outcome}, open)
}

// standing is what the attempts at a send led to, as submit returns it.
func (f *folding) standing() error {
	if f.certified() || f.elsewhere {
		return nil
	}
	r := f.submission()
	e := &SendError{MessageID: f.intent.MessageID, Outcome: Outcome{Reply: r.Reply}}
	switch r.State {
	case StateSubmitted:
		return nil
	case StateRefused:
		e.Outcome.Kind = OutcomeRefused
		e.Outcome.Err = errors.New("refused, or given up")
	default:
		e.Outcome.Err = errOther
	}
	if o := f.last().outcome; o != nil {
		e.Outcome = o.Outcome
	}
	return e
}

// attempt offers the message once.
func (c *Client) attempt(ctx context.Context, intent Intent, open func() (io.ReadCloser, error)) Outcome {
	body, err := open()
	if err != nil {
		return Outcome{Kind: OutcomeTemporary, Err: err}
	}
	defer body.Close()
	outcome := c.submitter.Submit(ctx, Submission{
		From: intent.Sender, To: intent.Recipients(), Size: intent.Size,
		Body: &checkedBody{src: body, hash: sha256.New(), left: intent.Size, want: intent.Digest},
	})
	if outcome.Kind == OutcomeAuthentication {
		outcome.Err = c.loginRefused(ctx, outcome.Err)
	}
	return outcome
}

// checkedBody withholds the end of a message that is not the one recorded, so that
// its final dot never leaves.
type checkedBody struct {
	src  io.Reader
	hash hash.Hash
	left int64
	want Digest
}

func (b *checkedBody) Read(p []byte) (int, error) {
	n, err := b.src.Read(p)
	b.hash.Write(p[:n])
	b.left -= int64(n)
	if b.left < 0 || b.left == 0 && Digest(b.hash.Sum(nil)) != b.want {
		return 0, errAltered
	}
	return n, err
}

// conclude records an outcome, whoever has stopped waiting for it.
func (c *Client) conclude(ctx context.Context, intent Intent, o AttemptOutcome, open func() (io.ReadCloser, error)) error {
	kept, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordPatience)
	defer cancel()
	_, err := c.record(kept, intent.MessageID, o)
	c.log.InfoContext(ctx, "pec: submission",
		slog.String("message_id", intent.MessageID), slog.Int("attempt", o.N), slog.String("outcome", o.Outcome.Kind.String()))
	if o.Outcome.Kind == OutcomeSubmitted {
		c.saveCopy(ctx, intent, open)
	}
	if o.Outcome.Kind != OutcomeSubmitted || err != nil {
		return &SendError{MessageID: intent.MessageID, Outcome: o.Outcome, Store: err}
	}
	return nil
}

// saveCopy puts the message into the Sent folder. Nothing depends on it.
func (c *Client) saveCopy(ctx context.Context, intent Intent, open func() (io.ReadCloser, error)) {
	if c.options.SentFolder == nil {
		return
	}
	body, err := open()
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
func (c *Client) stored(ctx context.Context, messageID string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		raw, err := c.store.Raw(ctx, c.box, entryKey(messageID, Intent{}))
		if err != nil {
			return nil, &StoreError{Op: "read", Err: err}
		}
		return raw, nil
	}
}

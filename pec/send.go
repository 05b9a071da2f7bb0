package pec

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"

	"github.com/gopec/gopec/envelope"
)

// Send writes a message, records it, and hands it to the provider, at most once.
// It gives the Message-ID it set, under which Status tells what becomes of the
// message: a nil error means that the provider has it, not that it has accepted it.
//
// With a Message.Key a repeated call sends nothing new: it gives the Message-ID of
// the first one and goes on where that stands, and tries again if it provably has not left.
// One that waits for another of the same Client shares what that came to.
//
// A *ComposeError means that nothing was recorded and nothing left, a *KeyError that
// the key stands for something else, a *HeldError that nothing was recorded and the call
// is to be repeated later (MarkRestored). A *SendError comes with the Message-ID: the
// send is recorded and can be followed, and Retry and Watch offer it again where
// that is safe. Any other error is the Store's or that of ctx, and comes with the Message-ID when the
// message may have been recorded.
func (c *Client) Send(ctx context.Context, m Message) (messageID string, err error) {
	composed, err := c.compose(ctx, m)
	if err != nil {
		return "", err
	}
	return c.begin(ctx, composed, m.Key, "")
}

// SendRaw is Send for a message that the caller wrote.
func (c *Client) SendRaw(ctx context.Context, m RawMessage) (messageID string, err error) {
	id, derived := c.messageID(m.Key)
	composed, err := composeRawAs(ctx, id, c.address, m, c.options.Limits)
	if err != nil {
		return "", err
	}
	composed.derived = derived && !composed.chosen
	return c.begin(ctx, composed, m.Key, "")
}

func (c *Client) compose(ctx context.Context, m Message) (*composed, error) {
	id, derived := c.messageID(m.Key)
	composed, err := composeAs(ctx, id, c.address, m, c.options.Limits, c.now())
	if err == nil {
		composed.derived = derived
	}
	return composed, err
}

// Resend is Send for a message that takes the place of one that definitely failed:
// for each of its recipients that the first one had too, that one must be refused,
// rejected, failed, expired or bounced; otherwise, or where another Resend was first,
// the error is a *ResendError. It gets a Message-ID of its own, late notices about the
// first still count for the first, and if it turns out to have arrived after all its
// status says FlagDuplicateSend.
func (c *Client) Resend(ctx context.Context, first string, m Message) (messageID string, err error) {
	composed, err := c.compose(ctx, m)
	if err != nil {
		return "", err
	}
	return c.begin(ctx, composed, m.Key, first)
}

// begin records what was composed, unless its key stands for it already, and goes on
// from there.
func (c *Client) begin(ctx context.Context, m *composed, key, first string) (string, error) {
	defer m.body.Close()
	if len(m.warnings) > 0 {
		c.log.WarnContext(ctx, "pec: composed with warnings", slog.String("message_id", m.messageID), slog.Any("warnings", m.warnings))
	}
	if first != "" {
		// A key stands for the repetition of this send, and for no other request.
		first = envelope.NormalizeMessageID(first)
		m.request = sha256.Sum256(append(m.request[:], sendName(first)...))
	}
	restoration, held, err := c.hold(ctx)
	if err != nil {
		return "", err
	}
	if held != nil {
		restoration-- // it will be searched for, as what was recorded before
	}
	now := c.now()
	intent := Intent{
		MessageID: m.messageID, Sender: c.address, To: m.to, Cc: m.cc, Subject: m.subject, Receipt: m.receipt,
		Digest: m.digest, Size: m.body.Size(), Attachments: m.attachments, Key: key, Resends: first,
		OverdueAfter: c.options.OverdueAfter, Restoration: restoration, At: now,
	}
	facts := []Fact{intent}
	if key != "" {
		claim, err := c.claimed(ctx, m, intent)
		if err != nil || claim != nil {
			return c.resume(ctx, claim, err)
		}
		if m.derived || m.chosen {
			adopted, err := c.adopt(ctx, m, intent, first)
			if err != nil {
				return "", err
			}
			if adopted {
				return c.lost(ctx, m, intent)
			}
		}
		facts = append(facts, KeyClaim{Key: key, MessageID: m.messageID, Request: m.request, At: now})
	}
	if held != nil && (m.derived || m.chosen) {
		// Whether that message has left will be known. Until then no other takes its place:
		// its bytes would not be those that left.
		return "", held
	}
	if m.chosen {
		if err := c.unused(ctx, m.messageID); err != nil {
			return "", err
		}
	}
	entries, err := c.beginEntries(ctx, m, facts, first)
	if err != nil {
		return "", err
	}
	added, err := c.append(ctx, entries)
	if err != nil {
		return m.messageID, err
	}
	if !added {
		return c.lost(ctx, m, intent)
	}
	open := func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(m.body, 0, m.body.Size())), nil
	}
	// A Message-ID that was drawn is new, so no earlier facts exist. Whoever claims attempt 1
	// sends.
	if !m.chosen && !m.derived && held == nil && c.mayLogIn(ctx) == nil {
		if claimed, err := c.offerNew(ctx, intent, open); claimed || err != nil {
			return m.messageID, err
		}
	}
	_, err = c.submit(ctx, m.messageID, false, open)
	return m.messageID, err
}

// unused refuses a Message-ID that the caller chose and that is known already: notices
// about the one message would count for the other.
func (c *Client) unused(ctx context.Context, messageID string) error {
	entries, err := c.store.Entries(ctx, c.box, sendName(messageID))
	if err != nil {
		return &StoreError{Op: "read", Err: err}
	}
	if len(entries) > 0 {
		return &ComposeError{[]Problem{{"Message-ID", messageID, ProblemDuplicate, nil}}}
	}
	return nil
}

// beginEntries are the entries of a new send, and the claims on what it repeats.
func (c *Client) beginEntries(ctx context.Context, m *composed, facts []Fact, first string) ([]Entry, error) {
	entries, err := c.newEntries(m.messageID, io.NewSectionReader(m.body, 0, m.body.Size()), facts...)
	if err != nil || first == "" {
		return entries, err
	}
	status, err := c.Status(ctx, first)
	if err != nil {
		return nil, err
	}
	if status.Has(FlagHeld) {
		s, err := c.load(ctx, first)
		if err != nil {
			return nil, err
		}
		return nil, c.held(ctx, foldingOf(s.facts))
	}
	var resent []Fact
	firsts := status.byAddress()
	for _, address := range m.recipients() {
		r, known := firsts[envelope.NormalizeAddress(address)]
		if !known {
			continue
		}
		if !r.State.resendable() {
			return nil, &ResendError{MessageID: first, Recipient: address, State: r.State}
		}
		resent = append(resent, Resent{Recipient: address, By: m.messageID, At: c.now()})
	}
	claims, err := c.newEntries(first, nil, resent...)
	return append(entries, claims...), err
}

// lost finds out who was first: the same key, another Resend, or a message that has
// the same Message-ID.
func (c *Client) lost(ctx context.Context, m *composed, intent Intent) (string, error) {
	if intent.Key != "" {
		claim, err := c.claimed(ctx, m, intent)
		if err != nil || claim != nil {
			return c.resume(ctx, claim, err)
		}
	}
	if first := intent.Resends; first != "" {
		s, err := c.load(ctx, first)
		if err != nil {
			return "", err
		}
		repeated := map[string]string{}
		for _, f := range s.facts {
			if by, ok := f.(Resent); ok {
				repeated[envelope.NormalizeAddress(by.Recipient)] = by.By
			}
		}
		status := Fold(s.facts, c.now())
		for _, address := range m.recipients() {
			if by, ok := repeated[envelope.NormalizeAddress(address)]; ok {
				r, _ := status.Recipient(address)
				return "", &ResendError{MessageID: first, Recipient: address, State: r.State, By: by}
			}
		}
	}
	return "", &ComposeError{[]Problem{{"Message-ID", m.messageID, ProblemDuplicate, nil}}}
}

// claimed returns the claim of a message's key, nil when there is none. A key that belongs
// to another request is a *KeyError.
func (c *Client) claimed(ctx context.Context, m *composed, intent Intent) (*KeyClaim, error) {
	claim, err := c.claim(ctx, intent.Key)
	if claim == nil || claim.Request == m.request {
		return claim, err
	}
	taken := &KeyError{Key: intent.Key, MessageID: claim.MessageID}
	// That it is another request is certain, whether the first one can be read or not.
	if first, err := c.intentOf(ctx, sendName(claim.MessageID)); err == nil && first != nil {
		taken.Differences = m.differences(*first, intent)
	}
	return nil, taken
}

// resume goes on with a send that was recorded before.
func (c *Client) resume(ctx context.Context, claim *KeyClaim, err error) (string, error) {
	if err != nil {
		return "", err
	}
	_, err = c.submit(ctx, claim.MessageID, false, c.stored(ctx, claim.MessageID))
	return claim.MessageID, err
}

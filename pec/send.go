package pec

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"

	"github.com/gopec/gopec/envelope"
)

// Send writes a message, records it, and hands it to the provider, at most once. It returns
// the Message-ID that it set; Status takes it and says what becomes of the message. A nil
// error means that the provider has the message, not that it has accepted it.
//
// With a Message.Key a repeated call sends nothing new. It returns the Message-ID of the
// first call, continues that send, and tries again if the message provably has not left. A
// call that waits for another call of the same Client shares its outcome.
//
// Errors:
//
//   - *ComposeError: the message cannot be sent. Nothing was recorded and nothing left.
//   - *KeyError: the key belongs to another request. Nothing was recorded.
//   - *HeldError: the Store was restored (MarkRestored). Nothing was recorded: repeat the
//     call later.
//   - *SendError: the send is recorded, and the Message-ID is returned. Retry and Watch offer
//     it again where that is safe.
//   - Any other error is from the Store or from ctx. The Message-ID is returned if the
//     message may have been recorded.
func (c *Client) Send(ctx context.Context, m Message) (messageID string, err error) {
	composed, err := c.compose(ctx, m)
	if err != nil {
		return "", err
	}
	return c.begin(ctx, composed, m.Key, "")
}

// SendRaw is Send for a message that the caller has written.
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

// Resend is Send for a message that takes the place of one that definitely failed. first is
// the Message-ID of the failed send. Each recipient that both messages have must be refused,
// rejected, bounced, expired or failed in the first; otherwise, or when another Resend came
// before, the error is a *ResendError. The new message has a Message-ID of its own. Late
// notices about the first still count for the first. If the first arrives after all, its
// status gets FlagDuplicateSend.
func (c *Client) Resend(ctx context.Context, first string, m Message) (messageID string, err error) {
	composed, err := c.compose(ctx, m)
	if err != nil {
		return "", err
	}
	return c.begin(ctx, composed, m.Key, first)
}

// begin records a composed message and makes the first attempt. When its key is known it
// continues the send that has the key.
func (c *Client) begin(ctx context.Context, m *composed, key, first string) (string, error) {
	defer m.body.Close()
	if len(m.warnings) > 0 {
		c.log.WarnContext(ctx, "pec: composed with warnings", slog.String("message_id", m.messageID), slog.Any("warnings", m.warnings))
	}
	if first != "" {
		// The send that is repeated is part of the request.
		first = envelope.NormalizeMessageID(first)
		m.request = sha256.Sum256(append(m.request[:], sendName(first)...))
	}
	restoration, held, err := c.hold(ctx)
	if err != nil {
		return "", err
	}
	if held != nil {
		restoration-- // it will be searched for, like what was recorded before
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
		// Whether a message with this Message-ID has left will be known after the hold. Until
		// then none is recorded: its bytes would differ from those that left.
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
	// A random Message-ID is new, so no earlier facts exist. Whoever claims attempt 1 sends.
	if !m.chosen && !m.derived && held == nil && c.mayLogIn(ctx) == nil {
		if claimed, err := c.offerNew(ctx, intent, open); claimed || err != nil {
			return m.messageID, err
		}
	}
	_, err = c.submit(ctx, m.messageID, false, open)
	return m.messageID, err
}

// unused refuses a Message-ID that the caller chose and that is known already: notices about
// one message would count for the other.
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

// beginEntries makes the entries of a new send, and those that it adds to the send that it
// repeats.
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

// lost continues or refuses a send that could not be recorded because another was first:
// the same key, another Resend, or a message with the same Message-ID.
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

// resume continues a send that was recorded before.
func (c *Client) resume(ctx context.Context, claim *KeyClaim, err error) (string, error) {
	if err != nil {
		return "", err
	}
	_, err = c.submit(ctx, claim.MessageID, false, c.stored(ctx, claim.MessageID))
	return claim.MessageID, err
}

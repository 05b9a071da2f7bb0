package pec

import (
	"context"
	"errors"
	"maps"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec/inbound"
)

const (
	// maxBounces is how many bounces about one recipient are kept. Only the first counts,
	// and anybody can write more.
	maxBounces = 3
	// maxBounceText is how much is kept of what a bounce says about one recipient, in bytes.
	maxBounceText = 500
	// maxBudgets bounds the sends for which a Client remembers how many more bounces are
	// kept.
	maxBudgets = 256
)

// bounceFacts returns what a bounce says about recipients of ours, once for each. It omits
// recipients that are proven to be certified: a bounce cannot change their state. The message
// is kept with the first fact.
func (c *Client) bounceFacts(ctx context.Context, name string, intent Intent, event *Event, b *inbound.Bounce) ([]Fact, error) {
	left, err := c.mayBounce(ctx, name, intent)
	if err != nil {
		return nil, err
	}
	var facts []Fact
	for _, r := range b.Recipients {
		address := r.Original
		if _, ours := left[envelope.NormalizeAddress(address)]; !ours {
			address = r.Final
		}
		if left[envelope.NormalizeAddress(address)] <= 0 {
			continue
		}
		left[envelope.NormalizeAddress(address)] = 0
		facts = append(facts, BounceFact{
			Digest: event.Proven.Digest, Recipient: address, Code: r.Code, Text: clip(r.Diagnostic, maxBounceText),
			Provider: event.Proven.From, At: c.now(),
		})
	}
	return facts, nil
}

// mayBounce returns how many more bounces are kept for each recipient, by normalised address.
// Until a notice says so, no recipient counts as certified. The facts are read once, not for
// each bounce: anybody can write many bounces, and much else about the same send.
func (c *Client) mayBounce(ctx context.Context, name string, intent Intent) (map[string]int, error) {
	c.mu.Lock()
	left := maps.Clone(c.bounces[name])
	c.mu.Unlock()
	if left != nil {
		return left, nil
	}
	left, err := c.countBounces(ctx, name, intent)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.bounces) >= maxBudgets {
		clear(c.bounces)
	}
	c.bounces[name] = maps.Clone(left)
	return left, nil
}

// bounced notes that a bounce of a recipient was recorded.
func (c *Client) bounced(name, recipient string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if left := c.bounces[name]; left != nil {
		left[envelope.NormalizeAddress(recipient)]--
	}
}

// forgetBounces makes mayBounce read the facts about a send again: a new notice can prove
// that a recipient is certified.
func (c *Client) forgetBounces(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.bounces, name)
}

func (c *Client) countBounces(ctx context.Context, name string, intent Intent) (map[string]int, error) {
	left := map[string]int{}
	for address := range recipientSet(intent) {
		left[address] = maxBounces
	}
	facts, err := c.factsAbout(ctx, name)
	if errors.Is(err, ErrUnknownFact) {
		return left, nil // only this send has to wait for a later version, not the mailbox
	}
	if err != nil {
		return nil, err
	}
	for _, f := range facts {
		if b, ok := f.(BounceFact); ok {
			left[envelope.NormalizeAddress(b.Recipient)]--
		}
	}
	for _, r := range Fold(facts, c.now()).Recipients {
		if r.Class == ClassCertified {
			left[envelope.NormalizeAddress(r.Address)] = 0
		}
	}
	return left, nil
}

package pec

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// searchedFor records that a search for a send found no notice about it. The search began
// when Restoration n held nothing back any more.
func (c *Client) searchedFor(ctx context.Context, messageID string, n int) error {
	s, err := c.load(ctx, messageID)
	if err != nil {
		return err
	}
	f := foldingOf(s.facts)
	if f == nil || f.restored != n || f.untraced() != nil || !f.heldBack() {
		return nil
	}
	fact := Untraced{N: n, At: c.now()}
	if f.unproven > 0 {
		fact.Trace = f.intent.MessageID
	} else if fact.Trace, err = c.otherSend(ctx, f.intent); err != nil {
		return err
	}
	_, err = c.record(ctx, messageID, fact)
	return err
}

// othersSends holds the sends that are known from their notices alone, by likeness. One of
// them, lost by the Store, may have taken the place of a send that the Store has.
type othersSends struct {
	since time.Time
	ids   map[string][]otherSend
}

type otherSend struct {
	messageID string
	at        time.Time // the certified time of its first notice
}

// likeness returns a text that is equal for sends to the same recipients with the same
// subject.
func likeness(i Intent) string {
	var recipients []string
	for r := range recipientSet(i) {
		recipients = append(recipients, r)
	}
	slices.Sort(recipients)
	return strings.Join(recipients, " ") + "\n" + plainWords(i.Subject)
}

// plainWords keeps only the ASCII letters and digits, in lower case: providers decode a
// subject in different ways.
func plainWords(text string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, lowerASCII(text))
}

// otherSend returns the Message-ID of a send that is known from its notices alone, is like
// the intent and not older; "" for none.
func (c *Client) otherSend(ctx context.Context, i Intent) (string, error) {
	c.mu.Lock()
	others := c.others
	c.mu.Unlock()
	if others == nil || i.At.Before(others.since) {
		var err error
		if others, err = c.findOthers(ctx, i.At); err != nil {
			return "", err
		}
		c.mu.Lock()
		c.others = others
		c.mu.Unlock()
	}
	for _, o := range others.ids[likeness(i)] {
		// Certified times have whole seconds.
		if !o.at.Before(i.At.Truncate(time.Second)) && sendName(o.messageID) != sendName(i.MessageID) {
			return o.messageID, nil
		}
	}
	return "", nil
}

func (c *Client) findOthers(ctx context.Context, since time.Time) (*othersSends, error) {
	others := &othersSends{since: since, ids: map[string][]otherSend{}}
	// Begun is the certified time of the first notice, in whole seconds.
	for name, err := range c.store.Sends(ctx, c.box, Query{Since: since.Add(-time.Second)}) {
		if err != nil {
			return nil, &StoreError{Op: "read", Err: err}
		}
		s, err := c.loadWith(ctx, name, nil)
		if errors.Is(err, ErrUnknownFact) || errors.Is(err, ErrUnknownSend) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if f := foldingOf(s.facts); f != nil && f.elsewhere {
			said := likeness(f.saidOf())
			others.ids[said] = append(others.ids[said], otherSend{f.intent.MessageID, f.intent.At})
		}
	}
	return others, nil
}

// saidOf returns recipients and subject of a send as all its notices together say: some
// notices list one recipient only.
func (f *folding) saidOf() Intent {
	i := Intent{Subject: f.intent.Subject}
	for _, n := range slices.SortedFunc(slices.Values(f.heard), compareNotices) {
		if !n.joins(f.intent, f.recipients) {
			continue
		}
		for _, r := range n.Recipients {
			i.To = append(i.To, r.Address)
		}
		if i.Subject == "" {
			i.Subject = n.Subject
		}
	}
	return i
}

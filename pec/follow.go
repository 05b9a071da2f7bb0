package pec

import (
	"cmp"
	"context"
	"errors"
)

// Follow watches the mailbox, as Watch does, until a send is settled, and returns its status.
// If the send is settled already, it returns at once; ErrUnknownSend says that nothing is known
// of it. When ctx ends first, or the mailbox is
// suspended, it returns an error with the status so far; the error also wraps the last trouble
// that Watch met, such as a wrong host. The mailbox is in use, as in Watch.
func (c *Client) Follow(ctx context.Context, messageID string) (Status, error) {
	status, err := c.Status(ctx, messageID)
	if err != nil || status.Settled {
		return status, err
	}
	var trouble error
	for e, err := range c.Watch(ctx) {
		if err != nil {
			return status, errors.Join(err, trouble)
		}
		trouble = cmp.Or(e.Trouble, trouble)
		if status, err = c.Status(ctx, messageID); err != nil || status.Settled {
			return status, err
		}
	}
	return status, nil // Watch ends with an error
}

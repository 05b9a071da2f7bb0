package imapclient

import (
	"context"
	"iter"

	"github.com/gopec/gopec/pec"
)

// Search implements pec.Mailbox. It finds nothing yet.
func (c *Client) Search(ctx context.Context, folder, messageID string) iter.Seq2[pec.Item, error] {
	return func(func(pec.Item, error) bool) {}
}

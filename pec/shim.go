package pec

import (
	"bytes"
	"context"
	"crypto/sha256"

	"github.com/gopec/gopec/internal/spool"
	"github.com/gopec/gopec/receipt"
)

type Limits struct{}
type AttachmentDigest struct{}
type RawMessage struct{ Key string }

type composedX struct {
	messageID, subject string
	to, cc             []string
	receipt            receipt.Detail
	body               *spool.Spool
	digest, request    Digest
	attachments        []AttachmentDigest
}

func (c *Client) compose(ctx context.Context, m Message) (*composedX, error) {
	x, err := compose(c.address, m, c.now())
	if err != nil {
		return nil, err
	}
	body, err := spool.Open(ctx, bytes.NewReader(x.bytes))
	return &composedX{x.messageID, m.Subject, x.recipients, nil, m.Receipt, body, sha256.Sum256(x.bytes), sha256.Sum256([]byte(m.Subject + m.Text)), nil}, err
}
func (c *Client) composeRaw(ctx context.Context, m RawMessage) (*composedX, error) {
	return nil, nil
}

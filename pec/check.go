package pec

import "context"

// Preview is what a message would be if it were sent.
type Preview struct {
	Recipients []string  // the bare addresses of To, then of Cc
	Size       int64     // in bytes, as it leaves
	Warnings   []Warning // nil when there are none
}

// Check writes a message as Send would, and tells what Send would refuse. Nothing is
// recorded and nothing leaves. The contents of attachments are read.
func (c *Client) Check(ctx context.Context, m Message) (Preview, error) {
	return previewOf(compose(ctx, c.address, m, c.options.Limits, c.now()))
}

// CheckRaw is Check for a message that the caller wrote.
func (c *Client) CheckRaw(ctx context.Context, m RawMessage) (Preview, error) {
	return previewOf(composeRaw(ctx, c.address, m, c.options.Limits))
}

func previewOf(m *composed, err error) (Preview, error) {
	if err != nil {
		return Preview{}, err
	}
	defer m.body.Close()
	return Preview{Recipients: m.recipients(), Size: m.body.Size(), Warnings: m.warnings}, nil
}

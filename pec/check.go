package pec

import "context"

// Preview describes a message as Send would send it.
type Preview struct {
	Recipients []string  // the bare addresses of To, then of Cc
	Size       int64     // in bytes, as it leaves
	Warnings   []Warning // nil when there are none
}

// Check writes a message as Send would, and returns the *ComposeError that Send would return.
// Nothing is recorded and nothing leaves. The contents of attachments are read to their end.
func (c *Client) Check(ctx context.Context, m Message) (Preview, error) {
	return previewOf(compose(ctx, c.address, m, c.options.Limits, c.now()))
}

// CheckRaw is Check for a message that the caller has written.
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

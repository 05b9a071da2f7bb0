package pec

import "context"

// Draft is what a message would be if it were sent.
type Draft struct {
	Recipients []string  // the bare addresses of To, then of Cc
	Size       int64     // in bytes, as it leaves
	Warnings   []Warning // nil when there are none
}

// Check writes a message as Send would, and tells what Send would refuse. Nothing is
// recorded and nothing leaves. The contents of attachments are read.
func (c *Client) Check(ctx context.Context, m Message) (Draft, error) {
	return draftOf(compose(ctx, c.address, m, c.options.Limits, c.now()))
}

// CheckRaw is Check for a message that the caller wrote.
func (c *Client) CheckRaw(ctx context.Context, m RawMessage) (Draft, error) {
	return draftOf(composeRaw(ctx, c.address, m, c.options.Limits))
}

func draftOf(m *composed, err error) (Draft, error) {
	if err != nil {
		return Draft{}, err
	}
	defer m.body.Close()
	return Draft{Recipients: m.recipients(), Size: m.body.Size(), Warnings: m.warnings}, nil
}

package pec

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gopec/gopec/internal/multipart"
)

// findAttachments takes the digests of the attachments of a message that the
// caller has written. One that cannot be decoded could be compared with nothing.
func (c *composed) findAttachments(ctx context.Context) error {
	err := c.digestLeaves(ctx)
	switch {
	case ctx.Err() != nil:
		return errors.Join(fmt.Errorf("pec: composing: %w", ctx.Err()), c.body.Close())
	case err != nil:
		return errors.Join(&ComposeError{[]Problem{{"Content", "", ProblemMalformed, err}}}, c.body.Close())
	default:
		return nil
	}
}

func (c *composed) digestLeaves(ctx context.Context) error {
	top, err := multipart.ReadPart(io.NewSectionReader(c.body, 0, c.body.Size()))
	if err != nil {
		return err
	}
	for p, err := range multipart.Leaves(top) {
		if err != nil {
			return err
		}
		if len(p.Names) == 0 {
			continue
		}
		content := newSource(ctx, p.Open())
		if _, err := io.Copy(io.Discard, content); err != nil {
			return err
		}
		// Of two names the one in Content-Disposition, which is what files are saved as.
		name := p.Names[len(p.Names)-1]
		c.attachments = append(c.attachments, AttachmentDigest{name, content.size, [32]byte(content.sum.Sum(nil))})
	}
	return nil
}

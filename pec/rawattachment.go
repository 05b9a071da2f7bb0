package pec

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"

	"github.com/gopec/gopec/internal/multipart"
)

// findAttachments takes the digests of the attachments of a message that the
// caller has written. One that cannot be decoded could be compared with nothing.
func (c *composed) findAttachments(ctx context.Context) error {
	err := multipart.Walk(io.NewSectionReader(c.body, 0, c.body.Size()), func(p multipart.Part) error {
		if len(p.Names) == 0 {
			return nil
		}
		content := newSource(ctx, decodedBody(p))
		if _, err := io.Copy(io.Discard, content); err != nil {
			return err
		}
		// Of two names the one in Content-Disposition, which is what files are saved as.
		name := p.Names[len(p.Names)-1]
		c.attachments = append(c.attachments, AttachmentDigest{name, content.size, [32]byte(content.sum.Sum(nil))})
		return nil
	})
	switch {
	case ctx.Err() != nil:
		return errors.Join(fmt.Errorf("pec: composing: %w", ctx.Err()), c.body.Close())
	case err != nil:
		return errors.Join(&ComposeError{[]Problem{{"Content", "", ProblemMalformed, err}}}, c.body.Close())
	default:
		return nil
	}
}

func decodedBody(p multipart.Part) io.Reader {
	switch p.Encoding {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, p.Body)
	case "quoted-printable":
		return quotedprintable.NewReader(p.Body)
	default:
		return p.Body
	}
}

package pec

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gopec/gopec/internal/mailtext"
	"github.com/gopec/gopec/internal/multipart"
)

// RawMessage is a PEC that the caller has written: a message of RFC 5322, such as
// an S/MIME program makes. It leaves as it is, byte for byte, with two exceptions:
// line ends that are LF throughout become CRLF, as the last line gets one, and a
// Message-ID is put on top where there is none.
//
// It must be one that every program reads alike, and a PEC that providers accept
// (RFC 6109, 3.1.1): From is the one address of the mailbox; To, and Cc if there
// is one, are plain lists of addresses without groups; no Bcc and no Sender; Date
// and MIME-Version are there; no field of which there is one stands there twice,
// and none is a provider's. It is seven-bit, in lines of at most 998 octets. The
// receipt asked for is X-TipoRicevuta: completa, breve or sintetica.
type RawMessage struct {
	// Content is read once, to its end; required. Its header is at most 1 MiB.
	Content io.Reader
	// Key names the request, as in Message. With a key the same bytes are the same
	// request.
	Key string
	// RequireFullEvidence is as in Message.
	RequireFullEvidence bool
}

// composeRaw checks a message that the caller has written.
func composeRaw(ctx context.Context, sender string, m RawMessage, l Limits) (*composed, error) {
	return composeRawAs(ctx, newMessageID(sender), sender, m, l)
}

// composeRawAs is composeRaw with a Message-ID for a message that has none.
func composeRawAs(ctx context.Context, messageID, sender string, m RawMessage, l Limits) (*composed, error) {
	c := &rawComposer{sender: sender}
	c.raw = true
	c.checkKey(m.Key)
	if m.Content == nil {
		c.problem("Content", "", ProblemMissing, nil)
		return nil, &ComposeError{c.problems}
	}
	src := newSource(ctx, m.Content)
	lines := newLineReader(src)
	raw, err := c.readHeader(lines)
	if err == nil || err == io.EOF {
		c.checkHeader(c.parseHeader(raw))
	}
	count := len(c.to) + len(c.cc)
	c.checkRecipients(l, count)
	c.checkEvidence(m.RequireFullEvidence)

	out := newOutput(l.size(count), len(raw))
	defer out.discard()
	if c.chosen = c.messageID != ""; !c.chosen {
		c.messageID = messageID
		raw = append(mailtext.Fold("Message-ID", "<"+c.messageID+">"), raw...)
	}
	_, _ = out.Write(raw) // a failure stays, and is found when out is closed
	if err == nil {
		err = lines.copyTo(out)
	}
	c.problems = append(c.problems, lines.problems...)
	switch {
	case src.err != nil:
		c.problem("Content", "", ProblemUnreadable, src.err)
	case err != nil && err != io.EOF && !out.tooLarge:
		return nil, fmt.Errorf("pec: composing: %w", err)
	}
	c.request = [32]byte(src.sum.Sum(nil))
	done, err := c.finish(ctx, out, l, count)
	if err != nil {
		return nil, err
	}
	if err := done.findAttachments(ctx); err != nil {
		return nil, err
	}
	return done, nil
}

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

package pec

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gopec/gopec/internal/mailtext"
	"github.com/gopec/gopec/internal/multipart"
)

// RawMessage is a PEC that the caller has written: a message of RFC 5322, such as an S/MIME
// program makes. It leaves byte for byte as it is, with two exceptions. Line ends that are
// LF throughout become CRLF, and a last line without one gets it. A message without a
// Message-ID gets one on top.
//
// Every program must read it alike, and providers must accept it (RFC 6109, 3.1.1):
//
//   - From is the address of the mailbox and no other.
//   - To is there. To and Cc are plain lists of addresses without groups.
//   - Date and MIME-Version are there. Bcc, Sender and fields that providers write are not.
//   - Fields that a message has once are there once.
//   - All bytes are at most 127, and lines have at most 998 bytes.
//
// X-TipoRicevuta chooses the receipt: completa, breve or sintetica; absent means completa.
type RawMessage struct {
	// Content is read once, to its end; required. Its header is at most 1 MiB.
	Content io.Reader
	// Key names the request, as in Message. The same bytes are the same request.
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
	_, _ = out.Write(raw) // closing out returns the error
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

// findAttachments computes the digests of the attachments of a RawMessage. An attachment
// that cannot be decoded is a problem: no receipt could be compared with it.
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
		// When there are two names, files are saved under the one in Content-Disposition.
		name := p.Names[len(p.Names)-1]
		c.attachments = append(c.attachments, AttachmentDigest{name, content.size, [32]byte(content.sum.Sum(nil))})
	}
	return nil
}

package pec

import (
	"bufio"
	"context"
	"io"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-message"

	"github.com/gopec/gopec/internal/mailtext"
)

// header returns the header of the message. It may be sent only when the message has no
// problems.
func (c *composer) header() message.Header {
	fields := []HeaderField{
		{"From", mailtext.WriteList([]*mail.Address{{Address: c.sender}})},
		{"To", mailtext.WriteList(c.toList)},
	}
	add := func(name, value string) { fields = append(fields, HeaderField{name, value}) }
	if len(c.ccList) > 0 {
		add("Cc", mailtext.WriteList(c.ccList))
	}
	if len(c.replyTo) > 0 {
		add("Reply-To", mailtext.WriteList(c.replyTo))
	}
	add("Subject", mailtext.Text(c.subject, mailtext.LongWord))
	add("Date", c.now.Format(time.RFC1123Z))
	add("Message-ID", "<"+c.messageID+">")
	if c.inReplyTo != "" {
		add("In-Reply-To", "<"+c.inReplyTo+">")
		add("References", "<"+c.inReplyTo+">")
	}
	for _, f := range c.extra {
		add(f.Name, mailtext.Text(f.Value, maxFieldWord))
	}
	add("X-TipoRicevuta", c.receipt.Token())
	add("MIME-Version", "1.0")
	return rawHeader(append(fields, HeaderField{"Content-Type", "multipart/mixed"}))
}

// rawHeader makes a header that is written exactly as we fold it. The library would change
// the case of names, and not every provider ignores case.
func rawHeader(fields []HeaderField) message.Header {
	var h message.Header
	for i := len(fields) - 1; i >= 0; i-- { // AddRaw puts each field on top
		h.AddRaw(mailtext.Fold(fields[i].Name, fields[i].Value))
	}
	return h
}

func (c *composer) write(ctx context.Context, out *output, files []Attachment) error {
	w, err := message.CreateWriter(out, c.header())
	if err != nil {
		return err
	}
	if err := c.writeText(w); err != nil {
		return err
	}
	for i, a := range files {
		if err := c.writeAttachment(ctx, w, a, c.types[i]); err != nil {
			return err
		}
	}
	return w.Close()
}

func (c *composer) writeText(w *message.Writer) error {
	if c.html == "" {
		return writePart(w, textHeader("text/plain"), c.text)
	}
	alternative, err := w.CreatePart(rawHeader([]HeaderField{{"Content-Type", "multipart/alternative"}}))
	if err != nil {
		return err
	}
	if err := writePart(alternative, textHeader("text/plain"), c.text); err != nil {
		return err
	}
	// The last alternative is the preferred one (RFC 2046, 5.1.4).
	if err := writePart(alternative, textHeader("text/html"), c.html); err != nil {
		return err
	}
	return alternative.Close()
}

func textHeader(mediaType string) message.Header {
	return rawHeader([]HeaderField{
		{"Content-Type", mediaType + "; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	})
}

// lineEnds turns every line end into LF. mime/quotedprintable writes LF as CRLF, but loses
// an LF that follows a bare CR and bytes that it encodes.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func writePart(w *message.Writer, h message.Header, text string) error {
	part, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	// The library accepts only bytes. Written in pieces, a long text is not copied whole.
	pieces := bufio.NewWriterSize(part, 2<<10)
	_, _ = lineEnds.WriteString(pieces, text) // Flush returns the error
	if err := pieces.Flush(); err != nil {
		return err
	}
	return part.Close()
}

// writeAttachment writes an attachment. Content that cannot be read is a problem, not an
// error.
func (c *composer) writeAttachment(ctx context.Context, w *message.Writer, a Attachment, mediaType string) error {
	part, err := w.CreatePart(rawHeader([]HeaderField{
		{"Content-Type", mediaType},
		{"Content-Transfer-Encoding", "base64"},
		{"Content-Disposition", mailtext.Disposition(a.Name)},
	}))
	if err != nil {
		return err
	}
	src := newSource(ctx, a.Content)
	if _, err := io.Copy(part, src); err != nil && src.err == nil {
		return err
	}
	if src.err != nil {
		c.problem("Attachments", a.Name, ProblemUnreadable, src.err)
	}
	c.attachments = append(c.attachments, AttachmentDigest{Name: a.Name, Size: src.size, SHA256: [32]byte(src.sum.Sum(nil))})
	return part.Close()
}

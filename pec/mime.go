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

// header is the header of the message. Of a message with problems it is not to be
// sent.
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

// rawHeader makes a header that is written as we fold it. The library would
// change the case of names, which not every provider reads without regard to it.
func rawHeader(fields []HeaderField) message.Header {
	var h message.Header
	for i := len(fields) - 1; i >= 0; i-- { // each goes on top
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
	// RFC 2046, 5.1.4: the last alternative is the best one.
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

// lineEnds makes every line end LF. mime/quotedprintable writes LF as CRLF, but loses one
// that follows a bare CR and octets that it encodes.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func writePart(w *message.Writer, h message.Header, text string) error {
	part, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	// The library takes bytes only: no copy of a long text is made for it.
	pieces := bufio.NewWriterSize(part, 2<<10)
	_, _ = lineEnds.WriteString(pieces, text) // a failure stays, and is found by Flush
	if err := pieces.Flush(); err != nil {
		return err
	}
	return part.Close()
}

// writeAttachment writes an attachment. That its content cannot be read is a
// problem and no error.
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

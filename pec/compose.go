package pec

import (
	"context"
	"fmt"
	"io"
	"net/mail"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-message"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/receipt"
)

// receiptTokens are the values of X-TipoRicevuta: RFC 6109, 3.3.2.
var receiptTokens = map[receipt.Detail]string{
	receipt.Full:    "completa",
	receipt.Brief:   "breve",
	receipt.Concise: "sintetica",
}

// compose checks a message and writes it: seven-bit, with CRLF line ends and a
// Message-ID of ours, which every notice about it will cite. A message that is
// refused is read all the same, to tell every problem at once.
func compose(ctx context.Context, sender string, m Message, l Limits, now time.Time) (*composed, error) {
	c := &composer{sender: sender, now: now, text: m.Text, html: m.HTML}
	c.messageID = newMessageID(sender)
	c.checkAddresses(m)
	c.checkTexts(m)
	c.checkReceipt(m)
	c.extra = c.checkExtraHeader(m.ExtraHeader)
	c.checkKey(m.Key)
	files := c.checkAttachments(m.Attachments)
	count := len(m.To) + len(m.Cc)
	c.checkRecipients(l, count)
	c.checkEvidence(m.RequireFullEvidence)

	out := newOutput(l.size(count))
	defer out.discard()
	if err := c.write(ctx, out, files); err != nil && !out.tooLarge {
		return nil, fmt.Errorf("pec: composing: %w", err)
	}
	c.request = c.requestDigest()
	return c.finish(ctx, out, l, count)
}

// composer composes a Message. It holds what was found right.
type composer struct {
	draft
	sender                  string
	now                     time.Time
	toList, ccList, replyTo []*mail.Address
	text, html              string
	inReplyTo               string // without angle brackets
	extra                   []HeaderField
	types                   []string // of the attachments
}

func (c *composer) checkAddresses(m Message) {
	if len(m.To) == 0 {
		c.problem("To", "", ProblemMissing, nil)
	}
	for _, value := range m.To {
		if a := c.address("To", value); a != nil {
			c.addRecipient("To", value, a.Address)
			c.toList = append(c.toList, a)
		}
	}
	for _, value := range m.Cc {
		if a := c.address("Cc", value); a != nil {
			c.addRecipient("Cc", value, a.Address)
			c.ccList = append(c.ccList, a)
		}
	}
	if m.ReplyTo != "" {
		if a := c.address("ReplyTo", m.ReplyTo); a != nil {
			c.replyTo = []*mail.Address{a}
		}
	}
}

func (c *composer) address(field, value string) *mail.Address {
	a, reason, err := parseAddress(value)
	if a == nil {
		c.problem(field, value, reason, err)
	}
	return a
}

func (c *composer) checkTexts(m Message) {
	c.subject = m.Subject
	c.checkText("Subject", m.Subject)
	if !utf8.ValidString(m.Text) {
		c.problem("Text", "", ProblemBadText, nil)
	}
	if !utf8.ValidString(m.HTML) {
		c.problem("HTML", "", ProblemBadText, nil)
	}
	if m.HTML != "" && m.Text == "" {
		c.problem("Text", "", ProblemMissing, nil)
	}
	if m.InReplyTo != "" {
		c.inReplyTo = envelope.NormalizeMessageID(m.InReplyTo)
		if !isMessageID(c.inReplyTo) {
			c.problem("InReplyTo", m.InReplyTo, ProblemBadMessageID, nil)
		}
	}
}

func (c *composer) checkReceipt(m Message) {
	c.receipt = m.Receipt
	if m.Receipt == "" {
		c.receipt = receipt.Full
	}
	if _, ok := receiptTokens[c.receipt]; !ok {
		c.problem("Receipt", string(m.Receipt), ProblemBadReceipt, nil)
		c.receipt = receipt.Full
	}
}

// checkAttachments gives those that can be read.
func (c *composer) checkAttachments(attachments []Attachment) []Attachment {
	var files []Attachment
	for _, a := range attachments {
		if reason := nameProblem(a.Name); reason != "" {
			c.problem("Attachments", a.Name, reason, nil)
		} else if a.Content == nil {
			c.problem("Attachments", a.Name, ProblemMissing, nil)
		}
		mediaType, ok := attachmentType(a.Type)
		if !ok {
			c.problem("Attachments", a.Type, ProblemBadType, nil)
		}
		if a.Content != nil {
			files = append(files, a)
			c.types = append(c.types, mediaType)
		}
	}
	return files
}

// header is the header of the message. Of a message with problems it is not to be
// sent.
func (c *composer) header() message.Header {
	fields := []HeaderField{
		{"From", addressList([]*mail.Address{{Address: c.sender}})},
		{"To", addressList(c.toList)},
	}
	add := func(name, value string) { fields = append(fields, HeaderField{name, value}) }
	if len(c.ccList) > 0 {
		add("Cc", addressList(c.ccList))
	}
	if len(c.replyTo) > 0 {
		add("Reply-To", addressList(c.replyTo))
	}
	add("Subject", headerText(c.subject, longWord))
	add("Date", c.now.Format(time.RFC1123Z))
	add("Message-ID", "<"+c.messageID+">")
	if c.inReplyTo != "" {
		add("In-Reply-To", "<"+c.inReplyTo+">")
		add("References", "<"+c.inReplyTo+">")
	}
	for _, f := range c.extra {
		add(f.Name, headerText(f.Value, maxFieldWord))
	}
	add("X-TipoRicevuta", receiptTokens[c.receipt])
	add("MIME-Version", "1.0")
	return rawHeader(append(fields, HeaderField{"Content-Type", "multipart/mixed"}))
}

// rawHeader makes a header that is written as we fold it. The library would
// change the case of names, which not every provider reads without regard to it.
func rawHeader(fields []HeaderField) message.Header {
	var h message.Header
	for i := len(fields) - 1; i >= 0; i-- { // each goes on top
		h.AddRaw(foldField(fields[i].Name, fields[i].Value))
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

func writePart(w *message.Writer, h message.Header, text string) error {
	part, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(part, text); err != nil {
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
		{"Content-Disposition", disposition(a.Name)},
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

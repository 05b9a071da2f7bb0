package pec

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-message/mail"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/receipt"
)

// composed is a message as it will be sent.
type composed struct {
	messageID  string
	recipients []string // the bare addresses of To and Cc
	bytes      []byte
}

// receiptTokens are the values of X-TipoRicevuta: RFC 6109, 3.3.2.
var receiptTokens = map[receipt.Detail]string{
	receipt.Full:    "completa",
	receipt.Brief:   "breve",
	receipt.Concise: "sintetica",
}

// maxFileName is what file systems allow for a name, in octets. Encoded, such a
// name is still shorter than the 998 characters of a line.
const maxFileName = 255

// compose checks a message and writes it: seven-bit, with CRLF line ends and a
// Message-ID of ours, which every notice about it will cite.
func compose(sender string, m Message, now time.Time) (*composed, error) {
	c := composer{messageID: newMessageID(sender), sender: sender, now: now}
	c.checkAddresses(m)
	c.checkRest(m)
	if len(c.problems) > 0 {
		return nil, &ComposeError{c.problems}
	}
	var out bytes.Buffer
	if err := c.write(&out, m); err != nil {
		return nil, err
	}
	return &composed{c.messageID, c.recipients, out.Bytes()}, nil
}

type composer struct {
	messageID, sender string
	now               time.Time
	to, cc, replyTo   []*mail.Address
	recipients        []string
	receipt           string
	problems          []Problem
}

func (c *composer) problem(field, value string, reason ProblemReason, err error) {
	c.problems = append(c.problems, Problem{field, value, reason, err})
}

func (c *composer) checkAddresses(m Message) {
	if len(m.To) == 0 {
		c.problem("To", "", ProblemMissing, nil)
	}
	c.to = c.recipientList("To", m.To)
	c.cc = c.recipientList("Cc", m.Cc)
	if m.ReplyTo != "" {
		if a := c.address("ReplyTo", m.ReplyTo); a != nil {
			c.replyTo = []*mail.Address{a}
		}
	}
}

func (c *composer) recipientList(field string, values []string) []*mail.Address {
	var list []*mail.Address
	for _, value := range values {
		a := c.address(field, value)
		if a == nil {
			continue
		}
		for _, other := range c.recipients {
			if envelope.SameAddress(a.Address, other) {
				c.problem(field, value, ProblemDuplicate, nil)
			}
		}
		c.recipients = append(c.recipients, a.Address)
		list = append(list, a)
	}
	return list
}

func (c *composer) address(field, value string) *mail.Address {
	a, reason, err := parseAddress(value)
	if a == nil {
		c.problem(field, value, reason, err)
		return nil
	}
	return (*mail.Address)(a)
}

func (c *composer) checkRest(m Message) {
	if hasControl(m.Subject) {
		c.problem("Subject", m.Subject, ProblemControl, nil)
	}
	kind := m.Receipt
	if kind == "" {
		kind = receipt.Full
	}
	token, ok := receiptTokens[kind]
	if !ok {
		c.problem("Receipt", string(m.Receipt), ProblemBadReceipt, nil)
	}
	c.receipt = token
	for _, a := range m.Attachments {
		switch {
		case a.Name == "" || a.Content == nil:
			c.problem("Attachments", a.Name, ProblemMissing, nil)
		case hasControl(a.Name):
			c.problem("Attachments", a.Name, ProblemControl, nil)
		case len(a.Name) > maxFileName:
			c.problem("Attachments", a.Name, ProblemTooLong, nil)
		}
		if _, ok := attachmentType(a.Type); !ok {
			c.problem("Attachments", a.Type, ProblemBadType, nil)
		}
	}
}

// attachmentType checks a MIME type. Composite types may not be encoded (RFC
// 2046, 5.1 and 5.2), so a file cannot have one.
func attachmentType(t string) (string, bool) {
	if t == "" {
		return "application/octet-stream", true
	}
	mediaType, _, err := mime.ParseMediaType(t)
	if err != nil || strings.HasPrefix(mediaType, "multipart/") || strings.HasPrefix(mediaType, "message/") {
		return "", false
	}
	return mediaType, strings.Count(mediaType, "/") == 1
}

func (c *composer) write(out *bytes.Buffer, m Message) error {
	var h mail.Header
	h.SetAddressList("From", []*mail.Address{{Address: c.sender}})
	h.SetAddressList("To", c.to)
	if len(c.cc) > 0 {
		h.SetAddressList("Cc", c.cc)
	}
	if len(c.replyTo) > 0 {
		h.SetAddressList("Reply-To", c.replyTo)
	}
	h.Set("Subject", encodeWords(m.Subject))
	h.SetDate(c.now)
	h.SetMessageID(c.messageID)
	h.Set("MIME-Version", "1.0")
	h.Set("X-TipoRicevuta", c.receipt)

	w, err := mail.CreateWriter(out, h)
	if err != nil {
		return fmt.Errorf("pec: composing: %w", err)
	}
	var text mail.InlineHeader
	text.SetContentType("text/plain", map[string]string{"charset": "utf-8"})
	text.Set("Content-Transfer-Encoding", "quoted-printable")
	part, err := w.CreateSingleInline(text)
	if err != nil {
		return fmt.Errorf("pec: composing: %w", err)
	}
	if _, err := io.WriteString(part, m.Text); err != nil {
		return fmt.Errorf("pec: composing: %w", err)
	}
	if err := part.Close(); err != nil {
		return fmt.Errorf("pec: composing: %w", err)
	}
	for _, a := range m.Attachments {
		if err := writeAttachment(w, a); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("pec: composing: %w", err)
	}
	return nil
}

// encodeWords writes a text as encoded words (RFC 2047) where it is not plain
// ASCII. Each is short enough to share a line of 76 characters with the name of a
// field, which that RFC asks for and mime.WordEncoder does not see to.
func encodeWords(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) && !strings.Contains(text, "=?") {
		return text
	}
	const maxOctets = 39 // 52 characters in base64
	var words []string
	for text != "" {
		n := 0
		for n < len(text) {
			_, size := utf8.DecodeRuneInString(text[n:])
			if n+size > maxOctets {
				break
			}
			n += size
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(text[:n]))+"?=")
		text = text[n:]
	}
	return strings.Join(words, " ")
}

func writeAttachment(w *mail.Writer, a Attachment) error {
	var h mail.AttachmentHeader
	mediaType, _ := attachmentType(a.Type)
	h.SetContentType(mediaType, nil)
	// RFC 2231 for names that are not ASCII: AttachmentHeader.SetFilename writes
	// encoded words, which RFC 2047 forbids there.
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.Name}))
	h.Set("Content-Transfer-Encoding", "base64")
	part, err := w.CreateAttachment(h)
	if err != nil {
		return fmt.Errorf("pec: composing: %w", err)
	}
	if _, err := io.Copy(part, a.Content); err != nil {
		return &ComposeError{[]Problem{{"Attachments", a.Name, ProblemUnreadable, err}}}
	}
	if err := part.Close(); err != nil {
		return fmt.Errorf("pec: composing: %w", err)
	}
	return nil
}

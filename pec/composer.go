package pec

import (
	"net/mail"
	"time"
	"unicode/utf8"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/mailtext"
	"github.com/gopec/gopec/receipt"
)

// composer composes a Message. It holds the values without a problem.
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

func parseAddress(s string) (*mail.Address, ProblemReason, error) {
	if mailtext.HasControl(s) {
		return nil, ProblemControl, nil
	}
	a, err := mail.ParseAddress(s)
	if err != nil {
		return nil, ProblemBadAddress, err
	}
	if !mailtext.IsPlainAddress(a.Address) {
		return nil, ProblemBadAddress, nil
	}
	// An encoded word can hide a character that the text itself may not have.
	if mailtext.HasControl(a.Name) {
		return nil, ProblemControl, nil
	}
	return a, "", nil
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
		c.receipt = receipt.DetailFull
	}
	if c.receipt.Token() == "" {
		c.problem("Receipt", string(m.Receipt), ProblemBadReceipt, nil)
		c.receipt = receipt.DetailFull
	}
}

// checkAttachments returns the attachments that can be read.
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

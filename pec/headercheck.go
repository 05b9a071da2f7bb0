package pec

import (
	"errors"
	"mime"
	"net/mail"
	"slices"
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/mailtext"
	"github.com/gopec/gopec/receipt"
)

// singleFields may occur once in a header: those of RFC 5322, 3.6, and RFC 2045, 3, and the
// field that chooses the receipt.
var singleFields = []string{
	"from", "sender", "reply-to", "to", "cc", "message-id", "in-reply-to", "references", "subject", "date",
	"mime-version", "x-tiporicevuta",
}

// checkHeader checks the header of a RawMessage, and reads from it recipients, Message-ID,
// subject and receipt.
func (c *rawComposer) checkHeader(h header.Header) {
	c.checkFields(h)
	c.checkOrigin(h)
	c.checkAddresses(h)
	c.checkMIME(h)
	c.subject = header.DecodeText(h.Get("Subject"))
	c.receipt = receipt.DetailFull
	for _, value := range h.Values("X-TipoRicevuta") {
		detail, ok := receipt.DetailOf(value)
		if !ok {
			c.problem("X-TipoRicevuta", value, ProblemBadReceipt, nil)
			continue
		}
		c.receipt = detail
	}
}

// checkFields finds fields that may not be there, or not twice.
func (c *rawComposer) checkFields(h header.Header) {
	seen := map[string]bool{}
	for _, f := range h {
		name := strings.ToLower(f.Name)
		single := slices.Contains(singleFields, name) || strings.HasPrefix(name, "content-")
		switch {
		case name == "sender" || isForbidden(name):
			c.problem(f.Name, f.Value, ProblemForbidden, nil)
		case single && seen[name]:
			c.problem(f.Name, f.Value, ProblemDuplicate, nil)
		case asksForReceipts(name) && !slices.Contains(c.warnings, WarningOtherReceipts):
			c.warnings = append(c.warnings, WarningOtherReceipts)
		}
		seen[name] = true
	}
}

// checkOrigin checks that From, Date and MIME-Version are there, and the form of Date and
// Message-ID: RFC 5322, 3.6.1 and 3.6.4.
func (c *rawComposer) checkOrigin(h header.Header) {
	for _, name := range []string{"From", "Date", "MIME-Version"} {
		if len(h.Values(name)) == 0 {
			c.problem(name, "", ProblemMissing, nil)
		}
	}
	for _, value := range h.Values("Date") {
		if _, err := mail.ParseDate(value); err != nil {
			c.problem("Date", value, ProblemMalformed, err)
		}
	}
	for _, value := range h.Values("Message-ID") {
		c.messageID = strings.TrimSuffix(strings.TrimPrefix(value, "<"), ">")
		if value != "<"+c.messageID+">" || !isMessageID(c.messageID) {
			c.problem("Message-ID", value, ProblemBadMessageID, nil)
		}
	}
}

func (c *rawComposer) checkAddresses(h header.Header) {
	for _, value := range h.Values("From") {
		list, err := mailtext.ParseList(value)
		switch {
		case err != nil:
			c.problem("From", value, ProblemBadAddress, err)
		case len(list) != 1 || !envelope.SameAddress(list[0], c.sender):
			c.problem("From", value, ProblemNotSender, nil)
		}
	}
	if len(h.Values("To")) == 0 {
		c.problem("To", "", ProblemMissing, nil)
	}
	for _, name := range []string{"To", "Cc", "Reply-To"} {
		for _, value := range h.Values(name) {
			list, err := mailtext.ParseList(value)
			if err != nil {
				c.problem(name, value, ProblemBadAddress, err)
				continue
			}
			for _, address := range list {
				if name != "Reply-To" {
					c.addRecipient(name, address, address)
				}
			}
		}
	}
}

// checkMIME refuses fields from which programs may read different structures.
func (c *rawComposer) checkMIME(h header.Header) {
	for _, value := range h.Values("MIME-Version") {
		if value != "1.0" {
			c.problem("MIME-Version", value, ProblemMalformed, errors.New("it has to be 1.0"))
		}
	}
	for _, value := range h.Values("Content-Type") {
		if err := checkContentType(value); err != nil {
			c.problem("Content-Type", value, ProblemMalformed, err)
		}
	}
}

// checkContentType reads the value with two parsers, which must agree on the boundary.
func checkContentType(value string) error {
	mediaType, params, err := mime.ParseMediaType(value)
	if err != nil {
		return err
	}
	ours, our, err := header.ParseParams(value, nil)
	if err != nil {
		return err
	}
	// Some programs read a boundary in the form of RFC 2231, and others do not.
	if ours != mediaType || our.Get("boundary") != params["boundary"] || strings.Contains(strings.ToLower(value), "boundary*") {
		return header.ErrParams
	}
	if strings.HasPrefix(mediaType, "multipart/") && params["boundary"] == "" {
		return errors.New("a multipart type needs a boundary")
	}
	return nil
}

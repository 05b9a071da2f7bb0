package inbound

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/mailtext"
	"github.com/gopec/gopec/internal/multipart"
)

// Bounce is a delivery status notification (RFC 3464) that says a message failed.
// Nothing else is ever heard of an ordinary recipient (RFC 6109, 2.2.3).
//
// A bounce is not certified. It comes inside an anomaly envelope, and anybody who knows
// the Message-ID of a PEC, as each of its recipients does, can write one. Take it as a
// hint to look; what a notice proves outweighs it.
type Bounce struct {
	// Recipients are those for whom the message failed, according to the bounce; at least
	// one.
	Recipients []BouncedRecipient
	// CertID is the Message-ID of the returned envelope: the provider's ID of our message,
	// as in its notices. It is "" unless the bounce names exactly one.
	CertID string
	// MessageID is the X-Riferimento-Message-ID of that envelope: our Message-ID. It is ""
	// unless the bounce names exactly one.
	MessageID string
}

// BouncedRecipient is what a Bounce says of one recipient. Values are as its author
// wrote them, in valid UTF-8.
type BouncedRecipient struct {
	Original   string // the address the message was sent to (RFC 3464, 2.3.1); "" when there is none
	Final      string // the address at which it failed, after forwarding (2.3.2); "" when there is none
	Code       string // the enhanced status code (2.3.4; RFC 3463); "" when there is none
	Diagnostic string // the words of the server that refused it (2.3.6); "" when there are none
}

// ErrNotBounce reports an inbound message that is not a bounce: it does not say that a
// message failed.
var ErrNotBounce = errors.New("inbound: the message is not a bounce")

const (
	maxReport        = 256 << 10 // bytes of a delivery status
	maxReportParts   = 10        // parts of the multipart/report; RFC 6522 allows three
	maxReportEntries = 1000      // groups of fields that are read
)

// Bounce reads the delivery status notification in an anomaly envelope. It returns
// ErrNotBounce for any other message, and for a notification that reports only delays and
// deliveries. Any other error means that the message could not be read.
//
// Only the direct parts of the report are read: a report deeper inside, such as in the
// returned message, is the work of that message's author.
func (in *Message) Bounce() (*Bounce, error) {
	if in.Kind != envelope.KindAnomaly || in.original.MediaType != "multipart/report" {
		return nil, ErrNotBounce
	}
	sections, err := in.original.Split(maxReportParts)
	if err != nil {
		return nil, bounceFailed(err)
	}
	var report, returned []multipart.Part
	for _, section := range sections {
		p, err := multipart.ReadPart(section)
		if err != nil {
			return nil, bounceFailed(err)
		}
		switch p.MediaType {
		case "message/delivery-status", "message/global-delivery-status":
			report = append(report, p)
		case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
			returned = append(returned, p)
		}
	}
	// RFC 6522, 3: there is one report. With two, programs disagree on which one counts.
	if len(report) != 1 {
		return nil, ErrNotBounce
	}
	b := new(Bounce)
	if err := b.readReport(report[0]); err != nil {
		return nil, bounceFailed(err)
	}
	if len(b.Recipients) == 0 {
		return nil, ErrNotBounce
	}
	if len(returned) == 1 {
		if err := b.readReturned(returned[0]); err != nil && !multipart.IsMalformed(err) {
			return nil, bounceFailed(err)
		}
	}
	return b, nil
}

// bounceFailed turns the error of a broken report into ErrNotBounce.
func bounceFailed(err error) error {
	if multipart.IsMalformed(err) {
		return fmt.Errorf("%w: %w", ErrNotBounce, err)
	}
	return fmt.Errorf("inbound: reading a bounce: %w", err)
}

// readReport reads the groups of fields of RFC 3464, 2.1: one for the message, and then
// one for each recipient.
func (b *Bounce) readReport(p multipart.Part) error {
	content, err := p.Content(maxReport, nil)
	if err != nil {
		return err
	}
	for entries := 0; len(content) > 0 && entries < maxReportEntries; entries++ {
		group, size, err := header.Read(bytes.NewReader(content), maxReport)
		if err != nil {
			return err
		}
		content = content[size:]
		if r, failed := bouncedRecipient(group); failed {
			b.Recipients = append(b.Recipients, r)
		}
	}
	return nil
}

// statusCode matches the enhanced code at the start of Status (RFC 3464, 2.3.4).
var statusCode = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}\b`)

// bouncedRecipient reads one group of fields, and reports whether it says that the
// message failed for one recipient. An action "delayed" is not final (RFC 3464, 2.3.3).
func bouncedRecipient(group header.Header) (r BouncedRecipient, failed bool) {
	for _, once := range []string{"Original-Recipient", "Final-Recipient", "Action", "Status"} {
		if len(group.Values(once)) > 1 {
			return r, false
		}
	}
	action, _, _ := strings.Cut(group.Get("Action"), "(")
	r = BouncedRecipient{
		Original:   reportAddress(group.Get("Original-Recipient")),
		Final:      reportAddress(group.Get("Final-Recipient")),
		Code:       statusCode.FindString(group.Get("Status")),
		Diagnostic: typedValue(group.Get("Diagnostic-Code")),
	}
	failed = strings.EqualFold(strings.TrimSpace(action), "failed") && !strings.HasPrefix(r.Code, "2") && r.Original+r.Final != ""
	return r, failed
}

// reportAddress returns the address in "rfc822; address", or "". Other address types are
// not mail addresses, so none of them is a recipient of ours.
func reportAddress(value string) string {
	addressType, _, _ := strings.Cut(value, ";")
	switch strings.ToLower(strings.TrimSpace(addressType)) {
	case "rfc822", "utf-8":
	default:
		return ""
	}
	address := typedValue(value)
	if inner, ok := strings.CutPrefix(address, "<"); ok {
		address = strings.TrimSuffix(inner, ">")
	}
	if !strings.Contains(address, "@") || strings.ContainsAny(address, " \t<>,;\"") || mailtext.HasControl(address) {
		return ""
	}
	return address
}

// typedValue returns the value of "type; value", decoded.
func typedValue(value string) string {
	_, value, _ = strings.Cut(value, ";")
	return header.DecodeText(strings.TrimSpace(value))
}

// readReturned reads the IDs from the returned message or header.
func (b *Bounce) readReturned(p multipart.Part) error {
	content, err := io.ReadAll(io.LimitReader(p.Open(), maxOriginalHeader+1))
	// A body with a broken transfer encoding leaves the header before it readable.
	if err != nil && !errors.Is(err, multipart.ErrEncoding) {
		return err
	}
	h, _, err := header.Read(bytes.NewReader(content), maxOriginalHeader)
	if err != nil {
		return err
	}
	b.CertID = onlyMessageID(h.Values("Message-ID"))
	b.MessageID = onlyMessageID(h.Values("X-Riferimento-Message-ID"))
	return nil
}

// onlyMessageID returns the one Message-ID among values; "" unless there is exactly one value.
func onlyMessageID(values []string) string {
	if len(values) != 1 {
		return ""
	}
	return readMessageID(values[0])
}

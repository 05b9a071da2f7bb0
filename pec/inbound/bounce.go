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
// It is all that is ever heard of an ordinary recipient (RFC 6109, 2.2.3).
//
// It is not certified. It comes inside an anomaly envelope: anybody who knows the
// Message-ID of a PEC, as each of its recipients does, can write one. It is a hint
// to look, and never goes against what a notice proves.
type Bounce struct {
	// Recipients are those it says the message failed for; at least one.
	Recipients []BouncedRecipient
	// CertID is the Message-ID of the envelope that failed: the provider's ID of our
	// message, as in its notices. "" when the bounce does not name one.
	CertID string
	// MessageID is the X-Riferimento-Message-ID of that envelope: our Message-ID. ""
	// when the bounce does not name one.
	MessageID string
}

// BouncedRecipient is what a Bounce says of one recipient. Values are as its author
// wrote them, in valid UTF-8.
type BouncedRecipient struct {
	Original   string // the address the message was for; "" when it is not told (RFC 3464, 2.3.1)
	Final      string // the address the message failed at, after forwarding (2.3.2)
	Code       string // the enhanced status code (2.3.4; RFC 3463); "" when there is none
	Diagnostic string // the words of the server that refused it (2.3.6); "" when it is not told
}

// ErrNoBounce reports an inbound message that does not say anything failed.
var ErrNoBounce = errors.New("inbound: the message is no bounce")

const (
	maxReport        = 256 << 10 // of a delivery status, in octets
	maxReportParts   = 10        // RFC 6522 has three at most
	maxReportEntries = 1000
)

// Bounce reads the delivery status notification that an anomaly envelope brings.
// What is not one, or tells of nothing but delays and deliveries, gives ErrNoBounce;
// any other error means that the message could not be read. Nothing but the direct
// parts of the report is looked at: a report within a returned message was put there
// by its author.
func (in *Message) Bounce() (*Bounce, error) {
	if in.Kind != envelope.KindAnomaly || in.original.MediaType != "multipart/report" {
		return nil, ErrNoBounce
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
	// RFC 6522, 3: one report. Of two, programs read different ones.
	if len(report) != 1 {
		return nil, ErrNoBounce
	}
	b := new(Bounce)
	if err := b.readReport(report[0]); err != nil {
		return nil, bounceFailed(err)
	}
	if len(b.Recipients) == 0 {
		return nil, ErrNoBounce
	}
	if len(returned) == 1 {
		if err := b.readReturned(returned[0]); err != nil && !multipart.IsMalformed(err) {
			return nil, bounceFailed(err)
		}
	}
	return b, nil
}

// bounceFailed makes a report that is broken no bounce.
func bounceFailed(err error) error {
	if multipart.IsMalformed(err) || errors.Is(err, multipart.ErrTooLarge) {
		return fmt.Errorf("%w: %w", ErrNoBounce, err)
	}
	return fmt.Errorf("inbound: reading a bounce: %w", err)
}

// readReport reads the groups of fields of RFC 3464, 2.1: one for the message, and
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

// statusCode is the enhanced code at the start of Status: RFC 3464, 2.3.4.
var statusCode = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}\b`)

// bouncedRecipient reads one group of fields. It is false unless the group says
// that the message failed for one recipient: "delayed" is not final (2.3.3).
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

// reportAddress reads "rfc822; address". Of other address types there is no
// recipient of ours.
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

// typedValue is what follows the type in "type; value".
func typedValue(value string) string {
	_, value, _ = strings.Cut(value, ";")
	return header.DecodeText(strings.TrimSpace(value))
}

// readReturned takes the IDs out of the returned message or its header.
func (b *Bounce) readReturned(p multipart.Part) error {
	content, err := io.ReadAll(io.LimitReader(p.Open(), maxOriginalHeader+1))
	if err != nil && !errors.Is(err, multipart.ErrEncoding) { // which the body may be in
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

// onlyMessageID is "" unless there is exactly one.
func onlyMessageID(values []string) string {
	if len(values) != 1 {
		return ""
	}
	return readMessageID(values[0])
}

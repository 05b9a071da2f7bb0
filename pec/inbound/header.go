package inbound

import (
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/mailtext"
)

// Header is what the author of an inbound message wrote in its header. It is a claim,
// even in a PEC: there the provider certifies Message.Sender and Message.Subject instead.
// Texts are decoded to UTF-8 and may hold any character.
type Header struct {
	From, To, Cc []*mail.Address
	Subject      string
	// MessageID has no angle brackets. In a PEC it is the provider's ID, which is
	// Message.CertID.
	MessageID string
	// InReplyTo and References are the Message-IDs, without angle brackets, of the messages
	// that this one answers. An answer to a PEC of ours names the CertID of its notices, not
	// our Message-ID.
	InReplyTo, References []string
}

func readHeader(h header.Header) (Header, []*Defect) {
	var defects []*Defect
	addresses := func(field string) []*mail.Address {
		list, err := mailtext.ReadLists(h.Values(field))
		if err != nil {
			defects = append(defects, &Defect{field, DefectAddress, err})
		}
		return list
	}
	in := Header{
		From:       addresses("From"),
		To:         addresses("To"),
		Cc:         addresses("Cc"),
		Subject:    header.DecodeText(h.Get("Subject")),
		MessageID:  readMessageID(h.Get("Message-ID")),
		InReplyTo:  messageIDs(h.Values("In-Reply-To")),
		References: messageIDs(h.Values("References")),
	}
	reported := slices.ContainsFunc(defects, func(d *Defect) bool { return d.Where == "From" })
	if n := len(in.From); n != 1 && !reported {
		defects = append(defects, &Defect{"From", DefectAddress, fmt.Errorf("it has %d addresses instead of one", n)})
	}
	return in, defects
}

var bracketed = regexp.MustCompile(`<[^<>]+>`)

// messageIDs returns the Message-IDs in fields such as References (RFC 5322, 3.6.4). Some
// programs leave out the brackets.
func messageIDs(values []string) []string {
	var ids []string
	for _, value := range values {
		found := bracketed.FindAllString(value, -1)
		if found == nil {
			found = strings.Fields(value)
		}
		for _, id := range found {
			if id = readMessageID(id); strings.Contains(id, "@") {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// readMessageID returns a Message-ID from a stranger's header, in valid UTF-8.
func readMessageID(value string) string {
	return strings.ToValidUTF8(envelope.NormalizeMessageID(value), "\ufffd")
}

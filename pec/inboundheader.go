package pec

import (
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/charset"
	"github.com/gopec/gopec/internal/header"
)

// InboundHeader is what the author of an inbound message wrote in its header. It is
// a claim: even in a PEC, of which the provider certifies Inbound.Sender and
// Inbound.Subject. Texts are decoded to UTF-8 and may hold any character.
type InboundHeader struct {
	From, To, Cc []*mail.Address
	Subject      string
	// MessageID is without angle brackets, as are the two after it. In a PEC it is the
	// provider's, Inbound.CertID.
	MessageID string
	// InReplyTo and References name the messages this one answers. A correspondent who
	// answers a PEC of ours names the CertID of its notices, not our Message-ID.
	InReplyTo, References []string
}

func readInboundHeader(h header.Header) (InboundHeader, []*Defect) {
	var defects []*Defect
	addresses := func(field string) []*mail.Address {
		list, err := parseAddressLists(h.Values(field))
		if err != nil {
			defects = append(defects, &Defect{field, DefectAddress, err})
		}
		return list
	}
	in := InboundHeader{
		From:       addresses("From"),
		To:         addresses("To"),
		Cc:         addresses("Cc"),
		Subject:    header.DecodeText(h.Get("Subject")),
		MessageID:  readMessageID(h.Get("Message-ID")),
		InReplyTo:  messageIDs(h.Values("In-Reply-To")),
		References: messageIDs(h.Values("References")),
	}
	told := slices.ContainsFunc(defects, func(d *Defect) bool { return d.Where == "From" })
	if n := len(in.From); n != 1 && !told {
		defects = append(defects, &Defect{"From", DefectAddress, fmt.Errorf("%d addresses", n)})
	}
	return in, defects
}

// parseAddressLists reads the addresses of a field that may be repeated. Of a list
// that is not well formed it gives those that are, beside the error.
func parseAddressLists(values []string) ([]*mail.Address, error) {
	parser := addressParser()
	var list []*mail.Address
	var errs []error
	for _, value := range values {
		value, _ = charset.Decode("", []byte(value))
		if value == "" {
			continue
		}
		addresses, err := parser.ParseList(value)
		if err == nil {
			list = append(list, addresses...)
			continue
		}
		errs = append(errs, err)
		for item := range strings.SplitSeq(value, ",") {
			if a, err := parser.Parse(strings.TrimSpace(item)); err == nil {
				list = append(list, a)
			}
		}
	}
	return list, errors.Join(errs...)
}

var bracketed = regexp.MustCompile(`<[^<>]+>`)

// messageIDs gives the Message-IDs in fields such as References (RFC 5322, 3.6.4).
// Some programs leave the brackets out.
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

// readMessageID gives a Message-ID of a stranger's header in valid UTF-8.
func readMessageID(value string) string {
	return strings.ToValidUTF8(envelope.NormalizeMessageID(value), "\ufffd")
}

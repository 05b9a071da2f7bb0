package pec

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/mailtext"
	"github.com/gopec/gopec/receipt"
)

// requestDigest identifies what the caller asked to send: addresses, texts, and the content
// of attachments. Message-ID and date are not part of it: they differ each time. Stores
// keep it with the keys for years: a field that is added later must not change the digest
// of a request without that field.
func (c *composer) requestDigest() [32]byte {
	h := sha256.New()
	// Each value has its length before it, so that no two requests are written alike. An
	// empty value counts as an absent one.
	add := func(name string, values ...string) {
		for _, v := range values {
			if v != "" {
				fmt.Fprintf(h, "%s %d\n%s\n", name, len(v), v)
			}
		}
	}
	addAddress := func(name string, addresses ...string) {
		for _, a := range addresses {
			add(name, envelope.NormalizeAddress(a))
		}
	}
	addAddress("from", c.sender)
	addAddress("to", c.to...)
	addAddress("cc", c.cc...)
	for _, a := range c.replyTo {
		addAddress("reply-to", a.Address)
	}
	add("subject", c.subject)
	add("text", c.text)
	add("html", c.html)
	add("receipt", string(c.receipt))
	add("in-reply-to", c.inReplyTo)
	for _, f := range c.extra {
		add("field", strings.ToLower(f.Name)+":"+f.Value)
	}
	for i, a := range c.attachments {
		add("attachment", a.Name, c.types[i], fmt.Sprint(a.Size), string(a.SHA256[:]))
	}
	return [32]byte(h.Sum(nil))
}

// differences are what c, whose intent is again, changes of the request that was recorded
// first: KeyError.Differences. Both have the same key and different digests.
func (c *composed) differences(first, again Intent) []string {
	var list []string
	add := func(differs bool, what string) {
		if differs {
			list = append(list, what)
		}
	}
	for _, addresses := range []struct {
		field        string
		first, again []string
	}{{"recipients", first.To, again.To}, {"Cc", first.Cc, again.Cc}} {
		was, is := normalized(addresses.first), normalized(addresses.again)
		ordered := slices.Equal(was, is)
		slices.Sort(was)
		slices.Sort(is)
		same := slices.Equal(was, is)
		add(!same, addresses.field+" changed")
		add(same && !ordered, addresses.field+" in another order")
	}
	add(first.Subject != again.Subject, "subject changed")
	add(cmp.Or(first.Receipt, receipt.DetailFull) != cmp.Or(again.Receipt, receipt.DetailFull), "receipt kind changed")
	add(sendName(first.Resends) != sendName(again.Resends), "the message to repeat changed")
	add(c.chosen && first.MessageID != again.MessageID, "Message-ID changed")
	if !first.Adopted { // otherwise its attachments are not known
		list = append(list, attachmentDifferences(first.Attachments, again.Attachments)...)
	}
	if len(list) > 0 {
		return list
	}
	const rest = "text, HTML, Reply-To, In-Reply-To, an extra header field, "
	switch {
	case c.raw:
		return []string{"something else changed: a raw message has to be the same, byte for byte"}
	case first.Adopted:
		return []string{"something else changed: an attachment, " + rest + "or SendRaw in the place of Send"}
	default:
		return []string{"something else changed: " + rest + "the type of an attachment, or SendRaw in the place of Send"}
	}
}

func normalized(addresses []string) []string {
	list := make([]string, len(addresses))
	for i, a := range addresses {
		list[i] = envelope.NormalizeAddress(a)
	}
	return list
}

// attachmentDifferences compares attachments by name. Several may have the same name.
func attachmentDifferences(first, again []AttachmentDigest) []string {
	var list []string
	was, is := byName(first), byName(again)
	for _, a := range slices.Concat(first, again) {
		if len(list) == maxDifferences {
			break
		}
		name := clip(a.Name, mailtext.MaxFileName)
		if mailtext.HasControl(name) { // a raw message can have any
			name = strconv.Quote(name)
		}
		switch w, i := was[a.Name], is[a.Name]; {
		case len(i) < len(w):
			list = append(list, "attachment "+name+" removed")
		case len(i) > len(w):
			list = append(list, "attachment "+name+" added")
		case !slices.Equal(w, i):
			list = append(list, "attachment "+name+" changed")
		}
		delete(was, a.Name) // each name once
		delete(is, a.Name)
	}
	if len(list) == 0 && !slices.Equal(first, again) {
		list = append(list, "attachments in another order")
	}
	return list
}

func byName(list []AttachmentDigest) map[string][]AttachmentDigest {
	named := map[string][]AttachmentDigest{}
	for _, a := range list {
		named[a.Name] = append(named[a.Name], a)
	}
	return named
}

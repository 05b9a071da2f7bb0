package pec

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/gopec/gopec/envelope"
)

// requestDigest identifies what was asked to be sent: addresses, texts, and the
// content of attachments; not what differs each time, Message-ID and date. It is
// kept beside idempotency keys for years: what is added to it later must leave
// unchanged the digest of a request without it.
func (c *composer) requestDigest() [32]byte {
	h := sha256.New()
	// Each value with its length before it: no two requests are written alike. An
	// empty one is as an absent one.
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

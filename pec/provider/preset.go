// Package provider knows the PEC providers (gestori): where their servers are, what they
// take of a message and how they behave. Connect puts together what a program needs to
// send from a mailbox and to read it.
package provider

import (
	"crypto/tls"
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

// Preset is what is known of a provider. It is a plain struct: a caller copies one, or
// writes one, and changes what is different for its mailbox. Servers speak TLS from the
// first byte; no provider is known to offer less.
type Preset struct {
	// Name names the preset: lower-case ASCII.
	Name string
	// Provider is what the provider calls its service.
	Provider string
	// Domains are mail domains of its mailboxes. A company's own domain with it is not
	// among them: nobody lists those.
	Domains []string
	// SMTP and IMAP are the servers, host:port. Connect needs both.
	SMTP, IMAP string
	// SentFolder is the folder of sent messages; "" means the one that the server marks.
	SentFolder string
	// Limits are what the provider takes of one message. The zero Limits are what every
	// provider has to take (RFC 6109, 3.1.1).
	Limits pec.Limits
	// PerMinute is how many messages a mailbox may send in a minute; zero is no limit.
	PerMinute int
	// Throttles are permanent replies that only mean that messages come too fast; nil is
	// none.
	Throttles []smtpclient.Throttle
	// TLS are the settings for connections to the servers; nil means the roots of the
	// system.
	TLS *tls.Config
	// Anchors are the authorities that sign for providers; nil means
	// envelope.BuiltinAnchors.
	Anchors []envelope.Anchor
}

// Named returns the preset of that name, without regard to case.
func Named(name string) (Preset, bool) {
	for _, p := range All() {
		if strings.EqualFold(p.Name, name) {
			return p, true
		}
	}
	return Preset{}, false
}

// For returns the preset of the provider that a bare address is known to be with, by its
// domain. A company's own domain is not known: ask the provider, or use Named.
func For(address string) (Preset, bool) {
	_, domain, _ := strings.Cut(strings.TrimSpace(address), "@")
	for _, p := range All() {
		for _, d := range p.Domains {
			if strings.EqualFold(d, domain) {
				return p, true
			}
		}
	}
	return Preset{}, false
}

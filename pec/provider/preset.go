package provider

import (
	"crypto/tls"
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

// Preset describes a provider. Connect needs SMTP and IMAP; every other field may be zero.
// Both servers must use implicit TLS.
type Preset struct {
	// Name is the preset's name for Named, in lower-case ASCII.
	Name string
	// Provider is the provider's own name for its service.
	Service string
	// Domains are the provider's own mail domains. Domains of companies that have their
	// mailboxes there are not listed.
	Domains []string
	// SMTP and IMAP are the servers, as host:port.
	SMTP, IMAP string
	// SentFolder is the folder of sent messages; "" means that it is looked up on the
	// server, as imapclient.SentOptions.Folder says.
	SentFolder string
	// Limits are the size and the number of recipients that the provider accepts in one
	// message. The zero value means what every provider must accept (RFC 6109, 3.1.1).
	Limits pec.Limits
	// PerMinute is how many messages a mailbox may send in a minute; zero means no limit.
	PerMinute int
	// Throttles are 5xx replies by which the provider only asks to slow down: they are
	// temporary. Nil means none.
	Throttles []smtpclient.ThrottleReply
	// TLS is used for the connections to both servers; nil means the system's roots.
	TLS *tls.Config
	// Anchors are the authorities that issue the providers' signing certificates; nil
	// means envelope.BuiltinAnchors.
	Anchors []envelope.Anchor
}

// Named returns the preset with the given name, ignoring case, and whether there is one.
func Named(name string) (Preset, bool) {
	for _, p := range All() {
		if strings.EqualFold(p.Name, name) {
			return p, true
		}
	}
	return Preset{}, false
}

// For returns the preset whose Domains hold the domain of a bare address, and whether there
// is one. It does not know the own domains of companies: use Named for those.
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

package pectest

import (
	"crypto/rand"
	"fmt"
	"mime"
	"strings"
)

// reply hands in a recipient's answer to an envelope, as if sent from a webmail. It refers
// to the provider's identifier, because the envelope shows no other.
func (p *Provider) reply(env *received, from Account, text string) {
	to := env.data.Sender
	if addresses, err := env.message.addresses("Reply-To"); err == nil && len(addresses) > 0 {
		to = addresses[0]
	}
	now := p.network.now()
	body := strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
	var raw strings.Builder
	for _, f := range []Field{
		{"From", from.Address},
		{"To", to},
		{"Subject", fold("Subject", mime.QEncoding.Encode("UTF-8", "Re: "+env.data.Subject))},
		{"Date", now.Format(dateLayout)},
		{"Message-ID", "<" + rand.Text() + "@" + p.domain + ">"},
		{"In-Reply-To", "<" + env.data.CertID + ">"},
		{"References", "<" + env.data.CertID + ">"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "8bit"},
	} {
		fmt.Fprintf(&raw, "%s: %s\r\n", f.Name, f.Value)
	}
	fmt.Fprintf(&raw, "\r\n%s\r\n", body)
	s := submission{from: from.Address, to: []string{to}, raw: []byte(raw.String())}
	s.received = p.trace("webmail", "127.0.0.1", queueID())
	p.network.queue.add(func() { p.access(s) })
}

// trace returns the Received field that the access point writes.
func (p *Provider) trace(host, ip, id string) Field {
	return Field{Name: "Received", Value: fmt.Sprintf("from %s ([%s])\r\n\tby smtp.%s with ESMTPSA id %s;\r\n\t%s",
		host, ip, p.domain, id, p.network.now().Format(dateLayout))}
}

package pectest

import (
	"fmt"
	"strings"
)

// OrdinaryMessage is a transport envelope that left the PEC network for recipients with
// ordinary mail (posta ordinaria). No notice follows (RFC 6109, 2.2.3).
type OrdinaryMessage struct {
	From string   // SMTP MAIL FROM: the sender of the original, unchanged (RFC 6109, 3.1.5)
	To   []string // SMTP RCPT TO: the ordinary recipients only
	Raw  []byte   // the signed envelope
}

// RefusedError is the SMTP reply to mail from outside that a provider refuses.
type RefusedError struct {
	Address string // the recipient
	Code    int    // the SMTP code, such as 550
	Text    string // the reply without the code
}

// Error implements error.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("pectest: RCPT TO <%s>: %d %s", e.Address, e.Code, e.Text)
}

// Receive hands in mail from outside the network, as a mail exchanger accepts it from the
// Internet; from is its SMTP MAIL FROM, empty for a bounce. Mail that no provider of the
// network signed reaches the mailbox in an anomaly envelope (busta di anomalia, RFC 6109,
// 3.2.2).
//
// Receive returns a *RefusedError, and delivers to nobody, when a recipient has no mailbox
// or has a provider that refuses ordinary mail.
func (n *Network) Receive(from string, to []string, raw []byte) error {
	byProvider := make(map[*Provider][]string)
	for _, address := range to {
		p := n.ProviderOf(address)
		if p == nil || p.mailbox(address) == nil {
			return &RefusedError{address, 550, "5.1.1 User unknown"}
		}
		if p.opts.RefuseOrdinary {
			return &RefusedError{address, 554, "5.7.1 Messaggio rifiutato dal sistema. Indirizzo destinatario sconosciuto o non abilitato alla ricezione di posta non certificata"}
		}
		byProvider[p] = append(byProvider[p], address)
	}
	raw = toCRLF(raw)
	for _, p := range n.providers {
		if addresses := byProvider[p]; len(addresses) > 0 {
			n.queue.add(func() { p.incoming(transfer{from: from, to: addresses, raw: raw}) })
		}
	}
	return nil
}

// ordinary accepts or drops mail that no provider signed.
func (p *Provider) ordinary(m transfer, reason string) {
	if p.opts.RefuseOrdinary {
		p.network.log.Debug("ordinary mail refused", "provider", p.domain)
		return
	}
	p.anomaly(m, reason)
}

// anomaly stores a message in an anomaly envelope. It has no certification data, and no
// notice follows (RFC 6109, 2.2.2).
func (p *Provider) anomaly(m transfer, reason string) {
	message := parseEntity(m.raw)
	n := Notice{Kind: KindAnomaly, Sender: m.from, ErrorText: reason, Subject: decodeText(message.get("Subject")), Original: m.raw}
	if n.Sender == "" {
		if from, err := message.addresses("From"); err == nil && len(from) > 0 {
			n.Sender = from[0]
		}
	}
	for _, address := range m.to {
		n.Recipients = append(n.Recipients, Recipient{Address: address})
	}
	// RFC 6109, 3.2.2: these fields are inherited unmodified.
	for _, name := range []string{"Received", "To", "Cc", "Return-Path", "Message-ID", "Reply-To"} {
		n.Header = append(n.Header, message.all(name)...)
	}
	raw, err := p.Emit(n)
	if err != nil {
		p.network.log.Warn("anomaly envelope not built", "provider", p.domain, "error", err)
		return
	}
	for _, address := range m.to {
		// Its only error is that there is no mailbox, which has been logged.
		_ = p.store(address, InboxFolder, raw)
	}
}

// bounced delivers to the sender the delivery status notification (RFC 3464) of an ordinary
// recipient's server. To the sender's provider it is ordinary mail.
func (p *Provider) bounced(sender, address string, f Fate, envelope []byte) {
	_, domain, _ := strings.Cut(address, "@")
	text := f.errorText(domain)
	code, _, _ := strings.Cut(text, " ")
	b := boundary()
	header := envelope[:parseEntity(envelope).end]
	raw := fmt.Sprintf("From: Mail Delivery System <MAILER-DAEMON@%[1]s>\r\nTo: %[2]s\r\n"+
		"Subject: Undelivered Mail Returned to Sender\r\nDate: %[3]s\r\nMessage-ID: <%[4]s@%[1]s>\r\n"+
		"Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"%[5]s\"\r\n\r\n"+
		"--%[5]s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nI could not deliver to <%[6]s>: %[7]s\r\n\r\n"+
		"--%[5]s\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.%[1]s\r\n\r\n"+
		"Final-Recipient: rfc822; %[6]s\r\nAction: failed\r\nStatus: %[8]s\r\nDiagnostic-Code: smtp; 550 %[8]s\r\n\r\n"+
		"--%[5]s\r\nContent-Type: text/rfc822-headers\r\n\r\n%[9]s\r\n--%[5]s--\r\n",
		domain, sender, p.network.now().Format(dateLayout), queueID(), b, address, text, code, header)
	p.incoming(transfer{to: []string{sender}, raw: []byte(raw)})
}

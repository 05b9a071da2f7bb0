package pectest

import (
	"strings"
)

// access is the access point (punto di accesso, RFC 6109, 3.1): it refuses the
// message with a non-acceptance notice, or accepts it and sends the envelope on.
func (p *Provider) access(s submission) {
	m := parseEntity(s.raw)
	now := p.network.now()
	replyTo := s.from
	if addresses, err := m.addresses("Reply-To"); err == nil && len(addresses) > 0 {
		replyTo = strings.Join(addresses, ", ")
	}
	n := Notice{
		Kind:       KindAcceptance,
		Sender:     s.from,
		Recipients: p.network.classify(s.to),
		ReplyTo:    replyTo,
		Subject:    decodeText(m.get("Subject")),
		Time:       now,
		CertID:     p.network.ids.certID(now, p.domain),
		MessageID:  m.get("Message-ID"),
	}
	if err := check(m, s.from, s.to); err != nil {
		n.Kind, n.Errore, n.ErrorText = KindNonAcceptance, "altro", err.Error()
		p.notify(n)
		return
	}
	p.notify(n)
	p.forward(s, m, n)
}

// classify tells certified recipients from ordinary ones by their domain
// (RFC 6109, 2.2.1).
func (n *Network) classify(addresses []string) []Recipient {
	recipients := make([]Recipient, len(addresses))
	for i, address := range addresses {
		recipients[i] = Recipient{Address: address, Type: RecipientOrdinary}
		if n.ProviderOf(address) != nil {
			recipients[i].Type = RecipientCertified
		}
	}
	return recipients
}

// forward builds the transport envelope of an accepted message (RFC 6109, 3.1.5)
// and hands it to each recipient's provider, once for all its recipients.
func (p *Provider) forward(s submission, m entity, accepted Notice) {
	n := accepted
	n.Kind = KindTransport
	n.ReceiptKind = receiptKind(m)
	n.Original = postacert(m, n.CertID, s.received)
	n.Header = append(n.Header, s.received)
	for _, name := range []string{"Received", "To", "Cc", "Reply-To", "X-TipoRicevuta"} {
		n.Header = append(n.Header, m.all(name)...)
	}
	envelope, err := p.Emit(n)
	if err != nil {
		p.network.log.Warn("no envelope", "provider", p.domain, "id", n.CertID, "error", err)
		return
	}
	var ordinary []string
	byProvider := make(map[*Provider][]string)
	for _, address := range s.to {
		if to := p.network.ProviderOf(address); to != nil {
			byProvider[to] = append(byProvider[to], address)
		} else {
			ordinary = append(ordinary, address)
		}
	}
	for _, to := range p.network.providers {
		if addresses := byProvider[to]; len(addresses) > 0 {
			p.network.queue.add(func() { to.incoming(envelope, addresses) })
		}
	}
	if len(ordinary) > 0 {
		p.network.sendOrdinary(OrdinaryMessage{From: s.from, To: ordinary, Raw: envelope})
	}
}

// notify signs a notice and sends it to the sender's mailbox through the
// sender's provider (RFC 6109, 2.1).
func (p *Provider) notify(n Notice) {
	log := p.network.log.With("provider", p.domain, "kind", n.Kind, "id", n.CertID)
	raw, err := p.Emit(n)
	if err != nil {
		log.Warn("no notice", "error", err)
		return
	}
	to := p.network.ProviderOf(n.Sender)
	if to == nil {
		log.Warn("no provider for the sender")
		return
	}
	log.Debug("notice", "to", n.Sender)
	p.network.queue.add(func() { to.incoming(raw, []string{n.Sender}) })
}

package pectest

import (
	"slices"
	"strings"
	"time"
)

// access is the access point (punto di accesso, RFC 6109, 3.1). It refuses a message with
// a non-acceptance notice, or accepts it and sends the envelope on.
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
	if refused := p.inspect(s); refused != nil {
		n.Kind, n.Error, n.ErrorText = KindNonAcceptance, refused.errore, refused.text
		p.notify(n, Fate{})
		return
	}
	p.notify(n, Fate{})
	p.forward(s, m, n)
}

// classify marks each recipient as certified or ordinary, by its domain (RFC 6109, 2.2.1).
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
// and hands it to each recipient's provider, once for all recipients there.
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
		p.network.log.Warn("envelope not built", "provider", p.domain, "id", n.CertID, "error", err)
		return
	}
	var ordinary []string
	for _, address := range s.to {
		if p.network.ProviderOf(address) != nil {
			p.track(accepted, address)
		} else {
			ordinary = append(ordinary, address)
		}
	}
	for _, l := range p.network.loads(s.to) {
		arrive := func() { l.provider.incoming(transfer{from: s.from, to: l.to, raw: envelope}) }
		switch l.transit {
		case 0:
			p.network.queue.add(arrive)
		case Never:
		default:
			p.network.clock.at(accepted.Time.Add(l.transit), arrive)
		}
	}
	if len(ordinary) > 0 {
		p.network.sendOrdinary(OrdinaryMessage{From: s.from, To: ordinary, Raw: envelope})
	}
	for _, address := range ordinary {
		if f, _ := p.network.fate(address); f.Error != "" {
			p.network.queue.add(func() { p.bounced(s.from, address, f, envelope) })
		}
	}
}

// load is one SMTP transaction with a recipient's provider.
type load struct {
	provider *Provider
	transit  time.Duration
	to       []string
}

// loads groups the certified recipients by provider and transit time.
func (n *Network) loads(to []string) []load {
	var loads []load
	for _, p := range n.providers {
		for _, address := range to {
			if n.ProviderOf(address) != p {
				continue
			}
			f, _ := n.fate(address)
			i := slices.IndexFunc(loads, func(l load) bool { return l.provider == p && l.transit == f.Transit })
			if i < 0 {
				loads, i = append(loads, load{provider: p, transit: f.Transit}), len(loads)
			}
			loads[i].to = append(loads[i].to, address)
		}
	}
	return loads
}

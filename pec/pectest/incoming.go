package pectest

import (
	"errors"
	"fmt"
)

// incoming is the incoming point (punto di ricezione, RFC 6109, 3.2). It knows
// nothing but the bytes and the recipients. What its checks refuse is dropped:
// the sender gets no answer.
func (p *Provider) incoming(raw []byte, recipients []string) {
	message := parseEntity(raw)
	signed, err := p.network.verify(message)
	if err != nil {
		p.network.log.Warn("message dropped", "provider", p.domain, "error", err)
		return
	}
	if message.get("X-Trasporto") != KindTransport {
		for _, address := range recipients {
			p.store(address, raw)
		}
		return
	}
	env, err := openEnvelope(message, signed)
	if err != nil {
		p.network.log.Warn("envelope dropped", "provider", p.domain, "error", err)
		return
	}
	for _, address := range recipients {
		p.delivery(env, address)
	}
}

// received is a transport envelope that passed the incoming point.
type received struct {
	message   entity
	data      *daticertData
	postacert []byte
}

func openEnvelope(message, signed entity) (*received, error) {
	env := &received{message: message}
	_, params := signed.mediaType()
	body := signed.raw[signed.body:]
	for _, at := range splitParts(body, params["boundary"]) {
		child := parseEntity(body[at[0]:at[1]])
		_, params := child.mediaType()
		switch params["name"] {
		case "daticert.xml":
			data, err := decodeBody(child.raw[child.body:], child.get("Content-Transfer-Encoding"))
			if err != nil {
				return nil, err
			}
			if env.data, err = parseDaticert(data); err != nil {
				return nil, err
			}
		case "postacert.eml":
			env.postacert = child.raw[child.body:]
		}
	}
	if env.data == nil || env.postacert == nil {
		return nil, errors.New("an envelope needs daticert.xml and postacert.eml")
	}
	if env.data.Kind != KindTransport {
		return nil, fmt.Errorf("the certification data is of kind %q", env.data.Kind)
	}
	return env, nil
}

// delivery is the delivery point (punto di consegna, RFC 6109, 3.3): it stores
// the envelope unchanged and notifies the sender, recipient by recipient.
func (p *Provider) delivery(env *received, address string) {
	n := Notice{
		Kind:      KindDelivery,
		Sender:    env.data.Sender,
		ReplyTo:   env.data.ReplyTo,
		Subject:   env.data.Subject,
		CertID:    env.data.CertID,
		MessageID: env.data.MessageID,
		Delivered: address,
	}
	for _, r := range env.data.Recipients {
		n.Recipients = append(n.Recipients, Recipient{Address: r.Address, Type: r.Type})
	}
	if !p.store(address, env.message.raw) {
		n.Kind, n.Errore = KindNonDelivery, "no-dest"
		n.ErrorText = fmt.Sprintf("5.1.1 - %s - indirizzo non valido", p.name)
		p.notify(n)
		return
	}
	n.ReceiptKind = env.data.Receipt.Kind
	if n.ReceiptKind != ReceiptConcise && env.primary(address) {
		n.Original = env.postacert
		if n.ReceiptKind == ReceiptBrief {
			n.Original = brief(env.postacert)
		}
	}
	p.notify(n)
}

// primary tells whether a recipient is to get more than a concise notice: anybody
// who is not in Cc alone (RFC 6109, 3.3.2.1).
func (r *received) primary(address string) bool {
	to, err := r.message.addresses("To")
	if err != nil || containsFold(to, address) {
		return true
	}
	cc, err := r.message.addresses("Cc")
	return err != nil || !containsFold(cc, address)
}

// store puts a message into INBOX as it is, and tells whether there is such a
// mailbox.
func (p *Provider) store(address string, raw []byte) bool {
	m := p.mailbox(address)
	if m == nil {
		p.network.log.Debug("no such mailbox", "provider", p.domain, "address", address)
		return false
	}
	if err := m.deliver(InboxFolder, raw, p.network.now()); err != nil {
		p.network.log.Warn("not stored", "provider", p.domain, "error", err)
		return false
	}
	return true
}

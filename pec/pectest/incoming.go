package pectest

import (
	"errors"
	"fmt"
	"slices"
)

// transfer is one SMTP transaction with an incoming point.
type transfer struct {
	from   string // MAIL FROM; empty for a bounce
	to     []string
	raw    []byte
	folder string // the folder for a notice; empty means INBOX
}

// incoming is the incoming point (punto di ricezione, RFC 6109, 3.2). It knows only the
// bytes and the addresses. It runs on the queue.
func (p *Provider) incoming(m transfer) {
	message := parseEntity(m.raw)
	signed, err := p.network.verify(message)
	if err != nil {
		// The network did not sign it: it is ordinary mail, whatever its header says.
		p.network.log.Debug("not certified", "provider", p.domain, "error", err)
		p.ordinary(m, "la firma digitale del messaggio non risulta attendibile")
		return
	}
	env, err := openSigned(message, signed)
	if err == nil {
		switch {
		case message.get("X-Trasporto") == KindTransport:
			if err = env.check(); err == nil {
				p.takeCharge(env, m.to)
				return
			}
		case message.get("X-Ricevuta") != "":
			p.receipt(m, env.data)
			return
		default:
			err = errors.New("it has neither X-Trasporto: posta-certificata nor X-Ricevuta")
		}
	}
	// RFC 6109, 2.2.2: a message from a provider that is not correct must be passed on.
	p.network.log.Warn("not formally correct", "provider", p.domain, "error", err)
	p.anomaly(m, "il messaggio non è formalmente corretto")
}

// received is a message that a provider of the network signed.
type received struct {
	message   entity
	data      *daticertData
	postacert []byte
}

func openSigned(message, signed entity) (*received, error) {
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
	if env.data == nil {
		return nil, errors.New("there is no daticert.xml")
	}
	return env, nil
}

// check returns an error unless r is a formally correct transport envelope.
func (r *received) check() error {
	if r.postacert == nil {
		return errors.New("there is no postacert.eml")
	}
	if r.data.Kind != KindTransport {
		return fmt.Errorf("the certification data has tipo %q instead of %q", r.data.Kind, KindTransport)
	}
	return nil
}

// takeCharge notifies the sender's provider that this provider answers for the message from
// now on (RFC 6109, 3.2.1), with one notice for all recipients, and passes the message to
// the delivery point. A message with a virus goes no further.
func (p *Provider) takeCharge(env *received, to []string) {
	virus := !p.opts.ReceiveViruses && infected(parseEntity(env.postacert))
	var taken []string
	muted := Fate{Missing: []string{KindTakeInCharge}}
	for _, address := range to {
		f, _ := p.network.fate(address)
		if virus || f.Error == "virus" {
			p.virusFound(env, address, f)
			continue
		}
		taken = append(taken, address)
		if !slices.Contains(f.Missing, KindTakeInCharge) {
			muted.Missing = nil
		}
	}
	if sender := p.network.ProviderOf(env.data.Sender); sender != nil && len(taken) > 0 {
		n := env.data.notice(KindTakeInCharge)
		n.TakenInCharge = taken
		n.Header = []Field{{"To", sender.ServiceMailbox()}}
		p.post(n, sender.ServiceMailbox(), muted)
	}
	now := p.network.now()
	for _, address := range taken {
		switch f, _ := p.network.fate(address); f.Handling {
		case 0:
			p.delivery(env, address)
		case Never:
		default:
			p.network.clock.at(now.Add(f.Handling), func() { p.delivery(env, address) })
		}
	}
}

// receipt stores a notice in the mailbox it is for. The provider of the sender also reads
// from it whether the dispatch is taken in charge or settled.
func (p *Provider) receipt(m transfer, data *daticertData) {
	for _, address := range m.to {
		// Its only error is that there is no mailbox, which has been logged.
		_ = p.store(address, m.folder, m.raw)
	}
	switch data.Kind {
	case KindTakeInCharge:
		for _, address := range data.TakenCharge {
			p.takenInCharge(data.CertID, address)
		}
	case KindVirusDetection:
		p.virusReported(data)
	case KindDelivery, KindNonDelivery:
		p.settled(data.CertID, data.Delivered)
	}
}

package pectest

import (
	"strings"
	"time"
)

// The waits before the delay notices (RFC 6109, 3.1.6): 12 h for the first, and between 22 h
// and 24 h for the last.
const (
	firstDelay = 12 * time.Hour
	lastDelay  = 23 * time.Hour
)

// leg is what the sender's provider knows about a dispatch to one certified recipient
// until it is settled. Only the queue's goroutine uses it.
type leg struct {
	taken  bool // the recipient's provider has taken it in charge
	timers [2]*event
}

// legKey names a leg: the dispatch and the recipient in lower case.
type legKey struct{ certID, recipient string }

func keyOf(certID, recipient string) legKey { return legKey{certID, strings.ToLower(recipient)} }

// track sets the timers of the delay notices for an accepted dispatch.
func (p *Provider) track(accepted Notice, recipient string) {
	f, _ := p.network.fate(recipient)
	if f.NoDelays {
		return
	}
	key, l := keyOf(accepted.CertID, recipient), &leg{}
	p.legs[key] = l
	n := Notice{
		Kind: KindDeliveryDelay, Error: "altro", Sender: accepted.Sender, Recipients: accepted.Recipients, ReplyTo: accepted.ReplyTo,
		Subject: accepted.Subject, CertID: accepted.CertID, MessageID: accepted.MessageID, Delivered: recipient,
	}
	l.timers[0] = p.network.clock.at(accepted.Time.Add(firstDelay), func() {
		if l.taken {
			return
		}
		n.ErrorText = f.FirstDelayText
		if n.ErrorText == "" {
			n.ErrorText = "il messaggio non è stato consegnato nelle prime dodici ore dal suo invio"
		}
		n.ErrorText = orNone(n.ErrorText)
		p.notify(n, f)
	})
	l.timers[1] = p.network.clock.at(accepted.Time.Add(lastDelay), func() {
		delete(p.legs, key)
		n.ErrorText = f.LastDelayText
		if n.ErrorText == "" {
			n.ErrorText = "5.4.1 - " + p.name + " - il messaggio non è stato consegnato nelle ventiquattro ore successive al suo invio"
		}
		n.ErrorText = orNone(n.ErrorText)
		p.notify(n, f)
	})
}

// takenInCharge records that the recipient's provider answers for a dispatch.
func (p *Provider) takenInCharge(certID, recipient string) {
	if l := p.legs[keyOf(certID, recipient)]; l != nil {
		l.taken = true
	}
}

// settled cancels the delay notices, because a delivery or a failure was notified.
func (p *Provider) settled(certID, recipient string) {
	key := keyOf(certID, recipient)
	if l := p.legs[key]; l != nil {
		delete(p.legs, key)
		for _, e := range l.timers {
			p.network.clock.cancel(e)
		}
	}
}

package pectest

import "errors"

// delivery is the delivery point (punto di consegna, RFC 6109, 3.3). It stores the envelope
// unchanged in one recipient's mailbox and notifies the sender.
func (p *Provider) delivery(env *received, address string) {
	f, chosen := p.network.fate(address)
	n := env.data.notice(KindDelivery)
	n.Delivered = address
	if f.Error == "" {
		switch err := p.store(address, InboxFolder, env.message.raw); {
		case err == nil:
		case errors.Is(err, errOverQuota):
			f = reserved["full"]
		case !chosen:
			f = reserved["unknown"]
		}
	}
	if f.Error != "" {
		n.Kind, n.Error, n.ErrorText = KindNonDelivery, f.Error, f.errorText(p.name)
		p.notify(n, f)
		return
	}
	n.ReceiptKind = env.data.Receipt.Kind
	if n.ReceiptKind != ReceiptConcise && env.primary(address) {
		n.Original = env.postacert
		if n.ReceiptKind == ReceiptBrief {
			n.Original = brief(env.postacert, p.opts.BriefHash)
		}
	}
	p.notify(n, f)
	if m := p.mailbox(address); f.Reply != "" && m != nil {
		p.reply(env, m.account, f.Reply)
	}
}

// primary reports whether a delivery to the recipient earns more than a concise notice. It
// does unless the recipient is only in Cc (RFC 6109, 3.3.2.1).
func (r *received) primary(address string) bool {
	to, err := r.message.addresses("To")
	if err != nil || containsFold(to, address) {
		return true
	}
	cc, err := r.message.addresses("Cc")
	return err != nil || !containsFold(cc, address)
}

// store puts an unchanged message into a folder; empty means INBOX.
func (p *Provider) store(address, folder string, raw []byte) error {
	m := p.mailbox(address)
	if m == nil {
		p.network.log.Debug("no such mailbox", "provider", p.domain, "address", address)
		return errNoMailbox
	}
	if folder == "" {
		folder = InboxFolder
	}
	err := m.deliver(folder, raw, p.network.now())
	if err != nil {
		p.network.log.Warn("not stored", "provider", p.domain, "error", err)
	}
	return err
}

var (
	errNoMailbox = errors.New("pectest: no such mailbox")
	errOverQuota = errors.New("pectest: the mailbox is full")
)

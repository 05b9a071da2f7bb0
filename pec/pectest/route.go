package pectest

import (
	"slices"
	"time"
)

// Posting is one arrival of a notice in a mailbox. The zero Posting is the ordinary one: at
// once, in INBOX.
type Posting struct {
	After    time.Duration // the wait on the network's clock; zero means none
	Last     bool          // arrives after everything else under way, so that later notices overtake it
	Folder   string        // empty means InboxFolder; it is made when it does not exist
	Resigned bool          // built and signed again: the same certification data, other bytes, another Message-ID
	// Style writes the notice in another style, and puts it into the mailbox without the
	// checks of the incoming point, so that malformed messages arrive unchanged. Nil means
	// the notice's ordinary style.
	Style *Style
}

// Route calls f for each later notice. The notice arrives once for each posting that f
// returns, and not at all for none. With ok false it takes its ordinary way. With several
// functions, the newest that returns ok decides. f is called before the notice is signed,
// with all fields filled in, and must not wait for the network. The returned function
// removes f.
func (n *Network) Route(f func(Notice) (postings []Posting, ok bool)) (remove func()) {
	entry := &f
	n.mu.Lock()
	defer n.mu.Unlock()
	n.routes = append(n.routes, entry)
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if i := slices.Index(n.routes, entry); i >= 0 {
			n.routes = slices.Delete(slices.Clone(n.routes), i, i+1)
		}
	}
}

// postings returns how a notice arrives, according to the routes or else the fate.
func (n *Network) postings(notice Notice, f Fate) []Posting {
	n.mu.Lock()
	routes := slices.Clone(n.routes)
	n.mu.Unlock()
	for _, route := range slices.Backward(routes) {
		if postings, ok := (*route)(notice); ok {
			return postings
		}
	}
	if slices.Contains(f.Missing, notice.Kind) {
		return nil
	}
	postings := []Posting{{}}
	if notice.Kind == KindDelivery || notice.Kind == KindNonDelivery {
		postings = append(postings, f.Copies...)
	}
	return postings
}

// notify signs a notice and sends it to the sender's mailbox, through the
// sender's provider (RFC 6109, 2.1).
func (p *Provider) notify(n Notice, f Fate) { p.post(n, n.Sender, f) }

// post signs a notice and passes it to the provider of the recipient's address.
func (p *Provider) post(n Notice, address string, f Fate) {
	n = p.complete(n)
	log := p.network.log.With("provider", p.domain, "kind", n.Kind, "id", n.CertID)
	to := p.network.ProviderOf(address)
	if to == nil {
		log.Warn("no provider for the address of the notice")
		return
	}
	var first []byte
	for _, posting := range p.network.postings(n, f) {
		raw := first
		if raw == nil || posting.Resigned || posting.Style != nil {
			n := n
			if posting.Style != nil {
				n.Style = posting.Style
			}
			var err error
			if raw, err = p.Emit(n); err != nil {
				log.Warn("notice not built", "error", err)
				return
			}
			if first == nil && posting.Style == nil {
				first = raw
			}
		}
		log.Debug("notice", "to", address)
		arrive := func() {
			if posting.Style != nil {
				// Its only error is that there is no mailbox, which has been logged.
				_ = to.store(address, posting.Folder, raw)
				return
			}
			to.incoming(transfer{from: p.ServiceAddress(), to: []string{address}, raw: raw, folder: posting.Folder})
		}
		switch {
		case posting.After > 0:
			p.network.clock.at(p.network.now().Add(posting.After), arrive)
		case posting.Last:
			p.network.queue.addLast(arrive)
		default:
			p.network.queue.add(arrive)
		}
	}
}

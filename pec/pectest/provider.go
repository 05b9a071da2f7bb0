package pectest

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strings"
	"sync"
)

// Provider is one PEC provider: access point, incoming point and delivery point together
// (RFC 6109, 2.2). It is safe for concurrent use.
type Provider struct {
	network *Network
	name    string
	domain  string
	opts    ProviderOptions
	leaf    *x509.Certificate
	key     crypto.Signer

	mailboxes []*mailbox
	service   *mailbox

	variantsMu sync.Mutex
	variants   map[Certificate][2]*x509.Certificate // leaf and issuer

	legs map[legKey]*leg

	smtp, starttls, imap *listener
	serving              sync.WaitGroup // the accept loops
}

// serviceKeep limits the service mailbox, because nobody empties it.
const serviceKeep = 1000

// InboxFolder and SentFolder are the folders of every mailbox; ProviderOptions.Sent can name
// another folder for sent mail. The server does not store sent mail unless
// ProviderOptions.SaveSent is set: clients APPEND it, as at most providers.
const (
	InboxFolder = "INBOX"
	SentFolder  = "Inviata"
)

func (n *Network) newProvider(index int, o ProviderOptions) (*Provider, error) {
	if o.Domain == "" || strings.ContainsAny(o.Domain, "@ \t\r\n") {
		return nil, fmt.Errorf("invalid domain %q: it must not be empty or hold @ or white space", o.Domain)
	}
	if n.ProviderOf("x@"+o.Domain) != nil {
		return nil, fmt.Errorf("domain %s is already taken", o.Domain)
	}
	p := &Provider{network: n, name: o.Name, domain: o.Domain, opts: o, legs: make(map[legKey]*leg)}
	if p.opts.MaxProduct == 0 {
		p.opts.MaxProduct = MaxMessageBytes
	}
	if p.opts.Separator == 0 {
		p.opts.Separator = '/'
	}
	if p.opts.Sent == "" {
		p.opts.Sent = SentFolder
	}
	if p.name == "" {
		p.name = o.Domain
	}
	for _, a := range o.Accounts {
		if err := p.addAccount(a); err != nil {
			return nil, err
		}
	}
	var err error
	p.service = newMailbox(Account{Address: p.ServiceMailbox(), Keep: serviceKeep}, &p.opts)
	if p.key, err = leafKey(index); err != nil {
		return nil, err
	}
	if p.leaf, err = n.ca.issue(p); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Provider) addAccount(a Account) error {
	parsed, err := mail.ParseAddress(a.Address)
	if err != nil || parsed.Address != a.Address {
		return fmt.Errorf("invalid address %q: want a bare address such as mario@%s", a.Address, p.domain)
	}
	if _, domain, _ := strings.Cut(a.Address, "@"); !strings.EqualFold(domain, p.domain) {
		return fmt.Errorf("address %s is not in the domain %s", a.Address, p.domain)
	}
	if a.Password == "" {
		return fmt.Errorf("account %s has no password", a.Address)
	}
	if a.Login == "" {
		a.Login = a.Address
	}
	if p.mailbox(a.Address) != nil || p.login(a.Login) != nil {
		return fmt.Errorf("account %s: its address or login %q is already taken", a.Address, a.Login)
	}
	p.mailboxes = append(p.mailboxes, newMailbox(a, &p.opts))
	return nil
}

// mailbox returns the mailbox with an address; nil when there is none.
func (p *Provider) mailbox(address string) *mailbox {
	if strings.EqualFold(address, p.ServiceMailbox()) {
		return p.service
	}
	for _, m := range p.mailboxes {
		if strings.EqualFold(m.account.Address, address) {
			return m
		}
	}
	return nil
}

// login returns the mailbox with a login name; nil when there is none.
func (p *Provider) login(name string) *mailbox {
	for _, m := range p.mailboxes {
		if m.account.Login == name {
			return m
		}
	}
	return nil
}

func (p *Provider) listen() error {
	if err := p.listenSMTP(); err != nil {
		return fmt.Errorf("SMTP of %s: %w", p.domain, err)
	}
	if err := p.listenIMAP(); err != nil {
		return fmt.Errorf("IMAP of %s: %w", p.domain, err)
	}
	return nil
}

func (p *Provider) close() error {
	var errs []error
	for _, l := range []*listener{p.smtp, p.starttls, p.imap} {
		if l != nil {
			errs = append(errs, l.shutdown())
		}
	}
	p.serving.Wait()
	return errors.Join(errs...)
}

// serve runs an accept loop until the listener is shut down.
func (p *Provider) serve(what string, loop func() error) {
	p.serving.Go(func() {
		if err := loop(); err != nil && !errors.Is(err, net.ErrClosed) {
			p.network.log.Warn("server stopped", "provider", p.domain, "server", what, "error", err)
		}
	})
}

// Name returns the descriptive name (gestore-emittente).
func (p *Provider) Name() string { return p.name }

// Domain returns the mail domain, which is also the service domain.
func (p *Provider) Domain() string { return p.domain }

// SMTPAddr returns the host:port of submission with implicit TLS.
func (p *Provider) SMTPAddr() string { return p.smtp.Addr().String() }

// SMTPStartTLSAddr returns the host:port of submission that begins in clear text and offers
// AUTH only after STARTTLS. Faults do not strike there.
func (p *Provider) SMTPStartTLSAddr() string { return p.starttls.Addr().String() }

// IMAPAddr returns the host:port of IMAP with implicit TLS.
func (p *Provider) IMAPAddr() string { return p.imap.Addr().String() }

// ServiceAddress returns the address that all notices and envelopes come from:
// posta-certificata@ the service domain (RFC 6109, 2.2.6).
func (p *Provider) ServiceAddress() string { return "posta-certificata@" + p.domain }

// ServiceMailbox returns the address of the mailbox for the take-in-charge and virus
// detection notices of other providers (mailReceipt, RFC 6109, 2.2.5). It has no login and
// keeps the last 1000 messages; [Provider.Messages] reads it.
func (p *Provider) ServiceMailbox() string { return "servizio-pec@" + p.domain }

// Leaf returns the provider's signing certificate (RFC 6109, 5.5).
func (p *Provider) Leaf() *x509.Certificate { return p.leaf }

// Messages returns the raw messages in a folder, in the order of arrival. It returns an error
// when the address or the folder does not exist. It does not go through IMAP and changes no
// flags.
func (p *Provider) Messages(address, folder string) ([][]byte, error) {
	m := p.mailbox(address)
	if m == nil {
		return nil, fmt.Errorf("pectest: %s has no mailbox %s", p.domain, address)
	}
	return m.messages(folder)
}

// Deliver puts raw bytes into a folder, unchanged and unchecked, so that a test can plant
// forged, foreign or damaged mail. It makes the folder when it does not exist, and returns
// an error for an unknown address.
func (p *Provider) Deliver(address, folder string, raw []byte) error {
	m := p.mailbox(address)
	if m == nil {
		return fmt.Errorf("pectest: %s has no mailbox %s", p.domain, address)
	}
	return m.deliver(folder, raw, p.network.now())
}

// ResetUIDs changes the UIDVALIDITY of a folder and the UIDs of its messages, as a server
// does after a restore from a backup, and cuts the connections that have it open. It
// returns an error when the address or the folder does not exist.
func (p *Provider) ResetUIDs(address, folder string) error {
	m := p.mailbox(address)
	if m == nil {
		return fmt.Errorf("pectest: %s has no mailbox %s", p.domain, address)
	}
	return m.renumber(folder)
}

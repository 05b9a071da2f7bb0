package pectest

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // Europe/Rome on machines without a zone database
)

// TB is the part of testing.TB that [Start] needs, so that programs can use
// this package without linking package testing.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
	Cleanup(func())
}

// Options configures a [Network]. A nil *Options is the default network.
type Options struct {
	// Providers lists the providers. Nil means two: alfa-pec.example with the
	// accounts mario@ and anna@, beta-pec.example with luigi@ and bruna@.
	Providers []ProviderOptions
	// Start is where the network's clock begins. Zero means now. A signature from
	// the future is refused by verifiers that keep to the machine's clock: a test
	// that will Advance by a day can start a day ago.
	Start time.Time
	// InMemory opens no ports: the servers are reached by [Network.DialContext]
	// alone, under names such as imap.alfa-pec.example:993. Within a bubble of
	// testing/synctest the network's clock is the bubble's, and hours pass in no
	// time. False listens on 127.0.0.1.
	InMemory bool
	// MachineSigningTime dates CMS signatures, and nothing else, by the machine's
	// clock, for verifiers whose clock cannot be moved: they will notice that the
	// times differ. False dates all by the network's clock.
	MachineSigningTime bool
	// NameConstraints limits the signing CA to the providers' domains, as AgID CA1 is
	// limited. False leaves it without.
	NameConstraints bool
	// Speed makes the clock run so many times as fast as the machine's. Zero means
	// 1.
	Speed int
	// Logger receives what happens inside, at Debug and Warn. Nil is silent.
	// Addresses appear at Debug only; bodies and passwords never.
	Logger *slog.Logger
}

// Network is a set of PEC providers that trust one signing CA. Make it with
// [Start] or [New]. Its methods may be called from several goroutines.
type Network struct {
	providers []*Provider
	ca        *authority
	tls       *tlsAuthority
	clock     *clock
	log       *slog.Logger
	machine   bool                       // Options.MachineSigningTime
	memory    map[string]*memoryListener // by address; nil for real ports
	queue     *queue
	began     time.Time // on the network's clock
	ids       *idSource

	mu       sync.Mutex
	outgoing []OrdinaryMessage
	fates    map[string]Fate
	routes   []*func(Notice) ([]Posting, bool)
	faults   []*func(Moment) *Fault
	revoked  []x509.RevocationListEntry
	lists    int64 // CRLs issued

	closeOnce sync.Once
	closeErr  error
}

// Start is [New] for tests: it fails tb on an error, and closes the network
// when the test ends.
func Start(tb TB, opts *Options) *Network {
	tb.Helper()
	n, err := New(opts)
	if err != nil {
		tb.Fatalf("pectest: %v", err)
		return nil
	}
	tb.Cleanup(func() {
		if err := n.Close(); err != nil {
			tb.Logf("pectest: close: %v", err)
		}
	})
	return n
}

// New starts a network; the caller must Close it. It fails on contradictory
// options and when no port or key can be had.
func New(opts *Options) (*Network, error) {
	if opts == nil {
		opts = &Options{}
	}
	n := &Network{log: opts.Logger, machine: opts.MachineSigningTime, fates: make(map[string]Fate)}
	if opts.InMemory {
		n.memory = make(map[string]*memoryListener)
	}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	providers := opts.Providers
	if providers == nil {
		providers = defaultProviders()
	}
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		return nil, fmt.Errorf("pectest: legal time: %w", err)
	}
	if n.ids, err = newIDSource(); err != nil {
		return nil, err
	}
	if n.tls, err = newTLSAuthority(); err != nil {
		return nil, err
	}
	n.queue = newQueue()
	n.clock = newClock(n.queue, rome, opts.Start, opts.Speed)
	n.began = n.now()
	var permitted []string
	if opts.NameConstraints {
		for _, po := range providers {
			permitted = append(permitted, po.Domain)
		}
	}
	if n.ca, err = newAuthority(n.began, permitted); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	for i, po := range providers {
		p, err := n.newProvider(i, po)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("pectest: provider %d: %w", i, err), n.Close())
		}
		n.providers = append(n.providers, p)
	}
	// Listening comes last: a session may ask for any provider of the network.
	for _, p := range n.providers {
		if err := p.listen(); err != nil {
			return nil, errors.Join(fmt.Errorf("pectest: %w", err), n.Close())
		}
	}
	return n, nil
}

// Close ends all connections, processes what was already handed in, and
// returns when every goroutine of the network has ended its work. It may be
// called more than once. Mailboxes can still be read afterwards.
func (n *Network) Close() error {
	n.closeOnce.Do(func() {
		var errs []error
		for _, p := range n.providers {
			errs = append(errs, p.close())
		}
		n.clock.close()
		n.queue.close()
		n.closeErr = errors.Join(errs...)
	})
	return n.closeErr
}

// Idle blocks until every message that a provider answered with 250 has been
// processed: all notices are in their mailboxes, all ordinary mail has left. It
// returns the error of ctx when that ends first.
func (n *Network) Idle(ctx context.Context) error { return n.queue.idle(ctx) }

// Providers gives the providers in the order of the options.
func (n *Network) Providers() []*Provider { return slices.Clone(n.providers) }

// ProviderOf gives the provider that manages the domain of address, or nil: then
// the address is ordinary mail. Domains are compared without regard to case
// (RFC 6109, 2.2.1).
func (n *Network) ProviderOf(address string) *Provider {
	_, domain, ok := strings.Cut(address, "@")
	if !ok {
		return nil
	}
	for _, p := range n.providers {
		if strings.EqualFold(p.domain, domain) {
			return p
		}
	}
	return nil
}

// Accounts gives all accounts, provider by provider.
func (n *Network) Accounts() []Account {
	var all []Account
	for _, p := range n.providers {
		for _, m := range p.mailboxes {
			all = append(all, m.account)
		}
	}
	return all
}

// Account gives the account of an address, compared without regard to case, and
// whether there is one.
func (n *Network) Account(address string) (Account, bool) {
	p := n.ProviderOf(address)
	if p == nil {
		return Account{}, false
	}
	m := p.mailbox(address)
	if m == nil || m == p.service {
		return Account{}, false
	}
	return m.account, true
}

// TLSRoots gives the root that the SMTP and IMAP servers' certificates chain
// to. It is not the signing CA: trust in a server proves nothing about a notice.
func (n *Network) TLSRoots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(n.tls.root)
	return pool
}

// TLSRootPEM gives the certificate of [Network.TLSRoots] in PEM.
func (n *Network) TLSRootPEM() []byte { return certificatePEM(n.tls.root) }

// SigningCA gives the CA that issued every provider's signing certificate
// directly: the anchor for a verifier, in the place of AgID CA1. Each network
// has its own key.
func (n *Network) SigningCA() *x509.Certificate { return n.ca.cert }

// ordinaryKeep bounds what nobody takes away.
const ordinaryKeep = 1000

// OrdinaryMail gives what left for ordinary recipients so far, oldest first: the
// last 1000 messages.
func (n *Network) OrdinaryMail() []OrdinaryMessage {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.outgoing)
}

func (n *Network) sendOrdinary(m OrdinaryMessage) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.outgoing = append(n.outgoing, m)
	if len(n.outgoing) > ordinaryKeep {
		n.outgoing = slices.Delete(n.outgoing, 0, 1)
	}
}

// Now gives the network's time: legal Italian time (RFC 6109, 4.2) with the
// precision of the certification data, one second. After [Network.Advance] it is
// the clock that a verifier must be given, for signatures are dated by it.
func (n *Network) Now() time.Time { return n.now() }

// Advance moves the network's clock forward by d. What becomes due on the way
// happens at its own time, and all of it has been processed when Advance returns.
// A verifier refuses notices of its future: give it, and the Client, Network.Now for a
// clock, or let the network begin in the past (Options.Start).
func (n *Network) Advance(d time.Duration) { n.clock.advance(d) }

func (n *Network) now() time.Time { return n.clock.now() }

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

// TB is the part of testing.TB that [Start] needs. It lets programs use this package
// without linking package testing.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
	Cleanup(func())
}

// Options are the optional settings of a [Network]. Nil is the zero value.
type Options struct {
	// Providers lists the providers. Nil means two: alfa-pec.example with the
	// accounts mario@ and anna@, beta-pec.example with luigi@ and bruna@.
	Providers []ProviderOptions
	// Start is the first time of the network's clock. Zero means now. A verifier that uses
	// the machine's clock refuses signatures from the future, so a test that will Advance by
	// a day can start a day ago.
	Start time.Time
	// InMemory opens no ports: only [Network.DialContext] reaches the servers, under names
	// such as imap.alfa-pec.example:993. In a bubble of testing/synctest the network uses
	// the bubble's clock, and hours pass in no time. False listens on 127.0.0.1.
	InMemory bool
	// MachineSigningTime dates CMS signatures, and nothing else, by the machine's clock. It
	// is for verifiers whose clock cannot be moved; they warn that the times differ. False
	// dates everything by the network's clock.
	MachineSigningTime bool
	// NameConstraints limits the signing CA to the providers' domains, as AgID CA1 is
	// limited. False sets no limit.
	NameConstraints bool
	// Speed is how many times as fast as the machine's clock the network's clock runs. Zero
	// means 1.
	Speed int
	// Logger logs what happens in the network, at Debug and Warn; nil means silent.
	// Addresses appear only at Debug; bodies and passwords never.
	Logger *slog.Logger
}

// Network is a set of PEC providers that trust one signing CA. [Start] and [New] make one.
// It is safe for concurrent use.
type Network struct {
	providers []*Provider
	ca        *authority
	tls       *tlsAuthority
	clock     *clock
	log       *slog.Logger
	machine   bool                       // Options.MachineSigningTime
	memory    map[string]*memoryListener // by address; nil for real ports
	queue     *queue
	began     time.Time // when New ran, on the network's clock
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

// Start is [New] for tests. It fails tb on an error, and closes the network when the test
// ends.
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

// New starts a network, which the caller must Close. It returns an error when the options
// contradict each other, or when a port or a key cannot be made.
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
	// Listen last, because a session may ask for any provider of the network.
	for _, p := range n.providers {
		if err := p.listen(); err != nil {
			return nil, errors.Join(fmt.Errorf("pectest: %w", err), n.Close())
		}
	}
	return n, nil
}

// Close ends all connections, processes the messages already handed in, and returns when
// every goroutine of the network has ended. It may be called more than once. Provider.Messages
// still works afterwards.
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

// Idle blocks until every message that a provider answered with 250 has been processed: the
// notices due by now are in their mailboxes, and ordinary mail has left. It returns the
// error of ctx when that ends first.
func (n *Network) Idle(ctx context.Context) error { return n.queue.idle(ctx) }

// Providers returns the providers in the order of the options.
func (n *Network) Providers() []*Provider { return slices.Clone(n.providers) }

// ProviderOf returns the provider that manages the domain of an address; nil when the
// address is ordinary mail. Domains are compared without regard to case (RFC 6109, 2.2.1).
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

// Accounts returns all accounts, provider by provider.
func (n *Network) Accounts() []Account {
	var all []Account
	for _, p := range n.providers {
		for _, m := range p.mailboxes {
			all = append(all, m.account)
		}
	}
	return all
}

// Account returns the account of an address, compared without regard to case, and whether
// there is one.
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

// TLSRoots returns the root of the SMTP and IMAP servers' certificates. It is not the
// signing CA: trust in a server proves nothing about a notice.
func (n *Network) TLSRoots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(n.tls.root)
	return pool
}

// TLSRootPEM returns the certificate of [Network.TLSRoots] in PEM.
func (n *Network) TLSRootPEM() []byte { return certificatePEM(n.tls.root) }

// SigningCA returns the CA that directly issued every provider's signing certificate. It is
// the anchor for a verifier, in place of AgID CA1. Each network has its own key.
func (n *Network) SigningCA() *x509.Certificate { return n.ca.cert }

// ordinaryKeep limits the ordinary mail that is kept, because nobody removes it.
const ordinaryKeep = 1000

// OrdinaryMail returns the last 1000 messages that left for ordinary recipients, oldest
// first.
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

// Now returns the network's time: legal Italian time (RFC 6109, 4.2) with the precision of
// the certification data, one second. Signatures are dated by it, so a verifier needs it as
// its clock after [Network.Advance].
func (n *Network) Now() time.Time { return n.now() }

// Advance moves the network's clock forward by d. What becomes due on the way happens at
// its own time, and has been processed when Advance returns. A verifier refuses notices from
// its future: use Network.Now as the clock of the verifier and of the client, or let the
// network begin in the past (Options.Start).
func (n *Network) Advance(d time.Duration) { n.clock.advance(d) }

func (n *Network) now() time.Time { return n.clock.now() }

package pec_test

import (
	"context"
	"crypto/tls"
	"errors"
	stdsync "sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/smtpclient"
)

// clock is a clock that tests move.
type clock struct {
	mu  stdsync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newClock() *clock { return &clock{now: time.Now()} }

// wrong is an office with the same store and provider on a machine whose clock is wrong.
func (o *office) wrong(t *testing.T, by time.Duration) *office {
	t.Helper()
	w := open(t, o.network, o.ports, o.store, nil)
	w.clock.now = o.clock.Now().Add(by)
	return w
}

// office is a Client with its ports in memory.
type office struct {
	*pec.Client
	*ports
	clock   *clock
	store   pec.Store
	network *pectest.Network
}

func (o *office) state(t *testing.T, id string) pec.State { return stateOf(t, o.Client, id) }

func (o *office) retry(t *testing.T) []pec.Event {
	t.Helper()
	var events []pec.Event
	for e, err := range o.Retry(t.Context()) {
		require.NoError(t, err)
		events = append(events, e)
	}
	return events
}

func (o *office) find(t *testing.T, f pec.Filter) []string {
	t.Helper()
	var ids []string
	for s, err := range o.Find(t.Context(), pec.Query{Filter: f}) {
		require.NoError(t, err)
		ids = append(ids, s.MessageID)
	}
	return ids
}

// lift reads the mailbox late enough.
func (o *office) lift(t *testing.T) {
	t.Helper()
	o.clock.advance(time.Hour)
	sync(t, o.Client)
}

// open makes an office whose store and provider may be those of another.
func open(t *testing.T, network *pectest.Network, p *ports, store pec.Store, opts *pec.Options) *office {
	t.Helper()
	o := &office{ports: p, clock: newClock(), store: store, network: network}
	if opts == nil {
		opts = &pec.Options{}
	}
	if opts.Now == nil {
		opts.Now = o.clock.Now
	}
	opts.Store = store
	v, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(network.SigningCA())}, &envelope.VerifierOptions{Now: opts.Now})
	require.NoError(t, err)
	o.Client, err = pec.New(me, p, p, v, opts)
	require.NoError(t, err)
	return o
}

func newOffice(t *testing.T) *office {
	t.Helper()
	return open(t, pectest.Start(t, nil), &ports{outcome: pec.OutcomeSubmitted}, pec.NewMemory(), nil)
}

func newClient(t *testing.T, p *ports, n *pectest.Network) *pec.Client {
	t.Helper()
	v, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(n.SigningCA())}, nil)
	require.NoError(t, err)
	c, err := pec.New(me, p, p, v, nil)
	require.NoError(t, err)
	return c
}

// desk is a Client on a store that others use too.
func desk(t *testing.T, n *pectest.Network, s pec.Submitter, m pec.Mailbox, store pec.Store, now func() time.Time) *pec.Client {
	t.Helper()
	v, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(n.SigningCA())}, &envelope.VerifierOptions{Now: now})
	require.NoError(t, err)
	c, err := pec.New(me, s, m, v, &pec.Options{Store: store, Now: now})
	require.NoError(t, err)
	return c
}

// growthOffice is a client whose store counts.
func growthOffice(tb testing.TB, n *pectest.Network) (*pec.Client, *ports, *countingStore) {
	tb.Helper()
	v, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(n.SigningCA())}, nil)
	require.NoError(tb, err)
	p, s := &ports{outcome: pec.OutcomeSubmitted}, &countingStore{Store: pec.NewMemory()}
	c, err := pec.New(me, p, p, v, &pec.Options{Store: s, Limits: roomy})
	require.NoError(tb, err)
	return c, p, s
}

var roomy = pec.Limits{Product: 1 << 50, Recipients: 1 << 30}

// overSockets is a Client of the network's first account, on real protocols and
// on the network's clock.
func overSockets(t *testing.T, n *pectest.Network) *pec.Client {
	t.Helper()
	provider, account := n.Providers()[0], n.Accounts()[0]
	login, trust := pec.Password(account.Login, account.Password), &tls.Config{RootCAs: n.TLSRoots()}
	submitter, err := smtpclient.New(provider.SMTPAddr(), login, &smtpclient.Options{TLS: trust})
	require.NoError(t, err)
	mailbox, err := imapclient.New(provider.IMAPAddr(), login, &imapclient.Options{TLS: trust})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mailbox.Close()) })
	v, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(n.SigningCA())}, &envelope.VerifierOptions{Now: n.Now})
	require.NoError(t, err)
	c, err := pec.New(account.Address, submitter, mailbox, v, &pec.Options{Now: n.Now})
	require.NoError(t, err)
	return c
}

func diffida(key string) pec.Message {
	return pec.Message{To: []string{luigi}, Subject: "Diffida", Text: "Entro dieci giorni.", Key: key}
}

func sent(t *testing.T, c *pec.Client) string {
	t.Helper()
	id, err := c.Send(t.Context(), pec.Message{To: []string{luigi}, Subject: "Diffida"})
	require.NoError(t, err)
	return id
}

func sync(t *testing.T, c *pec.Client) []pec.Event {
	t.Helper()
	var events []pec.Event
	for e, err := range c.Sync(t.Context()) {
		require.NoError(t, err)
		events = append(events, e)
	}
	return events
}

func watchFor(ctx context.Context, c *pec.Client, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for range c.Watch(ctx) {
	}
}

func proven(t *testing.T, o *office) (events []pec.Event) {
	t.Helper()
	for e, err := range o.Reverify(t.Context()) {
		require.NoError(t, err)
		events = append(events, e)
	}
	return events
}

func stateOf(t *testing.T, c *pec.Client, id string) pec.State {
	t.Helper()
	s, err := c.Status(t.Context(), id)
	require.NoError(t, err)
	return s.Recipients[0].State
}

func outcomeOf(t *testing.T, err error) pec.OutcomeKind {
	t.Helper()
	var failed *pec.SendError
	require.ErrorAs(t, err, &failed)
	return failed.Outcome.Kind
}

func attempts(t *testing.T, c *pec.Client, id string) (count int) {
	t.Helper()
	facts, err := c.Facts(t.Context(), id)
	require.NoError(t, err)
	for _, f := range facts {
		if _, ok := f.(pec.Attempt); ok {
			count++
		}
	}
	return count
}

var errEnded = errors.New("the process ends")

// emit makes a genuine notice about the message id of sender.
func emit(t *testing.T, p *pectest.Provider, kind, sender, id, recipient string) []byte {
	t.Helper()
	raw, err := p.Emit(pectest.Notice{
		Kind: kind, Sender: sender, MessageID: "<" + id + ">", CertID: "p1@alfa-pec.example", Delivered: recipient,
		Recipients: []pectest.Recipient{{Address: luigi}},
	})
	require.NoError(t, err)
	return raw
}

// bounceMail is an anomaly envelope around a notification about a send of ours.
func bounceMail(tb testing.TB, n *pectest.Network, id, groups string) []byte {
	tb.Helper()
	raw, err := n.Providers()[0].Emit(pectest.Notice{
		Kind: pectest.KindAnomaly, Sender: "MAILER-DAEMON@example.org", Recipients: []pectest.Recipient{{Address: me}},
		Original: []byte(crlf("Content-Type: multipart/report; boundary=r\n\n--r\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n" + groups +
			"--r\nContent-Type: text/rfc822-headers\n\nX-Riferimento-Message-ID: <" + id + ">\n--r--\n")),
	})
	require.NoError(tb, err)
	return raw
}

package pec_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/smtpclient"
)

// clock is a clock that tests advance.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now()} }

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

// office is a Client with its ports in memory and a clock of its own.
type office struct {
	*pec.Client
	*ports
	clock   *clock
	store   pec.Store
	network *pectest.Network
}

// newOffice returns an office on an empty store, whose provider takes every message.
func newOffice(t *testing.T) *office {
	t.Helper()
	return openOffice(t, pectest.Start(t, nil), &ports{outcome: pec.OutcomeSubmitted}, pec.NewMemory(), nil)
}

// openOffice returns an office whose ports and store may be those of another office: it
// is then a second process on the same mailbox. opts may be nil.
func openOffice(t *testing.T, network *pectest.Network, p *ports, store pec.Store, opts *pec.Options) *office {
	t.Helper()
	o := &office{ports: p, clock: newClock(), store: store, network: network}
	if opts == nil {
		opts = &pec.Options{}
	}
	if opts.Now == nil {
		opts.Now = o.clock.Now
	}
	opts.Store = store
	o.Client = newClient(t, network, p, p, opts)
	return o
}

// withWrongClock returns an office on the same store and provider, on a machine whose
// clock differs by the given time.
func (o *office) withWrongClock(t *testing.T, by time.Duration) *office {
	t.Helper()
	w := openOffice(t, o.network, o.ports, o.store, nil)
	w.clock.now = o.clock.Now().Add(by)
	return w
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

func (o *office) reverify(t *testing.T) (events []pec.Event) {
	t.Helper()
	for e, err := range o.Reverify(t.Context()) {
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

// liftHold reads the mailbox so long after a restoration that nothing is held any more.
func (o *office) liftHold(t *testing.T) {
	t.Helper()
	o.clock.advance(time.Hour)
	syncAll(t, o.Client)
}

// newClient returns a Client of the address me that trusts the network. Its verifier uses
// the clock of opts, which may be nil.
func newClient(t *testing.T, n *pectest.Network, s pec.Submitter, m pec.Mailbox, opts *pec.Options) *pec.Client {
	t.Helper()
	var now func() time.Time
	if opts != nil {
		now = opts.Now
	}
	c, err := pec.New(me, s, m, trusttest.Verifier(t, n, &envelope.VerifierOptions{Now: now}), opts)
	require.NoError(t, err)
	return c
}

// newWorker returns a Client on a store that other Clients use too.
func newWorker(t *testing.T, n *pectest.Network, s pec.Submitter, m pec.Mailbox, store pec.Store, now func() time.Time) *pec.Client {
	t.Helper()
	return newClient(t, n, s, m, &pec.Options{Store: store, Now: now})
}

// newCountingClient returns a Client that refuses no message for its size, with its ports
// and its store, which counts what is read.
func newCountingClient(tb testing.TB, n *pectest.Network) (*pec.Client, *ports, *countingStore) {
	tb.Helper()
	p, s := &ports{outcome: pec.OutcomeSubmitted}, &countingStore{Store: pec.NewMemory()}
	c, err := pec.New(me, p, p, trusttest.Verifier(tb, n, nil), &pec.Options{
		Store: s, Limits: pec.Limits{SizeTimesRecipients: 1 << 50, Recipients: 1 << 30},
	})
	require.NoError(tb, err)
	return c, p, s
}

// overSockets returns a Client of the network's first account, on real protocols and on
// the network's clock.
func overSockets(t *testing.T, n *pectest.Network) *pec.Client {
	t.Helper()
	alfa, account := n.Providers()[0], n.Accounts()[0]
	login := pec.Password(account.Login, account.Password)
	submitter, err := smtpclient.New(alfa.SMTPAddr(), login, &smtpclient.Options{TLS: trusttest.TLS(n)})
	require.NoError(t, err)
	mailbox, err := imapclient.New(alfa.IMAPAddr(), login, &imapclient.Options{TLS: trusttest.TLS(n)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mailbox.Close()) })
	v := trusttest.Verifier(t, n, &envelope.VerifierOptions{Now: n.Now})
	c, err := pec.New(account.Address, submitter, mailbox, v, &pec.Options{Now: n.Now})
	require.NoError(t, err)
	return c
}

// diffida is a message to luigi. An empty key is none.
func diffida(key string) pec.Message {
	return pec.Message{To: []string{luigi}, Subject: "Diffida", Text: "Entro dieci giorni.", Key: key}
}

// sendOne sends a message to luigi and returns its Message-ID.
func sendOne(t *testing.T, c *pec.Client) string {
	t.Helper()
	id, err := c.Send(t.Context(), pec.Message{To: []string{luigi}, Subject: "Diffida"})
	require.NoError(t, err)
	return id
}

// syncAll reads the mailbox, which must not fail, and returns the events.
func syncAll(t *testing.T, c *pec.Client) []pec.Event {
	t.Helper()
	var events []pec.Event
	for e, err := range c.Sync(t.Context()) {
		require.NoError(t, err)
		events = append(events, e)
	}
	return events
}

// watchFor watches the mailbox for the given time.
func watchFor(ctx context.Context, c *pec.Client, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for range c.Watch(ctx) {
	}
}

// stateOf returns the state of the first recipient of a send.
func stateOf(t *testing.T, c *pec.Client, id string) pec.State {
	t.Helper()
	s, err := c.Status(t.Context(), id)
	require.NoError(t, err)
	return s.Recipients[0].State
}

// outcomeOf returns the outcome in a *pec.SendError.
func outcomeOf(t *testing.T, err error) pec.OutcomeKind {
	t.Helper()
	var failed *pec.SendError
	require.ErrorAs(t, err, &failed)
	return failed.Outcome.Kind
}

// countAttempts returns how many attempts of a send are recorded.
func countAttempts(t *testing.T, c *pec.Client, id string) (count int) {
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

// errEnded is the panic of a process that ends in the middle of an attempt.
var errEnded = errors.New("the process ends")

// emit returns a genuine notice about the message id of sender.
func emit(t *testing.T, p *pectest.Provider, kind, sender, id, recipient string) []byte {
	t.Helper()
	raw, err := p.Emit(pectest.Notice{
		Kind: kind, Sender: sender, MessageID: "<" + id + ">", CertID: "p1@alfa-pec.example", Delivered: recipient,
		Recipients: []pectest.Recipient{{Address: luigi}},
	})
	require.NoError(t, err)
	return raw
}

// bounceMail returns an anomaly envelope around a delivery status notification about a
// send of ours. Groups are its recipients.
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

package pec_test

import (
	"context"
	"errors"
	"io"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// clock is a clock that tests move.
type clock struct {
	mu  stdsync.Mutex
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

// office is a Client with its ports in memory.
type office struct {
	*pec.Client
	*ports
	clock   *clock
	store   pec.Store
	network *pectest.Network
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

func outcomeOf(t *testing.T, err error) pec.OutcomeKind {
	t.Helper()
	var failed *pec.SendError
	require.ErrorAs(t, err, &failed)
	return failed.Outcome.Kind
}

func diffida(key string) pec.Message {
	return pec.Message{To: []string{luigi}, Subject: "Diffida", Text: "Entro dieci giorni.", Key: key}
}

func TestAKeySendsOnce(t *testing.T) {
	o := newOffice(t)
	first, err := o.Send(t.Context(), diffida("invoice 12"))
	require.NoError(t, err)
	again, err := o.Send(t.Context(), diffida("invoice 12"))
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Len(t, o.submitted, 1)
	id, err := o.MessageID(t.Context(), "invoice 12")
	require.NoError(t, err)
	require.Equal(t, first, id)
	_, err = o.MessageID(t.Context(), "invoice 13")
	require.ErrorIs(t, err, pec.ErrUnknownSend)

	// After a restart too, and for another worker.
	other := open(t, o.network, o.ports, o.store, nil)
	again, err = other.Send(t.Context(), diffida("invoice 12"))
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Len(t, o.submitted, 1)
}

func TestAKeyStandsForOneRequest(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	changed := map[string]func(*pec.Message){
		"to":         func(m *pec.Message) { m.To = []string{bruna} },
		"cc":         func(m *pec.Message) { m.Cc = []string{bruna} },
		"subject":    func(m *pec.Message) { m.Subject = "Diffida bis" },
		"text":       func(m *pec.Message) { m.Text = "Entro venti giorni." },
		"attachment": func(m *pec.Message) { m.Attachments = []pec.Attachment{{Name: "a", Content: strings.NewReader("x")}} },
	}
	for name, change := range changed {
		m := diffida("k")
		change(&m)
		_, err := o.Send(t.Context(), m)
		var taken *pec.KeyError
		require.ErrorAs(t, err, &taken, name)
		require.Equal(t, id, taken.MessageID)
	}
	require.Len(t, o.submitted, 1)
}

func TestManyWorkersSendAKeyOnce(t *testing.T) {
	o := newOffice(t)
	var wait stdsync.WaitGroup
	ids := make([]string, 16)
	for i := range ids {
		wait.Go(func() {
			worker := open(t, o.network, o.ports, o.store, nil)
			// Who comes second meets an attempt under way, or its success.
			id, err := worker.Send(t.Context(), diffida("k"))
			if err != nil {
				require.Equal(t, pec.OutcomeUncertain, outcomeOf(t, err))
			}
			ids[i] = id
		})
	}
	wait.Wait()
	require.Len(t, o.submitted, 1)
	for _, id := range ids {
		require.Equal(t, ids[0], id)
	}
}

func TestATemporaryErrorIsRetriedLaterAndGivenUpInTheEnd(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeTemporary
	id, err := o.Send(t.Context(), diffida(""))
	require.Equal(t, pec.OutcomeTemporary, outcomeOf(t, err))
	require.Equal(t, pec.StateRetrying, o.state(t, id))
	require.Empty(t, o.retry(t), "not yet")
	o.clock.advance(time.Minute)
	require.Len(t, o.retry(t), 1)
	o.clock.advance(time.Minute)
	require.Empty(t, o.retry(t), "the pause grows")
	o.clock.advance(time.Minute)
	require.Len(t, o.retry(t), 1)
	require.Len(t, o.submitted, 3)
	for _, s := range o.submitted {
		require.Equal(t, o.submitted[0].raw, s.raw, "the same bytes")
	}

	hours := 0
	for ended := false; !ended; hours++ {
		o.clock.advance(time.Hour)
		for _, e := range o.retry(t) {
			ended = e.Outcome.Kind == pec.OutcomeRefused
		}
	}
	require.Equal(t, 25, hours)
	require.Len(t, o.submitted, 3+24)
	require.Equal(t, pec.StateRefused, o.state(t, id))
	o.clock.advance(24 * time.Hour)
	require.Empty(t, o.retry(t))
	require.Equal(t, []string{id}, o.find(t, pec.FilterFailed))
}

func TestARetryThatIsTakenEndsIt(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeTemporary
	id, err := o.Send(t.Context(), diffida("k"))
	require.Error(t, err)
	o.outcome = pec.OutcomeSubmitted
	again, err := o.Send(t.Context(), diffida("k"))
	require.NoError(t, err, "an explicit call does not wait")
	require.Equal(t, id, again)
	o.clock.advance(time.Hour)
	require.Empty(t, o.retry(t))
	require.Len(t, o.submitted, 2)
	require.Equal(t, []string{id}, o.find(t, pec.FilterOpen))
}

// The process ended between the wire and the record of the outcome.
func TestAnAttemptWithoutOutcomeIsNeverRepeated(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	half := pec.NewMemory()
	for e, err := range o.store.Changes(t.Context(), me, "") {
		require.NoError(t, err)
		if strings.HasPrefix(e.Key, "outcome") {
			continue
		}
		raw, err := o.store.Raw(t.Context(), me, e.Key)
		if err == nil {
			text, err := io.ReadAll(raw)
			require.NoError(t, err)
			e.Raw = io.NewSectionReader(strings.NewReader(string(text)), 0, int64(len(text)))
		}
		_, err = half.Append(t.Context(), me, e)
		require.NoError(t, err)
	}
	after := open(t, o.network, o.ports, half, nil)
	require.Equal(t, pec.StateUncertain, after.state(t, id))
	_, err = after.Send(t.Context(), diffida("k"))
	require.Equal(t, pec.OutcomeUncertain, outcomeOf(t, err))
	after.clock.advance(48 * time.Hour)
	require.Empty(t, after.retry(t))
	require.Len(t, o.submitted, 1)
	require.Equal(t, []string{id}, after.find(t, pec.FilterUncertain))

	require.ErrorIs(t, after.Cancel(t.Context(), id), pec.ErrNotOpen)
	require.NoError(t, after.ResolveUnsent(t.Context(), id, "not in the web mail"))
	require.Equal(t, pec.StateRefused, after.state(t, id))
	after.clock.advance(48 * time.Hour)
	require.Empty(t, after.retry(t))
	require.ErrorIs(t, after.ResolveSent(t.Context(), id, ""), pec.ErrNotUncertain)
}

func TestAnAttemptThatMayBeUnderWayIsNotResolved(t *testing.T) {
	o := newOffice(t)
	var id string
	o.during = func(s pec.Submission) {
		other := open(t, o.network, o.ports, o.store, nil)
		for s, err := range other.Find(t.Context(), pec.Query{Filter: pec.FilterUncertain}) {
			require.NoError(t, err)
			id = s.MessageID
		}
		require.NotEmpty(t, id)
		require.ErrorIs(t, other.ResolveUnsent(t.Context(), id, ""), pec.ErrUnderWay)
		_, err := other.Send(t.Context(), diffida("k"))
		require.Equal(t, pec.OutcomeUncertain, outcomeOf(t, err))
	}
	sent, err := o.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	require.Equal(t, id, sent)
	require.Len(t, o.submitted, 1)
}

func TestResendOnlyAfterADefiniteFailure(t *testing.T) {
	o := newOffice(t)
	first, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	var refused *pec.ResendError
	_, err = o.Resend(t.Context(), first, diffida(""))
	require.ErrorAs(t, err, &refused)
	require.Equal(t, pec.StateSubmitted, refused.State)

	p := o.network.Providers()[0]
	o.inbox = [][]byte{emit(t, p, pectest.KindNonDelivery, me, first, luigi)}
	sync(t, o.Client)
	require.Equal(t, pec.StateFailed, o.state(t, first))
	second, err := o.Resend(t.Context(), first, diffida(""))
	require.NoError(t, err)
	require.NotEqual(t, first, second)
	require.Len(t, o.submitted, 2)
	_, err = o.Resend(t.Context(), first, diffida(""))
	require.ErrorAs(t, err, &refused)
	require.Equal(t, second, refused.By)
	require.Len(t, o.submitted, 2)

	s, err := o.Status(t.Context(), second)
	require.NoError(t, err)
	require.Equal(t, first, s.Resends)
	s, err = o.Status(t.Context(), first)
	require.NoError(t, err)
	require.Empty(t, s.Flags)
	// The first one arrives after all.
	o.inbox = append(o.inbox, emit(t, p, pectest.KindDelivery, me, first, luigi))
	sync(t, o.Client)
	s, err = o.Status(t.Context(), first)
	require.NoError(t, err)
	require.True(t, s.Has(pec.FlagDuplicateSend))
	require.Equal(t, pec.StateDelivered, s.Recipients[0].State)
}

func TestARefusedLoginSuspendsTheMailboxForEverybody(t *testing.T) {
	o := newOffice(t)
	refusal := &pec.LoginError{Server: "smtp:465", Reply: "535 no"}
	o.during = func(pec.Submission) { o.err = refusal }
	o.outcome = pec.OutcomeAuthentication
	id, err := o.Send(t.Context(), diffida(""))
	var suspended *pec.SuspendedError
	require.ErrorAs(t, err, &suspended)
	require.ErrorIs(t, err, refusal)
	require.Equal(t, pec.StateSuspended, o.state(t, id))

	o.during, o.outcome, o.err = nil, pec.OutcomeSubmitted, nil
	worker := open(t, o.network, o.ports, o.store, nil)
	worker.clock.advance(2 * time.Hour)
	for name, call := range map[string]func() error{
		"send":  func() error { _, err := worker.Send(t.Context(), diffida("other")); return err },
		"wait":  func() error { return worker.Client.Wait(t.Context()) },
		"sync":  func() error { return last(worker.Sync(t.Context())) },
		"retry": func() error { return last(worker.Retry(t.Context())) },
		"prove": func() error { return last(worker.SearchNotices(t.Context(), id)) },
		"watch": func() error { return last(worker.Watch(t.Context())) },
	} {
		require.ErrorAs(t, call(), &suspended, name)
	}
	require.Len(t, o.submitted, 1)
	require.Zero(t, o.fetches)
	other, err := worker.MessageID(t.Context(), "other")
	require.NoError(t, err, "it is recorded")
	require.Equal(t, pec.StateSuspended, worker.state(t, other))

	require.NoError(t, o.Resume(t.Context()))
	require.Equal(t, pec.StateRetrying, worker.state(t, id))
	worker.clock.advance(time.Minute)
	require.Len(t, worker.retry(t), 2)
	require.Len(t, o.submitted, 3)
	require.NoError(t, o.Resume(t.Context()), "nothing to resume")
	s, err := o.Suspended(t.Context())
	require.NoError(t, err)
	require.Nil(t, s)
}

// last is the error that ends an iteration.
func last[T any](seq func(func(T, error) bool)) (err error) {
	seq(func(_ T, e error) bool {
		err = e
		return true
	})
	return err
}

func TestARefusedIMAPLoginSuspendsToo(t *testing.T) {
	o := newOffice(t)
	o.fetchErr = &pec.LoginError{Server: "imap:993", Reply: "NO"}
	var suspended *pec.SuspendedError
	require.ErrorAs(t, last(o.Sync(t.Context())), &suspended)
	_, err := o.Send(t.Context(), diffida(""))
	require.ErrorAs(t, err, &suspended)
	require.Empty(t, o.submitted)
}

// The disk is full when the outcome is to be recorded.
func TestAnOutcomeThatCannotBeRecordedIsTold(t *testing.T) {
	o := newOffice(t)
	broken := errors.New("disk full")
	store := &failingStore{Store: o.store, fail: func(e pec.Entry) error {
		if strings.HasPrefix(e.Key, "outcome") {
			return broken
		}
		return nil
	}}
	c := open(t, o.network, o.ports, store, nil)
	id, err := c.Send(t.Context(), diffida("k"))
	var failed *pec.SendError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, pec.OutcomeSubmitted, failed.Outcome.Kind)
	require.ErrorIs(t, err, broken)
	require.Equal(t, pec.StateUncertain, c.state(t, id))
	_, err = c.Send(t.Context(), diffida("k"))
	require.Equal(t, pec.OutcomeUncertain, outcomeOf(t, err))
	require.Len(t, o.submitted, 1)
}

// Nothing leaves that is not recorded.
func TestNothingLeavesUnrecorded(t *testing.T) {
	for _, step := range []string{"intent", "attempt"} {
		o := newOffice(t)
		broken := errors.New("disk full")
		store := &failingStore{Store: o.store, fail: func(e pec.Entry) error {
			if strings.HasPrefix(e.Key, step) {
				return broken
			}
			return nil
		}}
		c := open(t, o.network, o.ports, store, nil)
		_, err := c.Send(t.Context(), diffida("k"))
		var failed *pec.StoreError
		require.ErrorAs(t, err, &failed)
		require.ErrorIs(t, err, broken)
		require.Empty(t, o.submitted, step)
	}
}

// failingStore decorates a Store.
type failingStore struct {
	pec.Store
	fail func(pec.Entry) error
}

func (s *failingStore) Append(ctx context.Context, mailbox string, entries ...pec.Entry) (bool, error) {
	for _, e := range entries {
		if err := s.fail(e); err != nil {
			return false, err
		}
	}
	return s.Store.Append(ctx, mailbox, entries...)
}

func TestACancelledSendIsNeverOffered(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeTemporary
	id, err := o.Send(t.Context(), diffida(""))
	require.Error(t, err)
	require.NoError(t, o.Cancel(t.Context(), id))
	require.ErrorIs(t, o.Cancel(t.Context(), id), pec.ErrNotOpen)
	o.clock.advance(time.Hour)
	require.Empty(t, o.retry(t))
	require.Len(t, o.submitted, 1)
	require.Equal(t, pec.StateRefused, o.state(t, id))
	require.ErrorIs(t, o.Cancel(t.Context(), "nobody@knows"), pec.ErrUnknownSend)
}

func TestChangesTellWhatMovedWhat(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	o.inbox = [][]byte{
		emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id, ""),
		emit(t, o.network.Providers()[1], pectest.KindDelivery, me, id, luigi),
	}
	sync(t, o.Client)
	var states []pec.State
	var position pec.Position
	for c, err := range o.Changes(t.Context(), "") {
		require.NoError(t, err)
		require.Equal(t, id, c.MessageID)
		for _, r := range c.Recipients() {
			states = append(states, r.State)
		}
		position = c.Position
	}
	require.Equal(t, []pec.State{pec.StatePending, pec.StateUncertain, pec.StateSubmitted, pec.StateAccepted, pec.StateDelivered}, states)
	for c, err := range o.Changes(t.Context(), position) {
		require.NoError(t, err)
		require.Fail(t, "nothing new", "%v", c)
	}
}

// A Message-ID that the caller chose stands for one message.
func TestARawMessageWithAKnownMessageIDIsRefused(t *testing.T) {
	o := newOffice(t)
	raw := func(id string) pec.RawMessage {
		return pec.RawMessage{Content: strings.NewReader("From: " + me + "\r\nTo: " + luigi + "\r\nSubject: Diffida\r\nDate: Sat, 21 Nov 2026 10:00:00 +0100\r\n" +
			"MIME-Version: 1.0\r\nMessage-ID: <" + id + ">\r\n\r\nEntro dieci giorni.\r\n")}
	}
	id, err := o.SendRaw(t.Context(), raw("Mine@desk.example"))
	require.NoError(t, err)
	require.Equal(t, "Mine@desk.example", id)
	require.Contains(t, string(o.submitted[0].raw), "Message-ID: <Mine@desk.example>")
	var refused *pec.ComposeError
	_, err = o.SendRaw(t.Context(), raw("mine@desk.example"))
	require.ErrorAs(t, err, &refused)

	o.inbox = [][]byte{emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, "outlook@desk.example", "")}
	sync(t, o.Client)
	_, err = o.SendRaw(t.Context(), raw("outlook@desk.example"))
	require.ErrorAs(t, err, &refused, "another program has sent it")
	require.Equal(t, pec.ProblemDuplicate, refused.Problems[0].Reason)
	require.Len(t, o.submitted, 1)
}

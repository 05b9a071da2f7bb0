package pec_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// recordFutureFact records a fact of a later version about a send.
func recordFutureFact(t *testing.T, store pec.Store, send string) {
	t.Helper()
	added, err := store.Append(t.Context(), me, pec.Entry{
		Key: "revocation/1@" + send, Send: send, At: time.Now(), Data: []byte(`{"kind":"revocation","fact":{}}`),
	})
	require.NoError(t, err)
	require.True(t, added)
}

func TestAFactOfALaterVersionStopsOnlyItsSend(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeTemporary
	strange, err := o.Send(t.Context(), diffida(""))
	require.Error(t, err)
	recordFutureFact(t, o.store, strange)
	id, err := o.Send(t.Context(), diffida(""))
	require.Error(t, err)

	_, err = o.Status(t.Context(), strange)
	require.ErrorIs(t, err, pec.ErrUnknownFact)
	found := 0
	for s, err := range o.Find(t.Context(), pec.Query{}) {
		if err != nil {
			require.ErrorIs(t, err, pec.ErrUnknownFact)
			continue
		}
		require.Equal(t, id, s.MessageID)
		found++
	}
	require.Equal(t, 1, found)

	o.clock.advance(time.Minute)
	o.inbox = [][]byte{emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, "outlook@desk", "")}
	attempts, notices := 0, 0
	for e, err := range o.Watch(t.Context()) {
		require.NoError(t, err)
		if e.Trouble != nil {
			require.ErrorIs(t, e.Trouble, pec.ErrUnknownFact)
			break
		}
		if e.Outcome != nil {
			attempts++
		} else {
			notices++
		}
	}
	require.Equal(t, 1, attempts)
	require.Equal(t, 1, notices)
	require.Len(t, o.submitted, 3)
}

// restlessMailbox is a Mailbox whose Wait always returns at once, as if there were news.
type restlessMailbox struct {
	*ports
	waits  int
	enough func()
}

func (m *restlessMailbox) Wait(ctx context.Context) error {
	if m.waits++; m.waits > 1000 {
		m.enough()
	}
	return ctx.Err()
}

func TestWatchDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pectest.Start(t, &pectest.Options{InMemory: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		m := &restlessMailbox{ports: &ports{}, enough: cancel}
		c := newClient(t, n, m, m, nil)
		require.Error(t, lastError(c.Watch(ctx)))
		require.LessOrEqual(t, m.waits, 61)
	})
}

// hangingStore is a Store that does not answer when a cursor or a suspension is to be
// stored.
type hangingStore struct{ pec.Store }

func (hangingStore) SetCursor(ctx context.Context, _ string, _ pec.Cursor) error {
	<-ctx.Done()
	return ctx.Err()
}

func (s hangingStore) Append(ctx context.Context, mailbox string, entries ...pec.Entry) (bool, error) {
	if strings.HasPrefix(entries[0].Key, "suspension") {
		<-ctx.Done()
		return false, ctx.Err()
	}
	return s.Store.Append(ctx, mailbox, entries...)
}

func TestAStoreThatHangsBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, p := pectest.Start(t, &pectest.Options{InMemory: true}), &ports{outcome: pec.OutcomeSubmitted}
		c := newClient(t, n, p, p, &pec.Options{Store: hangingStore{pec.NewMemory()}})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p.inbox = [][]byte{emit(t, n.Providers()[0], pectest.KindAcceptance, me, sendOne(t, c), "")}
		for range c.Sync(ctx) {
			cancel()
		}
		p.fetchErr = &pec.LoginError{Server: "imap:993", Reply: "NO"}
		var refused *pec.LoginError
		require.ErrorAs(t, lastError(c.Sync(t.Context())), &refused)
	})
}

// A provider may write an offset of 24 hours, which Go does not write in JSON. The notice
// is unverified, and the next one is read.
func TestAnOddTimeZoneBlocksNothing(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	p := o.network.Providers()
	odd, err := p[0].Emit(pectest.Notice{
		Kind: pectest.KindAcceptance, Sender: me, MessageID: "<" + id + ">", Recipients: []pectest.Recipient{{Address: luigi}},
		Time: time.Now().In(time.FixedZone("", 24*60*60)),
	})
	require.NoError(t, err)
	o.inbox = [][]byte{odd, emit(t, p[1], pectest.KindDelivery, me, id, luigi)}
	events := syncAll(t, o.Client)
	require.Len(t, events, 2)
	require.Equal(t, envelope.CodeBadCertData, events[0].Unverified.Code)
	require.Equal(t, pec.StateDelivered, o.state(t, id))
}

// breakingMailbox is a Mailbox in which some messages always break off while they are read.
type breakingMailbox struct {
	*ports
	uids map[uint32]bool
}

func (m *breakingMailbox) Fetch(ctx context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		for item, err := range m.ports.Fetch(ctx, after) {
			if m.uids[item.Cursor.UID] {
				item.Body = iotest.ErrReader(io.ErrUnexpectedEOF)
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

func TestAMessageThatBreaksOffKeepsNoOtherFromBeingRecovered(t *testing.T) {
	n := pectest.Start(t, nil)
	m := &breakingMailbox{ports: &ports{outcome: pec.OutcomeSubmitted}, uids: map[uint32]bool{1: true, 2: true}}
	c := newClient(t, n, m, m, nil)
	id := sendOne(t, c)
	m.inbox = [][]byte{
		emit(t, n.Providers()[0], pectest.KindAcceptance, me, id, ""),
		emit(t, n.Providers()[1], pectest.KindDelivery, me, id, luigi),
	}
	for range 6 {
		for range c.Sync(t.Context()) {
		}
	}
	require.Empty(t, syncAll(t, c))
	require.Equal(t, pec.StateSubmitted, stateOf(t, c, id))
	m.uids = map[uint32]bool{1: true}
	require.ErrorIs(t, lastError(c.Reverify(t.Context())), io.ErrUnexpectedEOF)
	require.Equal(t, pec.StateDelivered, stateOf(t, c, id))
}

// A Message-ID or provider's ID that others chose, of any length or characters, is never
// part of a key in the Store.
func TestNamesChosenByOthersStayOutOfTheStore(t *testing.T) {
	o := newOffice(t)
	strict := openOffice(t, o.network, o.ports, strictStore{o.store}, nil)
	strict.ports.outcome = pec.OutcomeSubmitted
	id, err := strict.Send(t.Context(), diffida("a/b@c "+strings.Repeat("k", 190)))
	require.NoError(t, err)
	p := o.network.Providers()
	certified := func(msgid, certID string) []byte {
		raw, err := p[0].Emit(pectest.Notice{
			Kind: pectest.KindAcceptance, Sender: me, MessageID: "<" + msgid + ">", CertID: certID,
			Recipients: []pectest.Recipient{{Address: luigi}},
		})
		require.NoError(t, err)
		return raw
	}
	long := strings.Repeat("x", 5000) + "@desk"
	o.inbox = [][]byte{
		certified(long, "p2@alfa"), certified("è@desk", "p3@alfa"), certified("a/b@c@d", "p4@alfa"),
		certified(id, "città@alfa"), certified(id, long),
	}
	require.Len(t, syncAll(t, strict.Client), 5)
	s, err := strict.Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, pec.StateAccepted, s.Recipients[0].State)
	require.True(t, s.Has(pec.FlagConflict))
	for _, name := range []string{long, "è@desk", "\x00", "", "<>"} {
		_, err = strict.Status(t.Context(), name)
		require.ErrorIs(t, err, pec.ErrUnknownSend, name)
	}
}

// strictStore is a Store that refuses names that the contract of pec.Store does not allow.
type strictStore struct{ pec.Store }

func (s strictStore) check(name string) error {
	if len(name) > 400 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
		return errors.New("a name that the contract does not allow")
	}
	return nil
}

func (s strictStore) Append(ctx context.Context, mailbox string, entries ...pec.Entry) (bool, error) {
	for _, e := range entries {
		if err := errors.Join(s.check(e.Key), s.check(e.Send)); err != nil {
			return false, err
		}
	}
	return s.Store.Append(ctx, mailbox, entries...)
}

func (s strictStore) Entry(ctx context.Context, mailbox, key string) (pec.Entry, error) {
	if err := s.check(key); err != nil {
		return pec.Entry{}, err
	}
	return s.Store.Entry(ctx, mailbox, key)
}

func (s strictStore) Entries(ctx context.Context, mailbox, send string) ([]pec.Entry, error) {
	if err := s.check(send); err != nil {
		return nil, err
	}
	return s.Store.Entries(ctx, mailbox, send)
}

func TestAPositionOfAnotherStoreIsAnError(t *testing.T) {
	for _, p := range []pec.Position{"-1", "x", "1.5"} {
		for _, err := range pec.NewMemory().Changes(t.Context(), me, p) {
			require.Error(t, err, p)
		}
	}
}

// A provider may repeat our Message-ID in other letter case. Events name the send as Send
// returned it.
func TestEventsNameTheSendAsItWasNamed(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	o.inbox = [][]byte{emit(t, o.network.Providers()[0], pectest.KindAcceptance, strings.ToUpper(me), strings.ToUpper(id), "")}
	require.Equal(t, id, syncAll(t, o.Client)[0].MessageID)
}

// An unverified notice about somebody who is not a recipient does not flag the send. It
// would not join the send if it were proven either.
func TestAClaimAboutAnotherRecipientFlagsNothing(t *testing.T) {
	o, stranger := newOffice(t), pectest.Start(t, nil)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	o.inbox = [][]byte{emit(t, stranger.Providers()[1], pectest.KindDelivery, me, id, bruna)}
	require.Empty(t, syncAll(t, o.Client)[0].MessageID)
	s, err := o.Status(t.Context(), id)
	require.NoError(t, err)
	require.Empty(t, s.Flags)
}

// Three connections in a row are lost in the middle of the same large notice. Watch reads
// the notice later, without a call of Reverify.
func TestWatchReadsAgainWhatItHasSetAside(t *testing.T) {
	for name, healed := range map[string]bool{"healed": true, "for ever": false} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { watchPoisoned(t, healed) }) })
	}
}

// watchPoisoned watches a mailbox whose one notice breaks off until it is set aside, or for
// ever.
func watchPoisoned(t *testing.T, healed bool) {
	n := pectest.Start(t, &pectest.Options{InMemory: true})
	m := &breakingMailbox{ports: &ports{outcome: pec.OutcomeSubmitted, waits: true}, uids: map[uint32]bool{1: true}}
	c := newClient(t, n, m, m, nil)
	id := sendOne(t, c)
	m.inbox = [][]byte{emit(t, n.Providers()[1], pectest.KindDelivery, me, id, luigi)}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour-time.Second)
	defer cancel()
	troubles := 0
	for e := range c.Watch(ctx) {
		if e.Unreadable != nil && healed {
			m.uids = nil
		}
		if e.Trouble != nil {
			troubles++
		}
	}
	if healed {
		require.Equal(t, pec.StateDelivered, stateOf(t, c, id))
	} else {
		require.Equal(t, 2+2, troubles, "two before the notice was set aside, then one an hour")
	}
}

// The process dies in the loop body. The envelope whose loop body had ended is not yielded
// again, although no fact says that it was handled.
func TestAnEnvelopeThatWasHandledIsNotYieldedAgain(t *testing.T) {
	o := newOffice(t)
	for range 2 {
		raw, err := o.network.Providers()[1].Emit(pectest.Notice{
			Kind: pectest.KindTransport, Sender: luigi, MessageID: "<x@y>", Recipients: []pectest.Recipient{{Address: me}},
			Original: []byte("Subject: Risposta\r\n\r\nSì.\r\n"),
		})
		require.NoError(t, err)
		o.inbox = append(o.inbox, raw)
	}
	require.Panics(t, func() {
		for e := range o.Sync(t.Context()) {
			if e.Cursor.UID == 2 {
				panic("the process dies")
			}
		}
	})
	events := syncAll(t, o.Client)
	require.Len(t, events, 1)
	require.EqualValues(t, 2, events[0].Cursor.UID)
}

// A loop that is left early has not read the folder, and the missing notice may be in the
// rest of it. The send is stale, not overdue.
func TestALoopThatIsLeftHasNotReadTheFolder(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	o.inbox = [][]byte{emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id, "")}
	syncAll(t, o.Client)
	o.clock.advance(27 * time.Hour)
	o.inbox = append(o.inbox, o.inbox[0], emit(t, o.network.Providers()[1], pectest.KindDelivery, me, id, luigi))
	for range o.Sync(t.Context()) {
		break
	}
	s, err := o.Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, []pec.Flag{pec.FlagStale}, s.Flags)
}

// Sync returns although the mailbox reports the same message again and again and never
// moves past it.
func TestAMailboxThatStandsStillEndsTheLoop(t *testing.T) {
	o := newOffice(t)
	stuck := &pec.MessageError{Cursor: pec.Cursor{Folder: "INBOX", UIDValidity: 1, UID: 1}, Err: errors.New("withheld")}
	o.fetchErr = stuck
	errs := 0
	for e, err := range o.Sync(t.Context()) {
		if errs++; errs > 10 {
			break
		}
		require.True(t, err != nil || e.Unreadable != nil)
	}
	require.LessOrEqual(t, errs, 2)
}

// New anchors prove one of two unverified notices. Reverify yields only that one.
func TestReverifyYieldsOnlyWhatIsProven(t *testing.T) {
	o, newcomer, forger := newOffice(t), pectest.Start(t, nil), pectest.Start(t, nil)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	o.inbox = [][]byte{
		emit(t, newcomer.Providers()[0], pectest.KindAcceptance, me, id, ""),
		emit(t, forger.Providers()[1], pectest.KindDelivery, me, id, luigi),
	}
	require.Len(t, syncAll(t, o.Client), 2)
	c := newClient(t, newcomer, o.ports, o.ports, &pec.Options{Store: o.store})
	var kinds []envelope.Kind
	for e, err := range c.Reverify(t.Context()) {
		require.NoError(t, err)
		kinds = append(kinds, e.Notice.Kind)
	}
	require.Equal(t, []envelope.Kind{envelope.KindAcceptance}, kinds)
	require.Equal(t, pec.StateAccepted, stateOf(t, c, id))
}

// The missing receipt may be in the folder that was not read.
func TestOneUnreadFolderMakesAMailboxStale(t *testing.T) {
	o, clock := newOffice(t), newClock()
	m := &twoFolders{ports: o.ports, err: io.ErrUnexpectedEOF}
	c := newClient(t, o.network, m, m, &pec.Options{Now: clock.Now})
	id := sendOne(t, c)
	o.inbox = [][]byte{emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id, "")}
	clock.advance(27 * time.Hour)
	for _, want := range []pec.Flag{pec.FlagStale, pec.FlagOverdue} {
		err := lastError(c.Sync(t.Context()))
		require.ErrorIs(t, err, m.err)
		s, err := c.Status(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, []pec.Flag{want}, s.Flags)
		m.err = nil
	}
}

func TestWatchSearchesEveryFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pectest.Start(t, &pectest.Options{InMemory: true})
		m := &twoFolders{ports: &ports{outcome: pec.OutcomeUncertain, waits: true}}
		c := newClient(t, n, m, m, nil)
		_, err := c.Send(t.Context(), diffida(""))
		require.Error(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour-time.Second)
		defer cancel()
		require.ErrorIs(t, lastError(c.Watch(ctx)), context.DeadlineExceeded)
		require.Equal(t, 2*6, m.searches, "in each of two folders, after 1, 2, 4, 8, 16 and 32 minutes")
	})
}

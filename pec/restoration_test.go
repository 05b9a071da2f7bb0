package pec_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

var keySecret = bytes.Repeat([]byte("k"), 32)

// restored returns an office on an empty store, marked as restored now. The provider still
// has what p has.
func restored(t *testing.T, n *pectest.Network, p *ports, opts *pec.Options) *office {
	t.Helper()
	o := openOffice(t, n, p, pec.NewMemory(), opts)
	require.NoError(t, o.MarkRestored(t.Context(), o.clock.Now()))
	return o
}

// requireHeld returns the *pec.HeldError in err.
func requireHeld(t *testing.T, err error) *pec.HeldError {
	t.Helper()
	var held *pec.HeldError
	require.ErrorAs(t, err, &held)
	return held
}

func TestAKeyDeterminesTheMessageID(t *testing.T) {
	n := pectest.Start(t, nil)
	id := func(secret []byte, key string) string {
		o := openOffice(t, n, &ports{outcome: pec.OutcomeSubmitted}, pec.NewMemory(), &pec.Options{KeySecret: secret})
		id, err := o.Send(t.Context(), diffida(key))
		require.NoError(t, err)
		require.Regexp(t, `^[a-z2-7]{26}@alfa-pec\.example$`, id, "it looks like a random one")
		return id
	}
	first := id(keySecret, "k")
	require.Equal(t, first, id(keySecret, "k"))
	for name, other := range map[string]string{
		"key": id(keySecret, "l"), "secret": id(bytes.Repeat([]byte("l"), 32), "k"), "none": id(nil, "k"), "no key": id(keySecret, ""),
	} {
		require.NotEqual(t, first, other, name)
	}
	require.NotEqual(t, id(keySecret, ""), id(keySecret, ""))

	// A raw message without a Message-ID of its own gets the same one.
	o := openOffice(t, n, &ports{outcome: pec.OutcomeSubmitted}, pec.NewMemory(), &pec.Options{KeySecret: keySecret})
	raw := "From: " + me + "\r\nTo: " + luigi + "\r\nSubject: Diffida\r\nDate: Thu, 01 Jan 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n\r\nTesto\r\n"
	got, err := o.SendRaw(t.Context(), pec.RawMessage{Content: strings.NewReader(raw), Key: "k"})
	require.NoError(t, err)
	require.Equal(t, first, got)
}

func TestAShortKeySecretIsRefused(t *testing.T) {
	n, p := pectest.Start(t, nil), &ports{}
	v := trusttest.Verifier(t, n, nil)
	for _, secret := range [][]byte{{}, []byte("password"), keySecret[1:]} {
		_, err := pec.New(me, p, p, v, &pec.Options{KeySecret: secret})
		var refused *pec.OptionError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, "Options.KeySecret", refused.Option)
	}
}

// The store has lost a send with a key, and the mailbox still has its receipt. A repeated
// call finds the send by its Message-ID, and sends nothing.
func TestALostSendWithAKeyIsAdopted(t *testing.T) {
	n := pectest.Start(t, nil)
	first := openOffice(t, n, &ports{outcome: pec.OutcomeSubmitted}, pec.NewMemory(), &pec.Options{KeySecret: keySecret})
	id, err := first.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	p := first.ports
	alfa, beta := n.Providers()[0], n.Providers()[1]
	p.inbox = [][]byte{emit(t, alfa, pectest.KindAcceptance, me, id, "")}

	o := restored(t, n, p, &pec.Options{KeySecret: keySecret})
	got, err := o.Send(t.Context(), diffida("k"))
	held := requireHeld(t, err)
	require.Empty(t, got, "nothing is recorded under the Message-ID of a message that may have left")
	require.Equal(t, []string{"INBOX"}, held.Folders)
	syncAll(t, o.Client) // this is too early to lift the hold, but it finds the receipt
	var taken *pec.KeyError
	other := diffida("k")
	other.To = []string{bruna}
	_, err = o.Send(t.Context(), other)
	require.ErrorAs(t, err, &taken, "for another recipient")
	require.Equal(t, id, taken.MessageID)
	other = diffida("k")
	other.Subject = "Altro"
	got, err = o.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	require.Equal(t, id, got)
	got, err = o.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	require.Equal(t, id, got)
	_, err = o.Send(t.Context(), other)
	require.ErrorAs(t, err, &taken)

	s, err := o.Status(t.Context(), id)
	require.NoError(t, err)
	require.True(t, s.Elsewhere)
	require.Equal(t, "k", s.Key)
	require.Equal(t, pec.StateAccepted, s.Recipients[0].State)
	p.inbox = append(p.inbox, emit(t, beta, pectest.KindDelivery, me, id, luigi))
	o.liftHold(t)
	s, err = o.Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, pec.StateDelivered, s.Recipients[0].State)
	require.Equal(t, receipt.ContentUnchecked, s.Recipients[0].Content)
	require.Empty(t, s.Flags)
	require.Empty(t, o.retry(t))
	require.Len(t, p.submitted, 1)
}

// A recipient knows our Message-ID and can send a PEC with it. The notices about that PEC
// are not about ours.
func TestAStrangersNoticesAdoptNothing(t *testing.T) {
	n := pectest.Start(t, nil)
	p := &ports{outcome: pec.OutcomeSubmitted}
	o := openOffice(t, n, p, pec.NewMemory(), &pec.Options{KeySecret: keySecret})
	id, err := o.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	p.inbox = [][]byte{emit(t, n.Providers()[1], pectest.KindAcceptance, luigi, id, ""), emit(t, n.Providers()[1], pectest.KindDelivery, luigi, id, me)}
	p.submitted = nil
	after := restored(t, n, p, &pec.Options{KeySecret: keySecret})
	after.liftHold(t)
	got, err := after.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	require.Equal(t, id, got)
	require.Len(t, p.submitted, 1, "the mailbox has no trace that it left")
}

// Without a KeySecret, or without a key, a send is recorded while it is held. It goes out
// by itself once the mailbox has been read.
func TestAHeldSendGoesOutLater(t *testing.T) {
	n, p := pectest.Start(t, nil), &ports{outcome: pec.OutcomeSubmitted}
	o := restored(t, n, p, nil)
	id, err := o.Send(t.Context(), diffida("k"))
	require.Equal(t, pec.OutcomeUncertain, outcomeOf(t, err))
	held := requireHeld(t, err)
	require.Equal(t, 1, held.Restoration.N)
	require.NotEmpty(t, id)
	s, err := o.Status(t.Context(), id)
	require.NoError(t, err)
	require.True(t, s.Has(pec.FlagHeld))
	require.Equal(t, pec.StatePending, s.Recipients[0].State)

	o.clock.advance(59 * time.Minute)
	syncAll(t, o.Client)
	requireHeld(t, lastError(o.Retry(t.Context())))
	_, err = o.Send(t.Context(), diffida("k"))
	requireHeld(t, err)
	// Any worker that reads the mailbox lifts the hold for all.
	reader := openOffice(t, n, p, o.store, &pec.Options{Now: o.clock.Now})
	o.clock.advance(time.Minute)
	syncAll(t, reader.Client)
	_, err = o.Send(t.Context(), diffida("k"))
	require.Nil(t, requireHeld(t, err).Folders, "the mailbox was read, and not yet searched for this send")
	require.Empty(t, p.submitted)
	require.Len(t, o.retry(t), 1)
	require.Len(t, p.submitted, 1)
	s, err = o.Status(t.Context(), id)
	require.NoError(t, err)
	require.Empty(t, s.Flags)

	// A new send needs no search.
	_, err = o.Send(t.Context(), diffida("new"))
	require.NoError(t, err)
	// A second restoration holds what is sent after it.
	require.NoError(t, o.MarkRestored(t.Context(), o.clock.Now()))
	_, err = o.Send(t.Context(), diffida("newer"))
	require.Equal(t, 2, requireHeld(t, err).Restoration.N)
	require.Len(t, p.submitted, 2)
}

// The search finds a receipt that reading did not find. The message is not sent again.
func TestASearchFindsWhatReadingDidNot(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeTemporary
	id, err := o.Send(t.Context(), diffida("k"))
	require.Error(t, err)
	require.NoError(t, o.MarkRestored(t.Context(), time.Time{}))
	o.liftHold(t)
	o.found = [][]byte{emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id, "")}
	events := o.retry(t)
	require.Len(t, events, 1)
	require.Equal(t, id, events[0].MessageID)
	require.Nil(t, events[0].Outcome)
	require.Len(t, o.submitted, 1)
	require.Equal(t, pec.StateAccepted, o.state(t, id))
}

// An unproven notice is a trace that the message may have left.
func TestAnUnprovenNoticeHoldsTheSend(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeTemporary
	id, err := o.Send(t.Context(), diffida("k"))
	require.Error(t, err)
	require.NoError(t, o.MarkRestored(t.Context(), time.Time{}))
	o.liftHold(t)
	o.found = [][]byte{emit(t, pectest.Start(t, nil).Providers()[0], pectest.KindAcceptance, me, id, "")}
	for _, e := range o.retry(t) {
		require.NotNil(t, e.Unverified, "only what the search found is yielded, no attempt")
	}
	_, err = o.Send(t.Context(), diffida("k"))
	require.Equal(t, id, requireHeld(t, err).Trace)
	require.Empty(t, o.find(t, pec.FilterDue))
	require.Len(t, o.submitted, 1)
}

// A message that is cancelled while it is held may have left. It is not resent until the
// mailbox was read and searched.
func TestNothingIsResentWhileItIsHeld(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeTemporary
	id, err := o.Send(t.Context(), diffida("k"))
	require.Error(t, err)
	require.NoError(t, o.MarkRestored(t.Context(), time.Time{}))
	require.NoError(t, o.Cancel(t.Context(), id))
	s, err := o.Status(t.Context(), id)
	require.NoError(t, err)
	require.True(t, s.Has(pec.FlagHeld))
	_, err = o.Resend(t.Context(), id, diffida("k2"))
	requireHeld(t, err)
	require.NoError(t, lastError(o.SearchNotices(t.Context(), id)))
	_, err = o.Resend(t.Context(), id, diffida("k2"))
	requireHeld(t, err)
	o.liftHold(t)
	_, err = o.Resend(t.Context(), id, diffida("k2"))
	requireHeld(t, err)
	require.NoError(t, lastError(o.SearchNotices(t.Context(), id)))
	o.outcome = pec.OutcomeSubmitted
	_, err = o.Resend(t.Context(), id, diffida("k2"))
	require.NoError(t, err)
}

func TestAHoldLastsUntilEveryFolderWasRead(t *testing.T) {
	n, clock := pectest.Start(t, nil), newClock()
	m := &twoFolders{ports: &ports{outcome: pec.OutcomeSubmitted}, err: errors.New("no such folder")}
	c := newClient(t, n, m, m, &pec.Options{Now: clock.Now})
	require.NoError(t, c.MarkRestored(t.Context(), clock.Now().Add(-2*time.Hour)))
	require.Error(t, lastError(c.Sync(t.Context())))
	require.Equal(t, []string{"Ricevute"}, requireHeld(t, lastError(c.Retry(t.Context()))).Folders)
	m.err = nil
	require.NoError(t, lastError(c.Sync(t.Context())))
	_, err := c.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
}

// Watch reports the hold once, and goes on reading until the hold is lifted.
func TestWatchReadsWhatLiftsTheHold(t *testing.T) {
	n, p := pectest.Start(t, nil), &ports{outcome: pec.OutcomeSubmitted}
	o := openOffice(t, n, p, pec.NewMemory(), nil)
	require.NoError(t, o.MarkRestored(t.Context(), o.clock.Now()))
	id, err := o.Send(t.Context(), diffida(""))
	requireHeld(t, err)
	p.inbox = [][]byte{emit(t, n.Providers()[0], pectest.KindAcceptance, me, "web@mail", "")}
	troubles, notices := 0, 0
	for e, err := range o.Watch(t.Context()) {
		require.NoError(t, err)
		switch {
		case e.Trouble != nil:
			requireHeld(t, e.Trouble)
			troubles++
		case e.Outcome != nil:
			require.Equal(t, id, e.MessageID)
			require.Equal(t, 1, troubles)
			require.Equal(t, 1, notices)
			require.Len(t, p.submitted, 1)
			return
		default:
			notices++
			o.clock.advance(time.Hour)
		}
	}
}

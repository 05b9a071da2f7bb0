package pec_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// The clock of one machine is 25 hours ahead. No message is abandoned for that, and when
// that machine is gone, the other does not wait for its times.
func TestOneWrongClockAbandonsNoMessage(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeTemporary
	id, err := o.Send(t.Context(), diffida("k"))
	require.Error(t, err)
	w := o.withWrongClock(t, 25*time.Hour)
	for range 12 * 60 / 10 { // both try for half a day
		o.clock.advance(10 * time.Minute)
		w.clock.advance(10 * time.Minute)
		for _, events := range [][]pec.Event{w.retry(t), o.retry(t)} {
			for _, e := range events {
				require.Equal(t, pec.OutcomeTemporary, e.Outcome.Kind)
			}
		}
	}
	require.Equal(t, pec.StateRetrying, o.state(t, id))
	tries := len(o.submitted)
	require.Less(t, tries, 60, "each machine keeps its pauses")
	o.outcome = pec.OutcomeSubmitted
	for range 7 {
		o.clock.advance(10 * time.Minute)
		o.retry(t)
	}
	require.Equal(t, tries+1, len(o.submitted))
	require.Equal(t, pec.StateSubmitted, o.state(t, id))
}

// A jump of the clock between two attempts, however far, counts only a little towards
// RetryFor.
func TestAJumpOfTheClockAbandonsNoMessage(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeTemporary
	id, err := o.Send(t.Context(), diffida("k"))
	require.Error(t, err)
	for range 7 {
		o.clock.advance(25 * time.Hour)
		for _, e := range o.retry(t) {
			require.Equal(t, pec.OutcomeTemporary, e.Outcome.Kind)
		}
	}
	require.Equal(t, pec.StateRetrying, o.state(t, id))
}

// The status of an abandoned send says why it was abandoned.
func TestTheReasonForAbandoningASendIsKept(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeTemporary
	id, err := o.Send(t.Context(), diffida("k"))
	require.Error(t, err)
	var given *pec.Event
	for range 48 {
		o.clock.advance(time.Hour)
		for _, e := range o.retry(t) {
			if e.Outcome.Kind == pec.OutcomeRefused {
				given = &e
			}
		}
	}
	require.NotNil(t, given)
	require.Error(t, given.Outcome.Err)
	s, err := o.Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, pec.StateRefused, s.Recipients[0].State)
	require.Equal(t, pec.GivenUpRetryFor, s.GivenUp)
	_, err = o.Send(t.Context(), diffida("k"))
	require.ErrorContains(t, err, string(pec.GivenUpRetryFor))

	id, err = o.Send(t.Context(), diffida("l"))
	require.Error(t, err)
	require.NoError(t, o.Cancel(t.Context(), id))
	s, err = o.Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, pec.GivenUpCancelled, s.GivenUp)
}

// A clock is 25 hours behind, so the messages that arrive are signed in its future. Each of
// them is judged again when that time has come: a notice of ours, a notice of another
// program, an envelope.
func TestANoticeFromTheFutureIsJudgedAgain(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	alfa, beta := o.network.Providers()[0], o.network.Providers()[1]
	envelopeOf, err := beta.Emit(pectest.Notice{
		Kind: pectest.KindTransport, Sender: luigi, MessageID: "<theirs@beta-pec.example>", Recipients: []pectest.Recipient{{Address: me}},
		Original: []byte("From: " + luigi + "\r\nTo: " + me + "\r\nSubject: S\r\nMessage-ID: <theirs@beta-pec.example>\r\n\r\nTesto\r\n"),
	})
	require.NoError(t, err)
	o.inbox = [][]byte{emit(t, alfa, pectest.KindAcceptance, me, id, ""), emit(t, alfa, pectest.KindAcceptance, me, "web@mail", ""), envelopeOf}

	w := o.withWrongClock(t, -25*time.Hour)
	for _, e := range syncAll(t, w.Client) {
		require.NotNil(t, e.Unverified)
		require.Equal(t, envelope.CodeFuture, e.Unverified.Code)
	}
	s, err := w.Status(t.Context(), id)
	require.NoError(t, err)
	require.True(t, s.Has(pec.FlagUnverified))
	fetches := w.fetches
	require.NoError(t, lastError(w.Reverify(t.Context())))
	require.Equal(t, fetches, w.fetches, "the time has not come yet")
	w.clock.advance(24 * time.Hour)
	require.Empty(t, w.reverify(t))
	w.clock.advance(2 * time.Hour)
	events := w.reverify(t)
	require.Len(t, events, 3)
	require.Equal(t, pec.StateAccepted, w.state(t, id))
	require.Equal(t, "web@mail", events[1].MessageID)
	require.NotNil(t, events[2].Inbound)
	require.Empty(t, w.reverify(t), "each is yielded once")
}

package pec_test

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// A process pauses in the middle of an attempt. A person finds that nothing left, says so,
// and resends the message. Then the process goes on and records a temporary error. The
// first message is not tried again.
func TestALateOutcomeDoesNotReviveAnAbandonedSend(t *testing.T) {
	o := newOffice(t)
	var second string
	o.during = func(s pec.Submission) {
		o.during = nil
		person := openOffice(t, o.network, o.ports, o.store, nil)
		person.clock.advance(2 * time.Hour)
		first := person.find(t, pec.FilterUncertain)[0]
		require.NoError(t, person.ResolveUnsent(t.Context(), first, "not in the web mail"))
		var err error
		second, err = person.Resend(t.Context(), first, diffida(""))
		require.NoError(t, err)
		o.outcome = pec.OutcomeTemporary // of the first attempt
	}
	first, err := o.Send(t.Context(), diffida("k"))
	require.Error(t, err)
	require.Len(t, o.submitted, 2)
	o.outcome = pec.OutcomeSubmitted
	require.Equal(t, pec.StateSubmitted, o.state(t, second))
	require.Equal(t, pec.StateRefused, o.state(t, first))
	_, err = o.Send(t.Context(), diffida("k"))
	require.Equal(t, pec.OutcomeRefused, outcomeOf(t, err))
	o.clock.advance(3 * time.Hour)
	require.Empty(t, o.retry(t))
	require.Len(t, o.submitted, 2)
}

// A resend with the key of the first send is refused: it asks for a new message, and the
// key stands for the first one.
func TestTheKeyOfAResendIsItsOwn(t *testing.T) {
	o := newOffice(t)
	first, err := o.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	o.inbox = [][]byte{emit(t, o.network.Providers()[1], pectest.KindNonDelivery, me, first, luigi)}
	syncAll(t, o.Client)
	var taken *pec.KeyError
	_, err = o.Resend(t.Context(), first, diffida("k"))
	require.ErrorAs(t, err, &taken)
	require.Len(t, o.submitted, 1)
	second, err := o.Resend(t.Context(), first, diffida("k2"))
	require.NoError(t, err)
	again, err := o.Resend(t.Context(), first, diffida("k2"))
	require.NoError(t, err)
	require.Equal(t, second, again)
	_, err = o.Send(t.Context(), diffida("k2"))
	require.ErrorAs(t, err, &taken)
	require.Len(t, o.submitted, 2)
}

// An outcome without an error suspends the mailbox too. Providers lock mailboxes after
// refused logins.
func TestALoginRefusedWithoutAReasonSuspendsToo(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeAuthentication
	_, err := o.Send(t.Context(), diffida(""))
	var suspended *pec.SuspendedError
	require.ErrorAs(t, err, &suspended)
	require.ErrorAs(t, lastError(o.Retry(t.Context())), &suspended)
	require.Len(t, o.submitted, 1)
}

// Another worker is a moment faster. This worker yields only attempts of its own.
func TestTheAttemptOfAnotherWorkerIsNotYielded(t *testing.T) {
	for name, after := range map[string]time.Duration{"retry": time.Hour, "abandon": 25 * time.Hour} {
		o := newOffice(t)
		o.outcome = pec.OutcomeTemporary
		id, err := o.Send(t.Context(), diffida("k"))
		require.Error(t, err)
		o.outcome = pec.OutcomeSubmitted
		slow := openOffice(t, o.network, o.ports, beforeAppend(o.store, "attempt/2", func() {
			_, err := o.Send(t.Context(), diffida("k"))
			require.NoError(t, err)
		}), nil)
		slow.clock.advance(after)
		require.Empty(t, slow.retry(t), name)
		require.Len(t, o.submitted, 2)
		require.Equal(t, pec.StateSubmitted, o.state(t, id))
	}
}

// The provider does not answer. Retry stops after the first message that fails so, and
// does not wait for a timeout with each of them.
func TestASilentProviderIsTriedOnceForAllMessages(t *testing.T) {
	o := newOffice(t)
	o.outcome, o.err = pec.OutcomeTemporary, io.ErrUnexpectedEOF
	for range 3 {
		_, err := o.Send(t.Context(), diffida(""))
		require.Error(t, err)
	}
	o.clock.advance(time.Hour)
	for range 3 {
		require.Len(t, o.retry(t), 1)
	}
	require.Empty(t, o.retry(t))
	require.Len(t, o.submitted, 6)
}

// The computer sleeps between the first byte and the rest, and no timer runs meanwhile.
// Somebody may have resolved the attempt as unsent by then.
func TestAnAttemptThatSleptTooLongSendsNothing(t *testing.T) {
	n, clock := pectest.Start(t, nil), newClock()
	var read error
	c := newWorker(t, n, submitFunc(func(s pec.Submission) pec.Outcome {
		_, err := s.Body.Read(make([]byte, 1))
		require.NoError(t, err)
		clock.advance(61 * time.Minute)
		_, read = io.ReadAll(s.Body)
		return pec.Outcome{Kind: pec.OutcomeTemporary}
	}), &ports{}, pec.NewMemory(), clock.Now)
	_, err := c.Send(t.Context(), diffida(""))
	require.Error(t, err)
	require.Error(t, read)
}

// alteringStore is a Store whose messages are no longer the same.
type alteringStore struct {
	pec.Store
	alter func([]byte) []byte
}

func (s alteringStore) Raw(ctx context.Context, mailbox, key string) (io.ReadCloser, error) {
	raw, err := s.Store.Raw(ctx, mailbox, key)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(raw)
	return io.NopCloser(bytes.NewReader(s.alter(text))), err
}

func TestAMessageAlteredInTheStoreIsNotSent(t *testing.T) {
	for name, alter := range map[string]func([]byte) []byte{
		"cut short": func(b []byte) []byte { return b[:100] },
		"longer":    func(b []byte) []byte { return append(b, "\r\n"...) },
		"changed":   func(b []byte) []byte { return bytes.Replace(b, []byte("Diffida"), []byte("Diffidi"), 1) },
	} {
		o := newOffice(t)
		o.outcome = pec.OutcomeTemporary
		_, err := o.Send(t.Context(), diffida(""))
		require.Error(t, err)
		broken := openOffice(t, o.network, o.ports, alteringStore{o.store, alter}, nil)
		broken.clock.advance(time.Hour)
		events := broken.retry(t)
		require.Len(t, events, 1)
		require.Error(t, events[0].Outcome.Err, name)
	}
}

// Two people look at the provider's web site at once and disagree. The slower one gets an
// error.
func TestOnlyOneResolutionCounts(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeUncertain
	id, err := o.Send(t.Context(), diffida("k"))
	require.Error(t, err)
	slow := openOffice(t, o.network, o.ports, beforeAppend(o.store, "resolution", func() {
		require.NoError(t, o.ResolveUnsent(t.Context(), id, ""))
	}), nil)
	require.ErrorIs(t, slow.ResolveSent(t.Context(), id, ""), pec.ErrNotUncertain)
	require.Equal(t, pec.StateRefused, o.state(t, id))
	_, err = o.Send(t.Context(), diffida("k"))
	require.Equal(t, pec.OutcomeRefused, outcomeOf(t, err))
	require.Len(t, o.submitted, 1)
}

// A message that a person says was sent left at its attempt, not when the person said so.
// A delay notice 22 hours after the attempt is therefore final.
func TestAResolutionDoesNotDateTheSending(t *testing.T) {
	s := fold(intent(luigi), pec.Attempt{N: 1, At: sentAt}, pec.Resolution{N: 1, Sent: true, At: sentAt.Add(21 * time.Hour)},
		notice(2, envelope.KindDeliveryDelay, luigi, 22*time.Hour))
	require.Equal(t, pec.StateExpired, s.Recipients[0].State)
}

func TestACancelledSendHasNoAttempts(t *testing.T) {
	s := fold(intent(luigi), pec.Abandonment{N: 1, At: sentAt})
	require.Equal(t, pec.StateRefused, s.Recipients[0].State)
	require.Zero(t, s.Attempts)
}

// Damaged facts have a status too, and quickly. It never permits another attempt.
func TestAnAttemptOfAnyNumberIsUncertain(t *testing.T) {
	for _, n := range []int{-1, 0, 7, 1 << 40, int(^uint(0) >> 1)} {
		require.Equal(t, pec.StateUncertain, recipientState(t, fold(intent(luigi), pec.Attempt{N: n}), luigi), n)
	}
}

// sentFolder counts the copies that it is asked to save.
type sentFolder struct{ saved int }

func (f *sentFolder) Save(_ context.Context, _ string, _ int64, body io.Reader) error {
	f.saved++
	_, err := io.Copy(io.Discard, body)
	return err
}

func TestNoCopyIsSavedInASuspendedMailbox(t *testing.T) {
	o, folder := newOffice(t), &sentFolder{}
	c := openOffice(t, o.network, o.ports, o.store, &pec.Options{SentFolder: folder})
	_, err := c.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	require.Equal(t, 1, folder.saved)
	o.during = func(pec.Submission) {
		o.fetchErr = &pec.LoginError{Server: "imap:993", Reply: "NO"}
		require.Error(t, lastError(o.Sync(t.Context())))
	}
	_, err = c.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	require.Equal(t, 1, folder.saved)
}

package pec_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// Another program has sent a message under the Message-ID that the caller chose. Its
// receipt is recorded after SendRaw has looked for one, and before SendRaw records the
// intent.
func TestAReceiptRightBeforeTheIntentPreventsASecondPEC(t *testing.T) {
	o, id := newOffice(t), "mine@desk.example"
	slow := openOffice(t, o.network, o.ports, beforeAppend(o.store, "intent", func() {
		o.inbox = [][]byte{emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id, "")}
		syncAll(t, o.Client)
	}), nil)
	_, err := slow.SendRaw(t.Context(), pec.RawMessage{Content: strings.NewReader("From: " + me + "\r\nTo: " + luigi +
		"\r\nMessage-ID: <" + id + ">\r\nSubject: x\r\nDate: Sat, 21 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n\r\nx\r\n")})
	require.NoError(t, err)
	require.Empty(t, o.submitted, "a second PEC left")
}

// A process pauses after the intent, and another one sends the message. Both report that
// it was sent.
func TestAnotherWorkerRightAfterTheIntentSendsOnce(t *testing.T) {
	o := newOffice(t)
	slow := openOffice(t, o.network, o.ports, &afterAppend{o.store, "intent", func() {
		_, err := o.Send(t.Context(), diffida("k"))
		require.NoError(t, err)
	}}, nil)
	_, err := slow.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	require.Len(t, o.submitted, 1)
}

// A process pauses after the intent, and somebody cancels the message. It does not leave.
func TestACancelRightAfterTheIntentStopsTheSend(t *testing.T) {
	o := newOffice(t)
	slow := openOffice(t, o.network, o.ports, &afterAppend{o.store, "intent", func() {
		id, err := o.MessageID(t.Context(), "k")
		require.NoError(t, err)
		require.NoError(t, o.Cancel(t.Context(), id))
	}}, nil)
	id, err := slow.Send(t.Context(), diffida("k"))
	require.Equal(t, pec.OutcomeRefused, outcomeOf(t, err))
	require.Equal(t, pec.StateRefused, o.state(t, id))
	require.Empty(t, o.submitted)
}

// A process pauses after the intent, and another one tries to send the message and gets a
// temporary error. The first process does not wait for the pause, and tries again.
func TestAFailedAttemptRightAfterTheIntentIsRepeated(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeTemporary
	slow := openOffice(t, o.network, o.ports, &afterAppend{o.store, "intent", func() {
		_, err := o.Send(t.Context(), diffida("k"))
		require.Equal(t, pec.OutcomeTemporary, outcomeOf(t, err))
		o.outcome = pec.OutcomeSubmitted
	}}, nil)
	id, err := slow.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	require.Equal(t, pec.StateSubmitted, o.state(t, id))
	require.Len(t, o.submitted, 2)
	require.Equal(t, o.submitted[0].raw, o.submitted[1].raw)
}

// A process pauses after the intent, and the login of another process is refused. The first
// process does not log in any more. Or the login of the first process is refused, and the
// other learns of it before the first has recorded its attempt: it does not log in either.
func TestASuspensionRightAfterTheIntentStopsTheSend(t *testing.T) {
	for name, key := range map[string]string{"of another message": "another", "of this one": "k"} {
		for _, at := range []string{"intent", "attempt/1"} {
			o := newOffice(t)
			o.outcome = pec.OutcomeAuthentication
			meanwhile := func() {
				_, err := o.Send(t.Context(), diffida(key))
				require.Equal(t, pec.OutcomeAuthentication, outcomeOf(t, err))
			}
			var store pec.Store = &afterAppend{o.store, at, meanwhile}
			if at == "attempt/1" {
				if key == "another" {
					continue // the first process has logged in by then
				}
				store = beforeAppend(o.store, at, meanwhile)
			}
			slow := openOffice(t, o.network, o.ports, store, nil)
			id, err := slow.Send(t.Context(), diffida("k"))
			require.Equal(t, pec.OutcomeAuthentication, outcomeOf(t, err), "%s, %s", name, at)
			var suspended *pec.SuspendedError
			require.ErrorAs(t, err, &suspended, "%s, %s", name, at)
			require.Equal(t, pec.StateSuspended, o.state(t, id))
			require.Len(t, o.submitted, 1)
		}
	}
}

// A process pauses after the intent, another one sends the message, and then a login is
// refused. The first process reports what became of the message, not that the mailbox is
// suspended: a caller who believed that it had not left would send it again.
func TestASuspensionDoesNotHideWhatHasLeft(t *testing.T) {
	for _, kind := range []pec.OutcomeKind{pec.OutcomeSubmitted, pec.OutcomeUncertain, pec.OutcomeRefused} {
		for _, key := range []string{"k", ""} {
			o := newOffice(t)
			slow := openOffice(t, o.network, o.ports, &afterAppend{o.store, "intent", func() {
				o.outcome = kind
				o.clock.advance(2 * time.Minute)
				require.Len(t, o.retry(t), 1)
				o.outcome = pec.OutcomeAuthentication
				_, err := o.Send(t.Context(), diffida(""))
				require.Equal(t, pec.OutcomeAuthentication, outcomeOf(t, err))
			}}, nil)
			_, err := slow.Send(t.Context(), diffida(key))
			if kind == pec.OutcomeSubmitted {
				require.NoError(t, err)
			} else {
				require.Equal(t, kind, outcomeOf(t, err))
			}
			require.Len(t, o.submitted, 2)
		}
	}
}

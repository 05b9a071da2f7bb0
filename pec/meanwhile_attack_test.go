package pec_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// after decorates a store: the first time that an entry with the prefix has been
// added, call is run.
type after struct {
	pec.Store
	prefix string
	call   func()
}

func (s *after) Append(ctx context.Context, mailbox string, entries ...pec.Entry) (bool, error) {
	added, err := s.Store.Append(ctx, mailbox, entries...)
	if call := s.call; added && call != nil && strings.HasPrefix(entries[0].Key, s.prefix) {
		s.call = nil
		call()
	}
	return added, err
}

// Another program has sent the message under the Message-ID that a caller chose. Its
// receipt is recorded after Send has looked for one, and before Send records the intent.
func TestAReceiptJustBeforeTheIntent(t *testing.T) {
	o, id := newOffice(t), "mine@desk.example"
	slow := open(t, o.network, o.provider, before(o.store, "intent", func() {
		o.inbox = [][]byte{emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id, "")}
		sync(t, o.Client)
	}), nil)
	_, err := slow.SendRaw(t.Context(), pec.RawMessage{Content: strings.NewReader("From: " + me + "\r\nTo: " + luigi +
		"\r\nMessage-ID: <" + id + ">\r\nSubject: x\r\nDate: Sat, 21 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n\r\nx\r\n")})
	require.NoError(t, err)
	require.Empty(t, o.submitted, "a second PEC")
}

// While a process stands still behind the intent, another one goes on from there: what
// it came to is what both say.
func TestAnotherWorkerJustBehindTheIntent(t *testing.T) {
	o := newOffice(t)
	slow := open(t, o.network, o.provider, &after{o.store, "intent", func() {
		_, err := o.Send(t.Context(), diffida("k"))
		require.NoError(t, err)
	}}, nil)
	_, err := slow.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	require.Len(t, o.submitted, 1)
}

// While a process stands still behind the intent, somebody gives the message up: it
// does not leave.
func TestACancelJustBehindTheIntent(t *testing.T) {
	o := newOffice(t)
	slow := open(t, o.network, o.provider, &after{o.store, "intent", func() {
		id, err := o.MessageID(t.Context(), "k")
		require.NoError(t, err)
		require.NoError(t, o.Cancel(t.Context(), id))
	}}, nil)
	id, err := slow.Send(t.Context(), diffida("k"))
	require.Equal(t, pec.OutcomeRefused, outcomeOf(t, err))
	require.Equal(t, pec.StateRefused, o.state(t, id))
	require.Empty(t, o.submitted)
}

// While a process stands still behind the intent, another one has offered the message in
// vain: when it is offered again is for the pauses to say.
func TestAnAttemptInVainJustBehindTheIntent(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeTemporary
	slow := open(t, o.network, o.provider, &after{o.store, "intent", func() {
		_, err := o.Send(t.Context(), diffida("k"))
		require.Equal(t, pec.OutcomeTemporary, outcomeOf(t, err))
	}}, nil)
	id, err := slow.Send(t.Context(), diffida("k"))
	require.Equal(t, pec.OutcomeTemporary, outcomeOf(t, err))
	require.Equal(t, pec.StateRetrying, o.state(t, id))
	require.Len(t, o.submitted, 1)
}

// The login is refused to another process just behind the intent: this one tries none.
func TestASuspensionJustBehindTheIntent(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeAuthentication
	slow := open(t, o.network, o.provider, &after{o.store, "intent", func() {
		_, err := o.Send(t.Context(), diffida("another"))
		require.Error(t, err)
	}}, nil)
	id, err := slow.Send(t.Context(), diffida("k"))
	require.Equal(t, pec.OutcomeAuthentication, outcomeOf(t, err))
	var suspended *pec.SuspendedError
	require.ErrorAs(t, err, &suspended)
	require.Equal(t, pec.StateSuspended, o.state(t, id))
	require.Len(t, o.submitted, 1)
}

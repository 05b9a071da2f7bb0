package pec_test

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

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

	// The same after a restart, and for another worker.
	other := openOffice(t, o.network, o.ports, o.store, nil)
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
	var wait sync.WaitGroup
	ids := make([]string, 16)
	for i := range ids {
		wait.Go(func() {
			worker := openOffice(t, o.network, o.ports, o.store, nil)
			// A later worker finds the attempt under way, or its success.
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

func TestATemporaryErrorIsRetriedAndAbandonedInTheEnd(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeTemporary
	id, err := o.Send(t.Context(), diffida(""))
	require.Equal(t, pec.OutcomeTemporary, outcomeOf(t, err))
	require.Equal(t, pec.StateRetrying, o.state(t, id))
	require.Empty(t, o.retry(t), "the first pause is a minute")
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

func TestASuccessfulRetryEndsTheRetries(t *testing.T) {
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

// The process ended after the message had left, and before the outcome was recorded.
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
	after := openOffice(t, o.network, o.ports, half, nil)
	require.Equal(t, pec.StateUncertain, after.state(t, id))
	_, err = after.Send(t.Context(), diffida("k"))
	require.Equal(t, pec.OutcomeUncertain, outcomeOf(t, err))
	after.clock.advance(48 * time.Hour)
	require.Empty(t, after.retry(t))
	require.Len(t, o.submitted, 1)
	require.Equal(t, []string{id}, after.find(t, pec.FilterUncertain))

	require.ErrorIs(t, after.Cancel(t.Context(), id), pec.ErrNotCancellable)
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
		other := openOffice(t, o.network, o.ports, o.store, nil)
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

func TestAResendNeedsADefiniteFailure(t *testing.T) {
	o := newOffice(t)
	first, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	var refused *pec.ResendError
	_, err = o.Resend(t.Context(), first, diffida(""))
	require.ErrorAs(t, err, &refused)
	require.Equal(t, pec.StateSubmitted, refused.State)

	p := o.network.Providers()[0]
	o.inbox = [][]byte{emit(t, p, pectest.KindNonDelivery, me, first, luigi)}
	syncAll(t, o.Client)
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
	syncAll(t, o.Client)
	s, err = o.Status(t.Context(), first)
	require.NoError(t, err)
	require.True(t, s.Has(pec.FlagDuplicateSend))
	require.Equal(t, pec.StateDelivered, s.Recipients[0].State)
}

// The disk is full when the outcome is to be recorded.
func TestAnOutcomeThatCannotBeRecordedIsReported(t *testing.T) {
	o := newOffice(t)
	broken := errors.New("disk full")
	store := &failingStore{Store: o.store, fail: func(e pec.Entry) error {
		if strings.HasPrefix(e.Key, "outcome") {
			return broken
		}
		return nil
	}}
	c := openOffice(t, o.network, o.ports, store, nil)
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

// A message does not leave when its intent or its attempt cannot be recorded.
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
		c := openOffice(t, o.network, o.ports, store, nil)
		_, err := c.Send(t.Context(), diffida("k"))
		var failed *pec.StoreError
		require.ErrorAs(t, err, &failed)
		require.ErrorIs(t, err, broken)
		require.Empty(t, o.submitted, step)
	}
}

func TestACancelledSendIsNeverTriedAgain(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeTemporary
	id, err := o.Send(t.Context(), diffida(""))
	require.Error(t, err)
	require.NoError(t, o.Cancel(t.Context(), id))
	require.ErrorIs(t, o.Cancel(t.Context(), id), pec.ErrNotCancellable)
	o.clock.advance(time.Hour)
	require.Empty(t, o.retry(t))
	require.Len(t, o.submitted, 1)
	require.Equal(t, pec.StateRefused, o.state(t, id))
	require.ErrorIs(t, o.Cancel(t.Context(), "nobody@knows"), pec.ErrUnknownSend)
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
	syncAll(t, o.Client)
	_, err = o.SendRaw(t.Context(), raw("outlook@desk.example"))
	require.ErrorAs(t, err, &refused, "another program has sent a message with it")
	require.Equal(t, pec.ProblemDuplicate, refused.Problems[0].Reason)
	require.Len(t, o.submitted, 1)
}

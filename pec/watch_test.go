package pec_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// A message that always breaks off is set aside after three tries, and read once it
// can be.
func TestAPoisonedMessageBlocksNothing(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	p := o.network.Providers()
	o.inbox = [][]byte{
		emit(t, p[0], pectest.KindAcceptance, me, id, ""),
		emit(t, p[1], pectest.KindDelivery, me, id, luigi),
	}
	o.failAt = 1
	for range 2 {
		require.ErrorIs(t, last(o.Sync(t.Context())), io.ErrUnexpectedEOF)
		require.Equal(t, pec.StateSubmitted, o.state(t, id))
	}
	var aside []pec.Event
	for e, err := range o.Sync(t.Context()) {
		require.NoError(t, err)
		if e.Unreadable != nil {
			aside = append(aside, e)
		}
	}
	require.Len(t, aside, 1)
	require.EqualValues(t, 1, aside[0].Cursor.UID)
	require.Equal(t, pec.StateDelivered, o.state(t, id))

	reverified := func() (events []pec.Event) {
		for e, err := range o.Reverify(t.Context()) {
			require.NoError(t, err)
			events = append(events, e)
		}
		return events
	}
	o.failAt = 0
	events := reverified()
	require.Len(t, events, 1)
	require.Equal(t, envelope.KindAcceptance, events[0].Notice.Kind)
	require.Empty(t, reverified())
	s, err := o.Status(t.Context(), id)
	require.NoError(t, err)
	require.False(t, s.SentAt.IsZero())
}

// withholding is a Mailbox that does not hand out one message.
type withholding struct {
	pec.Mailbox
	uid uint32
}

func (m withholding) Fetch(ctx context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		for item, err := range m.Mailbox.Fetch(ctx, after) {
			if item.Cursor.UID == m.uid {
				yield(pec.Item{}, &pec.MessageError{Cursor: item.Cursor, Err: errors.New("withheld")})
				return
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

func TestAWithheldMessageIsPassedOver(t *testing.T) {
	n, p := pectest.Start(t, nil), &ports{outcome: pec.OutcomeSubmitted}
	v, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(n.SigningCA())}, nil)
	require.NoError(t, err)
	c, err := pec.New(me, p, withholding{p, 2}, v, nil)
	require.NoError(t, err)
	id := sent(t, c)
	p.inbox = [][]byte{
		emit(t, n.Providers()[0], pectest.KindAcceptance, me, id, ""),
		[]byte("never seen"),
		emit(t, n.Providers()[1], pectest.KindDelivery, me, id, luigi),
	}
	events := sync(t, c)
	require.Len(t, events, 3)
	require.EqualError(t, errors.Unwrap(events[1].Unreadable), "withheld")
	require.Equal(t, pec.StateDelivered, stateOf(t, c, id))
	require.Empty(t, sync(t, c))
}

// A notice of a CA that is not trusted yet is kept, shown, and judged again.
func TestANoticeIsJudgedAgainWhenAnchorsChange(t *testing.T) {
	o, newcomer := newOffice(t), pectest.Start(t, nil)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	raw := emit(t, newcomer.Providers()[1], pectest.KindDelivery, me, id, luigi)
	altered := bytes.Replace(emit(t, o.network.Providers()[1], pectest.KindDelivery, me, id, luigi), []byte("Il giorno"), []byte("Il Giorno"), 1)
	o.inbox = [][]byte{raw, altered, emit(t, newcomer.Providers()[1], pectest.KindDelivery, bruna, id, luigi)}
	events := sync(t, o.Client)
	require.Len(t, events, 3)
	require.Equal(t, id, events[0].MessageID)
	require.Empty(t, events[2].MessageID, "another sender's")
	s, err := o.Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, []pec.Flag{pec.FlagUnverified}, s.Flags)
	require.Equal(t, pec.StateSubmitted, s.Recipients[0].State)
	require.Equal(t, []string{id}, o.find(t, pec.FilterUnverified))

	var anchors []envelope.Anchor
	for _, ca := range []*x509.Certificate{o.network.SigningCA(), newcomer.SigningCA()} {
		anchors = append(anchors, envelope.AnchorFromCertificate(ca))
	}
	v, err := envelope.NewVerifier(anchors, nil)
	require.NoError(t, err)
	c, err := pec.New(me, o.ports, o.ports, v, &pec.Options{Store: o.store})
	require.NoError(t, err)
	var proven []pec.Event
	for e, err := range c.Reverify(t.Context()) {
		require.NoError(t, err)
		proven = append(proven, e)
		kept, err := io.ReadAll(e.Raw)
		require.NoError(t, err)
		require.Equal(t, raw, kept)
	}
	require.Len(t, proven, 1)
	for e, err := range c.Reverify(t.Context()) {
		require.NoError(t, err)
		require.Fail(t, "it is proven already", "%v", e)
	}
	s, err = c.Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, pec.StateDelivered, s.Recipients[0].State)
	require.Equal(t, []pec.Flag{pec.FlagUnverified}, s.Flags, "the altered one stays so")
}

// Who mends the anchors and watches again needs not know of Reverify.
func TestWatchJudgesAgainWhatWasNotTrusted(t *testing.T) {
	o, newcomer := newOffice(t), pectest.Start(t, nil)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	o.inbox = [][]byte{emit(t, newcomer.Providers()[1], pectest.KindDelivery, me, id, luigi)}
	require.NotNil(t, sync(t, o.Client)[0].Unverified)
	v, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(newcomer.SigningCA())}, nil)
	require.NoError(t, err)
	c, err := pec.New(me, o.ports, o.ports, v, &pec.Options{Store: o.store})
	require.NoError(t, err)
	for e, err := range c.Watch(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, envelope.KindDelivery, e.Notice.Kind)
		break
	}
	require.Equal(t, pec.StateDelivered, stateOf(t, c, id))
}

func TestSendsOfOtherProgramsAreFollowed(t *testing.T) {
	o := newOffice(t)
	o.inbox = [][]byte{
		emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, "outlook@desk", ""),
		emit(t, o.network.Providers()[1], pectest.KindDelivery, me, "outlook@desk", luigi),
		emit(t, o.network.Providers()[1], pectest.KindDelivery, bruna, "hers@desk", luigi),
	}
	events := sync(t, o.Client)
	require.Len(t, events, 3)
	require.Empty(t, events[2].MessageID)
	s, err := o.Status(t.Context(), "outlook@desk")
	require.NoError(t, err)
	require.True(t, s.Elsewhere)
	require.Equal(t, pec.ResultDelivered, s.Result)
	_, err = o.Status(t.Context(), "hers@desk")
	require.ErrorIs(t, err, pec.ErrUnknownSend)
	require.Len(t, o.find(t, pec.FilterAll), 1)
	require.Empty(t, o.find(t, pec.FilterDue))
}

func TestOverdueOnlyWhenTheMailboxWasReadThatFar(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	o.inbox = [][]byte{emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id, "")}
	sync(t, o.Client)
	flags := func() []pec.Flag {
		s, err := o.Status(t.Context(), id)
		require.NoError(t, err)
		return s.Flags
	}
	o.clock.advance(25 * time.Hour)
	require.Empty(t, flags())
	o.clock.advance(time.Hour + time.Minute)
	require.Equal(t, []pec.Flag{pec.FlagStale}, flags())
	require.Empty(t, o.find(t, pec.FilterOverdue))
	sync(t, o.Client)
	require.Equal(t, []pec.Flag{pec.FlagOverdue}, flags())
	require.Equal(t, []string{id}, o.find(t, pec.FilterOverdue))
}

func TestUnconfirmedIsFound(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	require.Empty(t, o.find(t, pec.FilterUnconfirmed))
	o.clock.advance(time.Hour)
	require.Equal(t, []string{id}, o.find(t, pec.FilterUnconfirmed))
	o.inbox = [][]byte{emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id, "")}
	sync(t, o.Client)
	require.Empty(t, o.find(t, pec.FilterUnconfirmed))
}

// Proof of an uncertain send lies behind the cursor: only a search finds it.
func TestProofIsSearchedFor(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeUncertain
	id, err := o.Send(t.Context(), diffida(""))
	require.Equal(t, pec.OutcomeUncertain, outcomeOf(t, err))
	o.found = [][]byte{
		emit(t, o.network.Providers()[0], pectest.KindAcceptance, bruna, id, ""), // the attack of a recipient
		emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id+"x", ""),
		emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id, ""),
	}
	events := 0
	for e, err := range o.SearchNotices(t.Context(), id) {
		require.NoError(t, err)
		require.Equal(t, id, e.MessageID)
		events++
	}
	require.Equal(t, 1, events)
	require.Equal(t, pec.StateAccepted, o.state(t, id))
}

// A day of a mailbox whose connection comes and goes, in no time.
func TestWatchGoesOnUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pectest.Start(t, &pectest.Options{InMemory: true})
		v, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(n.SigningCA())}, nil)
		require.NoError(t, err)
		p := &ports{outcome: pec.OutcomeTemporary, waits: true}
		c, err := pec.New(me, p, p, v, nil)
		require.NoError(t, err)
		id, err := c.Send(t.Context(), diffida(""))
		require.Error(t, err)

		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		outcomes, troubles, notices := 0, 0, 0
		var end error
		for e, err := range c.Watch(ctx) {
			switch {
			case err != nil:
				end = err
			case e.Trouble != nil:
				if troubles++; troubles == 10 {
					p.fetchErr = nil
				}
			case e.Outcome != nil:
				if outcomes++; outcomes == 3 {
					p.outcome, p.fetchErr = pec.OutcomeSubmitted, io.ErrUnexpectedEOF
				}
				if e.Outcome.Kind == pec.OutcomeSubmitted {
					p.inbox = append(p.inbox, emit(t, n.Providers()[0], pectest.KindAcceptance, me, id, ""))
				}
			default:
				notices++
			}
		}
		require.ErrorIs(t, end, context.DeadlineExceeded)
		require.Equal(t, 4, outcomes)
		require.Equal(t, 10, troubles)
		require.Equal(t, 1, notices)
		s, err := c.Status(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, pec.StateAccepted, s.Recipients[0].State)
		require.Less(t, p.fetches, 24*60+100, "once a minute, and no more")
	})
}

package pec_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// withholding is a Mailbox that does not hand out one message.
type withholdingMailbox struct {
	pec.Mailbox
	uid uint32
}

func (m withholdingMailbox) Fetch(ctx context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
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
	c := newClient(t, n, p, withholdingMailbox{p, 2}, nil)
	id := sendOne(t, c)
	p.inbox = [][]byte{
		emit(t, n.Providers()[0], pectest.KindAcceptance, me, id, ""),
		[]byte("never seen"),
		emit(t, n.Providers()[1], pectest.KindDelivery, me, id, luigi),
	}
	events := syncAll(t, c)
	require.Len(t, events, 3)
	require.EqualError(t, errors.Unwrap(events[1].Unreadable), "withheld")
	require.Equal(t, pec.StateDelivered, stateOf(t, c, id))
	require.Empty(t, syncAll(t, c))
}

func TestSendsOfOtherProgramsAreFollowed(t *testing.T) {
	o := newOffice(t)
	o.inbox = [][]byte{
		emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, "outlook@desk", ""),
		emit(t, o.network.Providers()[1], pectest.KindDelivery, me, "outlook@desk", luigi),
		emit(t, o.network.Providers()[1], pectest.KindDelivery, bruna, "hers@desk", luigi),
	}
	events := syncAll(t, o.Client)
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

// A day of a mailbox whose connection comes and goes, in no time.
func TestWatchGoesOnUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pectest.Start(t, &pectest.Options{InMemory: true})
		p := &ports{outcome: pec.OutcomeTemporary, waits: true}
		c := newClient(t, n, p, p, nil)
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

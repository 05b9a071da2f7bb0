package pec_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// A message that always breaks off is set aside after three tries. Reverify reads it once it
// can be read.
func TestAMessageThatBreaksOffBlocksNothing(t *testing.T) {
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
		require.ErrorIs(t, lastError(o.Sync(t.Context())), io.ErrUnexpectedEOF)
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

	o.failAt = 0
	events := o.reverify(t)
	require.Len(t, events, 1)
	require.Equal(t, envelope.KindAcceptance, events[0].Notice.Kind)
	require.Empty(t, o.reverify(t))
	s, err := o.Status(t.Context(), id)
	require.NoError(t, err)
	require.False(t, s.SentAt.IsZero())
}

// A notice whose CA is not trusted yet is kept, flagged, and judged again by Reverify.
func TestANoticeIsJudgedAgainWhenAnchorsChange(t *testing.T) {
	o, newcomer := newOffice(t), pectest.Start(t, nil)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	raw := emit(t, newcomer.Providers()[1], pectest.KindDelivery, me, id, luigi)
	altered := bytes.Replace(emit(t, o.network.Providers()[1], pectest.KindDelivery, me, id, luigi), []byte("Il giorno"), []byte("Il Giorno"), 1)
	o.inbox = [][]byte{raw, altered, emit(t, newcomer.Providers()[1], pectest.KindDelivery, bruna, id, luigi)}
	events := syncAll(t, o.Client)
	require.Len(t, events, 3)
	require.Equal(t, id, events[0].MessageID)
	require.Empty(t, events[2].MessageID, "the notice is about another sender's message")
	s, err := o.Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, []pec.Flag{pec.FlagUnverified}, s.Flags)
	require.Equal(t, pec.StateSubmitted, s.Recipients[0].State)
	require.Equal(t, []string{id}, o.find(t, pec.FilterUnverified))

	anchors := append(trusttest.Anchors(o.network), trusttest.Anchors(newcomer)...)
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
		require.Fail(t, "the notice was proven already", "%v", e)
	}
	s, err = c.Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, pec.StateDelivered, s.Recipients[0].State)
	require.Equal(t, []pec.Flag{pec.FlagUnverified}, s.Flags, "the altered notice stays unverified")
}

// After the anchors were corrected, Watch judges the kept notices again, without a call of
// Reverify.
func TestWatchJudgesAgainWhatWasNotTrusted(t *testing.T) {
	o, newcomer := newOffice(t), pectest.Start(t, nil)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	o.inbox = [][]byte{emit(t, newcomer.Providers()[1], pectest.KindDelivery, me, id, luigi)}
	require.NotNil(t, syncAll(t, o.Client)[0].Unverified)
	c := newClient(t, newcomer, o.ports, o.ports, &pec.Options{Store: o.store})
	for e, err := range c.Watch(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, envelope.KindDelivery, e.Notice.Kind)
		break
	}
	require.Equal(t, pec.StateDelivered, stateOf(t, c, id))
}

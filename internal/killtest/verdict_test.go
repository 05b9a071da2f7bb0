package killtest

import (
	"bytes"
	"errors"
	"io"
	"net/mail"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

// verdict is the result of a run.
type verdict struct {
	copies    int // the most copies that the provider has of one message
	lost      int // notices in the mailbox that the store does not have, and envelopes that no worker handled
	sent      int // messages that left, and that the store knows to have left
	uncertain int
	unknown   int // messages that did not leave, and that the store does not know
}

// judge compares the store with the provider. It reads the provider's mailboxes directly.
func (r *run) judge(t *testing.T) verdict {
	t.Helper()
	w, err := r.order.open(t.Context(), calm)
	require.NoError(t, err)
	defer w.close()
	var v verdict
	accepted := map[string]int{}
	evidence := map[string]bool{}
	for key, recipient := range map[string]string{first: r.order.To, second: r.order.Then} {
		id, err := w.MessageID(t.Context(), key)
		copies := count(r.messages(t, recipient), "X-Trasporto")
		if errors.Is(err, pec.ErrUnknownSend) {
			assert.Zero(t, copies, "a message left that the store does not know")
			v.unknown++
		} else {
			require.NoError(t, err)
			accepted[id] = copies
			r.judgeSend(t, w, &v, id, copies)
			for _, f := range facts(t, w, id) {
				if n, ok := f.(pec.NoticeFact); ok {
					evidence[string(raw(t, w, id, n))] = true
				}
			}
		}
		v.copies = max(v.copies, copies)
	}

	handled, err := os.ReadFile(r.order.Handled)
	require.NoError(t, err)
	for _, m := range r.messages(t, r.order.Address) {
		header := headerOf(t, m)
		about := strings.Trim(header.Get("X-Riferimento-Message-ID"), "<>")
		switch header.Get("X-Ricevuta") {
		case "":
			if !bytes.Contains(handled, []byte(header.Get("Message-ID")+"\n")) {
				v.lost++
			}
			continue
		case "accettazione":
			accepted[about]--
		}
		if !evidence[string(m)] {
			v.lost++
		}
		delete(evidence, string(m))
	}
	assert.Empty(t, evidence, "the store has notices that are not in the mailbox")
	for id, difference := range accepted {
		assert.Zero(t, difference, "acceptances minus deliveries of %s", id)
	}
	assert.LessOrEqual(t, v.copies, 1, "a message left more than once")
	assert.Zero(t, v.lost, "notices or envelopes were lost")
	return v
}

// judgeSend requires the status that fits the number of copies.
func (r *run) judgeSend(t *testing.T, w *worker, v *verdict, id string, copies int) {
	t.Helper()
	status, err := w.Status(t.Context(), id)
	require.NoError(t, err)
	if copies > 0 {
		v.sent++
		assert.Equal(t, pec.ResultPartial, status.Result)
		assert.True(t, status.Settled)
		assert.Nil(t, status.Flags)
		assert.Equal(t, pec.StateDelivered, status.Recipients[0].State)
		assert.Equal(t, receipt.ContentMatch, status.Recipients[0].Content)
		assert.Equal(t, pec.StateFailed, status.Recipients[1].State)
		return
	}
	v.uncertain++
	assert.Equal(t, pec.ResultUncertain, status.Result)
	for _, recipient := range status.Recipients {
		assert.Equal(t, pec.StateUncertain, recipient.State)
	}
	var found []string
	for s, err := range w.Find(t.Context(), pec.Query{Filter: pec.FilterUncertain}) {
		require.NoError(t, err)
		found = append(found, s.MessageID)
	}
	assert.Equal(t, []string{id}, found)
	// The reason is one attempt without an outcome, or with an uncertain one.
	open := map[int]bool{}
	for _, f := range facts(t, w, id) {
		switch f := f.(type) {
		case pec.Attempt:
			open[f.N] = true
		case pec.AttemptOutcome:
			open[f.N] = f.Outcome.Kind == pec.OutcomeUncertain
		}
	}
	reasons := 0
	for _, uncertain := range open {
		if uncertain {
			reasons++
		}
	}
	assert.Equal(t, 1, reasons)
}

// facts returns the facts of a send.
func facts(t *testing.T, w *worker, id string) []pec.Fact {
	t.Helper()
	facts, err := w.Facts(t.Context(), id)
	require.NoError(t, err)
	return facts
}

// raw returns the message that belongs to a fact.
func raw(t *testing.T, w *worker, id string, f pec.Fact) []byte {
	t.Helper()
	r, err := w.Raw(t.Context(), id, f)
	require.NoError(t, err)
	defer r.Close()
	raw, err := io.ReadAll(r)
	require.NoError(t, err)
	return raw
}

// messages returns the messages in the INBOX of an account.
func (r *run) messages(t *testing.T, address string) [][]byte {
	t.Helper()
	messages, err := r.network.ProviderOf(address).Messages(address, pectest.InboxFolder)
	require.NoError(t, err)
	return messages
}

// count returns how many messages have a header field.
func count(messages [][]byte, field string) (n int) {
	for _, m := range messages {
		if parsed, err := mail.ReadMessage(bytes.NewReader(m)); err == nil && parsed.Header.Get(field) != "" {
			n++
		}
	}
	return n
}

// headerOf returns the header of a message.
func headerOf(t *testing.T, raw []byte) mail.Header {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	require.NoError(t, err)
	return m.Header
}

package pec_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

const (
	keySender = "mario@alfa-pec.example"
	keyAnna   = "anna@beta-pec.example"
	keyBruno  = "bruno@beta-pec.example"
	keyCarla  = "carla@beta-pec.example"
)

// acceptingPorts take every message and serve one folder.
type acceptingPorts struct {
	taken int
	inbox [][]byte
}

func (p *acceptingPorts) Submit(_ context.Context, s pec.Submission) pec.Outcome {
	if _, err := io.Copy(io.Discard, s.Body); err != nil {
		return pec.Outcome{Kind: pec.OutcomeTemporary, Err: err}
	}
	p.taken++
	return pec.Outcome{Kind: pec.OutcomeSubmitted}
}

func (p *acceptingPorts) Folders() []string { return []string{"INBOX"} }

func (p *acceptingPorts) Fetch(_ context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		for i := int(after.UID); i < len(p.inbox); i++ {
			at := pec.Cursor{Folder: after.Folder, UIDValidity: 1, UID: uint32(i + 1)}
			if !yield(pec.Item{Cursor: at, Body: bytes.NewReader(p.inbox[i])}, nil) {
				return
			}
		}
	}
}

func (p *acceptingPorts) Search(context.Context, string, []string) iter.Seq2[pec.Item, error] {
	return func(func(pec.Item, error) bool) {}
}

func (p *acceptingPorts) Wait(ctx context.Context) error { return ctx.Err() }

func keyClient(t *testing.T, n *pectest.Network, p *acceptingPorts, opts *pec.Options) *pec.Client {
	t.Helper()
	c, err := pec.New(keySender, p, p, trusttest.Verifier(t, n, nil), opts)
	require.NoError(t, err)
	return c
}

func attached(name, content string) pec.Attachment {
	return pec.Attachment{Name: name, Content: strings.NewReader(content)}
}

// keyed is a message with all that a request can have.
func keyed() pec.Message {
	return pec.Message{
		To: []string{"Anna <" + keyAnna + ">", keyBruno}, Cc: []string{keyCarla}, ReplyTo: keyCarla,
		Subject: "Fattura", Text: "In allegato.", HTML: "<p>In allegato.</p>", InReplyTo: "one@beta-pec.example",
		ExtraHeader: []pec.HeaderField{{Name: "X-Protocollo", Value: "1"}}, Key: "k",
		Attachments: []pec.Attachment{attached("fattura.pdf", "a"), attached("nota.txt", "b"), attached("nota.txt", "c")},
	}
}

const somethingElse = "something else changed: text, HTML, Reply-To, In-Reply-To, an extra header field, " +
	"the type of an attachment, or SendRaw in the place of Send"

func requireDifferences(t *testing.T, err error, id string, want ...string) {
	t.Helper()
	taken, ok := errors.AsType[*pec.KeyError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, id, taken.MessageID)
	require.Equal(t, want, taken.Differences)
	for _, what := range want {
		require.Contains(t, taken.Error(), what)
	}
}

func TestAKeyErrorSaysWhatDiffers(t *testing.T) {
	n := pectest.Start(t, nil)
	for _, test := range []struct {
		name   string
		change func(*pec.Message)
		want   []string
	}{
		{"to", func(m *pec.Message) { m.To = m.To[:1] }, []string{"recipients changed"}},
		{"order of to", func(m *pec.Message) { m.To[0], m.To[1] = m.To[1], m.To[0] }, []string{"recipients in another order"}},
		{"cc", func(m *pec.Message) { m.Cc = nil }, []string{"Cc changed"}},
		{"to and cc", func(m *pec.Message) { m.To, m.Cc = append(m.To, m.Cc...), nil }, []string{"recipients changed", "Cc changed"}},
		{"subject", func(m *pec.Message) { m.Subject = "fattura" }, []string{"subject changed"}},
		{"receipt", func(m *pec.Message) { m.Receipt = receipt.DetailBrief }, []string{"receipt kind changed"}},
		{"content", func(m *pec.Message) { m.Attachments[0] = attached("fattura.pdf", "aa") }, []string{"attachment fattura.pdf changed"}},
		{"one of two", func(m *pec.Message) { m.Attachments[2] = attached("nota.txt", "d") }, []string{"attachment nota.txt changed"}},
		{"exchanged", func(m *pec.Message) { m.Attachments[1], m.Attachments[2] = m.Attachments[2], m.Attachments[1] }, []string{"attachment nota.txt changed"}},
		{"one more", func(m *pec.Message) { m.Attachments = append(m.Attachments, attached("altro.pdf", "a")) }, []string{"attachment altro.pdf added"}},
		{"one less", func(m *pec.Message) { m.Attachments = m.Attachments[:2] }, []string{"attachment nota.txt removed"}},
		{"other name", func(m *pec.Message) { m.Attachments[0] = attached("Fattura.pdf", "a") }, []string{"attachment fattura.pdf removed", "attachment Fattura.pdf added"}},
		{"order of attachments", func(m *pec.Message) { m.Attachments[0], m.Attachments[1] = m.Attachments[1], m.Attachments[0] }, []string{"attachments in another order"}},
		{"several", func(m *pec.Message) {
			m.Cc, m.Subject, m.Text, m.Attachments = nil, "x", "y", nil
		}, []string{"Cc changed", "subject changed", "attachment fattura.pdf removed", "attachment nota.txt removed"}},
		{"text", func(m *pec.Message) { m.Text += " " }, []string{somethingElse}},
		{"html", func(m *pec.Message) { m.HTML = "" }, []string{somethingElse}},
		{"reply-to", func(m *pec.Message) { m.ReplyTo = "" }, []string{somethingElse}},
		{"in-reply-to", func(m *pec.Message) { m.InReplyTo = "" }, []string{somethingElse}},
		{"extra header", func(m *pec.Message) { m.ExtraHeader[0].Value = "2" }, []string{somethingElse}},
		{"type", func(m *pec.Message) { m.Attachments[0].Type = "application/pdf" }, []string{somethingElse}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &acceptingPorts{}
			c := keyClient(t, n, p, nil)
			id, err := c.Send(t.Context(), keyed())
			require.NoError(t, err)
			other := keyed()
			test.change(&other)
			_, err = c.Send(t.Context(), other)
			requireDifferences(t, err, id, test.want...)
			require.Contains(t, err.Error(), `"k"`)

			// What does not differ never fails.
			same := keyed()
			same.To[0], same.Receipt, same.InReplyTo = strings.ToUpper(keyAnna), receipt.DetailFull, "<"+same.InReplyTo+">"
			again, err := c.Send(t.Context(), same)
			require.NoError(t, err)
			require.Equal(t, id, again)
			require.Equal(t, 1, p.taken)
		})
	}
}

func keyedRaw(change ...string) pec.RawMessage {
	text := "From: " + keySender + "\r\nTo: " + keyAnna + ", " + keyBruno + "\r\nCc: " + keyCarla + "\r\nSubject: Fattura\r\n" +
		"Date: Sat, 21 Nov 2026 10:00:00 +0100\r\nMessage-ID: <one@alfa-pec.example>\r\nMIME-Version: 1.0\r\nX-TipoRicevuta: breve\r\n" +
		"Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n" +
		"--b\r\n\r\nIn allegato.\r\n--b\r\nContent-Disposition: attachment; filename=\"a.txt\"\r\n\r\nuno\r\n--b--\r\n"
	return pec.RawMessage{Key: "k", Content: strings.NewReader(strings.NewReplacer(change...).Replace(text))}
}

func TestAKeyErrorSaysWhatDiffersInARawMessage(t *testing.T) {
	n := pectest.Start(t, nil)
	const bytesDiffer = "something else changed: a raw message has to be the same, byte for byte"
	for _, test := range []struct {
		name   string
		change []string
		want   []string
	}{
		{"to", []string{", " + keyBruno, ""}, []string{"recipients changed"}},
		{"order of to", []string{keyAnna + ", " + keyBruno, keyBruno + ", " + keyAnna}, []string{"recipients in another order"}},
		{"cc", []string{keyCarla, "dario@beta-pec.example"}, []string{"Cc changed"}},
		{"subject", []string{"Fattura", "Fatture"}, []string{"subject changed"}},
		{"receipt", []string{"breve", "completa"}, []string{"receipt kind changed"}},
		{"content", []string{"\r\nuno", "\r\ndue"}, []string{"attachment a.txt changed"}},
		{"name", []string{"a.txt", "b.txt"}, []string{"attachment a.txt removed", "attachment b.txt added"}},
		{"name with a line break", []string{`filename="a.txt"`, `filename*=utf-8''b%0Ac`}, []string{"attachment a.txt removed", `attachment "b\nc" added`}},
		{"message-id", []string{"<one@", "<two@"}, []string{"Message-ID changed"}},
		{"no message-id", []string{"Message-ID: <one@alfa-pec.example>\r\n", ""}, []string{bytesDiffer}},
		{"text", []string{"In allegato.", "In allegato:"}, []string{bytesDiffer}},
		{"date", []string{"10:00:00", "10:00:01"}, []string{bytesDiffer}},
		{"subject encoded", []string{"Fattura", "=?utf-8?q?Fattura?="}, []string{bytesDiffer}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &acceptingPorts{}
			c := keyClient(t, n, p, nil)
			id, err := c.SendRaw(t.Context(), keyedRaw())
			require.NoError(t, err)
			_, err = c.SendRaw(t.Context(), keyedRaw(test.change...))
			requireDifferences(t, err, id, test.want...)
			again, err := c.SendRaw(t.Context(), keyedRaw())
			require.NoError(t, err)
			require.Equal(t, id, again)
			require.Equal(t, 1, p.taken)
		})
	}
}

func TestAKeyErrorBetweenSendAndSendRaw(t *testing.T) {
	n := pectest.Start(t, nil)
	plain := func() pec.Message {
		return pec.Message{
			To: []string{keyAnna, keyBruno}, Cc: []string{keyCarla}, Subject: "Fattura", Text: "In allegato.",
			Receipt: receipt.DetailBrief, Attachments: []pec.Attachment{attached("a.txt", "uno")}, Key: "k",
		}
	}
	c := keyClient(t, n, &acceptingPorts{}, nil)
	id, err := c.SendRaw(t.Context(), keyedRaw())
	require.NoError(t, err)
	_, err = c.Send(t.Context(), plain())
	requireDifferences(t, err, id, somethingElse)

	c = keyClient(t, n, &acceptingPorts{}, nil)
	id, err = c.Send(t.Context(), plain())
	require.NoError(t, err)
	_, err = c.SendRaw(t.Context(), keyedRaw("Message-ID: <one@alfa-pec.example>\r\n", ""))
	requireDifferences(t, err, id, "something else changed: a raw message has to be the same, byte for byte")
}

func TestAKeyErrorBetweenSendAndResend(t *testing.T) {
	n := pectest.Start(t, nil)
	p := &acceptingPorts{}
	c := keyClient(t, n, p, nil)
	id, err := c.Send(t.Context(), keyed())
	require.NoError(t, err)
	_, err = c.Resend(t.Context(), id, keyed())
	requireDifferences(t, err, id, "the message to repeat changed")
	require.Equal(t, 1, p.taken)
}

// A Store that has lost a send knows of it what its notices say.
func TestAKeyErrorAboutALostSend(t *testing.T) {
	n := pectest.Start(t, nil)
	opts := func() *pec.Options { return &pec.Options{KeySecret: bytes.Repeat([]byte{7}, 32)} }
	p := &acceptingPorts{}
	id, err := keyClient(t, n, p, opts()).Send(t.Context(), keyed())
	require.NoError(t, err)
	raw, err := n.Providers()[0].Emit(pectest.Notice{
		Kind: pectest.KindAcceptance, Sender: keySender, MessageID: "<" + id + ">", CertID: "p1@alfa-pec.example", Subject: "Fattura",
		Recipients: []pectest.Recipient{{Address: keyAnna}, {Address: keyBruno}, {Address: keyCarla}},
	})
	require.NoError(t, err)
	p.inbox = [][]byte{raw}
	c := keyClient(t, n, p, opts()) // with a new Store
	for _, err := range c.Sync(t.Context()) {
		require.NoError(t, err)
	}
	refuse := func(change func(*pec.Message), want ...string) {
		t.Helper()
		m := keyed()
		change(&m)
		_, err := c.Send(t.Context(), m)
		requireDifferences(t, err, id, want...)
	}
	refuse(func(m *pec.Message) { m.To = m.To[:1] }, "recipients changed")
	refuse(func(m *pec.Message) { m.Cc, m.Subject = []string{"dario@beta-pec.example"}, "Altro" }, "recipients changed", "subject changed")

	again, err := c.Send(t.Context(), keyed()) // adopts it
	require.NoError(t, err)
	require.Equal(t, id, again)
	refuse(func(m *pec.Message) { m.Cc = nil }, "Cc changed")
	refuse(func(m *pec.Message) { m.Attachments = nil },
		"something else changed: an attachment, text, HTML, Reply-To, In-Reply-To, an extra header field, or SendRaw in the place of Send")
	again, err = c.Send(t.Context(), keyed())
	require.NoError(t, err)
	require.Equal(t, id, again)
	require.Equal(t, 1, p.taken)
}

// forgetfulStore fails to give an Intent.
type forgetfulStore struct {
	pec.Store
	fails bool
}

func (s *forgetfulStore) Entry(ctx context.Context, mailbox, key string) (pec.Entry, error) {
	if s.fails && strings.HasPrefix(key, "intent@") {
		return pec.Entry{}, io.ErrUnexpectedEOF
	}
	return s.Store.Entry(ctx, mailbox, key)
}

// The digest of the request decides, whatever else can be read.
func TestAKeyErrorWithoutTheFirstSend(t *testing.T) {
	store := &forgetfulStore{Store: pec.NewMemory()}
	c := keyClient(t, pectest.Start(t, nil), &acceptingPorts{}, &pec.Options{Store: store})
	id, err := c.Send(t.Context(), keyed())
	require.NoError(t, err)
	store.fails = true
	other := keyed()
	other.Subject = "Altro"
	_, err = c.Send(t.Context(), other)
	requireDifferences(t, err, id)
}

// Under the race detector these counts would measure the detector.

//go:build !race

package pec_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/growth"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/dossier"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

// countingReader counts the bytes that are read from a message.
type countingReader struct {
	io.ReaderAt
	read int64
}

func (r *countingReader) ReadAt(p []byte, at int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(p, at)
	r.read += int64(n)
	return n, err
}

// Every entry point is given inputs of size n and 4n.
func TestWorkGrowsAsTheInputDoes(t *testing.T) {
	n := pectest.Start(t, nil)
	var cases []growth.Case
	for _, more := range [][]growth.Case{composing(n), rawComposing(n), opening(n), bouncing(n), contents(n), verifying(n), folding(), stored(n), dossiers(n), simulating(n)} {
		require.NotEmpty(t, more)
		cases = append(cases, more...)
	}
	growth.Run(t, cases)
}

// composing has messages to compose.
func composing(n *pectest.Network) (cases []growth.Case) {
	for name, m := range map[string]func(n int) pec.Message{
		"recipients": func(n int) pec.Message { return pec.Message{To: addresses(n)} },
		"cc":         func(n int) pec.Message { return pec.Message{To: []string{luigi}, Cc: addresses(n)} },
		"lines":      func(n int) pec.Message { return pec.Message{Text: lines(8*n, "riga %d\n")} },
		"one line":   func(n int) pec.Message { return pec.Message{Text: strings.Repeat("è", 16*n)} },
		"html":       func(n int) pec.Message { return pec.Message{Text: "x", HTML: lines(8*n, "<p>%d</p>\n")} },
		"subject":    func(n int) pec.Message { return pec.Message{Subject: strings.Repeat("è ", 4*n)} },
		"name": func(n int) pec.Message {
			return pec.Message{To: []string{strings.Repeat("è ", 4*n) + "<" + luigi + ">"}}
		},
		"fields": func(n int) (m pec.Message) {
			for i := range n {
				m.ExtraHeader = append(m.ExtraHeader, pec.HeaderField{Name: fmt.Sprintf("X-Campo-%d", i), Value: "valore"})
			}
			return m
		},
		"attachments": func(n int) (m pec.Message) {
			for i := range n {
				m.Attachments = append(m.Attachments, pec.Attachment{Name: fmt.Sprintf("%d.txt", i), Content: strings.NewReader("contenuto")})
			}
			return m
		},
		"problems": func(n int) (m pec.Message) {
			for i := range n {
				m.Cc = append(m.Cc, fmt.Sprintf("%d non è un indirizzo", i))
			}
			return m
		},
	} {
		cases = append(cases, growth.Case{Name: "Check/" + name, N: 1000, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			c, _, _ := newCountingClient(tb, n)
			message := m(size)
			if message.To == nil {
				message.To = []string{luigi}
			}
			return func() int64 {
				_, err := c.Check(context.Background(), message)
				require.Equal(tb, name == "problems", err != nil, err)
				if err != nil {
					require.NotEmpty(tb, err.Error())
				}
				return 0
			}
		}})
	}
	return cases
}

const rawHead = "From: mario@alfa-pec.example\nTo: luigi@beta-pec.example\nSubject: x\nDate: Sat, 21 Nov 2026 12:00:00 +0100\nMIME-Version: 1.0\n"

// rawComposing has messages that the caller has written.
func rawComposing(n *pectest.Network) (cases []growth.Case) {
	for name, m := range map[string]struct {
		content func(n int) string
		refused bool
	}{
		"continuation lines": {func(n int) string {
			return rawHead + "X-Nota: a\n" + lines(n, " riga %d di una nota che continua\n") + "\nx\n"
		}, false},
		"references": {func(n int) string {
			return rawHead + "References: <a@b>\n" + lines(n, " <%d@alfa-pec.example>\n") + "\nx\n"
		}, false},
		"fields": {func(n int) string { return rawHead + lines(n, "X-Campo-%d: valore\n") + "\nx\n" }, false},
		"recipients": {func(n int) string {
			return strings.Replace(rawHead, "To: ", "To: "+lines(n, "r%d@beta-pec.example,\n "), 1) + "\nx\n"
		}, false},
		"encoded words": {func(n int) string {
			return strings.Replace(rawHead, "Subject: ", "Subject: "+lines(n, "=?utf-8?q?%d_\n "), 1) + "?=\n\nx\n"
		}, false},
		"body":                {func(n int) string { return rawHead + "\n" + lines(8*n, "riga %d\n") }, false},
		"lines of no field":   {func(n int) string { return rawHead + lines(n, "riga %d\n") + "\nx\n" }, true},
		"blank continuations": {func(n int) string { return rawHead + strings.Repeat(" \n", n) + "\nx\n" }, true},
		"repeated fields":     {func(n int) string { return rawHead + lines(n, "Subject: %d\n") + "\nx\n" }, true},
		"comments": {func(n int) string {
			return strings.Replace(rawHead, "To: ", "To: "+strings.Repeat("(", 4*n)+strings.Repeat(")", 4*n)+" ", 1) + "\nx\n"
		}, true},
	} {
		cases = append(cases, growth.Case{Name: "CheckRaw/" + name, N: 4000, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			c, _, _ := newCountingClient(tb, n)
			content := m.content(size)
			return func() int64 {
				_, err := c.CheckRaw(context.Background(), pec.RawMessage{Content: strings.NewReader(content)})
				if m.refused { // the others may be refused too, for their length
					require.Error(tb, err)
				}
				return 0
			}
		}})
	}
	cases = append(cases, growth.Case{Name: "CheckRaw/parts", N: 200, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
		c, _, _ := newCountingClient(tb, n)
		content := rawHead + "Content-Type: multipart/mixed; boundary=b\n\n" + lines(size, "--b\nContent-Disposition: attachment; filename=f%d\n\nx\n") + "--b--\n"
		return func() int64 {
			_, err := c.CheckRaw(context.Background(), pec.RawMessage{Content: strings.NewReader(content)})
			require.NoError(tb, err)
			return 0
		}
	}})
	return cases
}

// strangers are headers and contents that anybody can write, each of n units.
var strangers = map[string]struct {
	n       int
	content func(n int) string
}{
	"fields":             {400, func(n int) string { return lines(n, "X-Campo-%d: valore\n") + "\nx\n" }},
	"continuation lines": {4000, func(n int) string { return "X-Nota: a\n" + lines(n, " riga %d\n") + "\nx\n" }},
	"lines of no field":  {4000, func(n int) string { return lines(n, "riga %d\n") + "\nx\n" }},
	"references":         {4000, func(n int) string { return "References:" + lines(n, " <%d@alfa-pec.example>\n") + "\nx\n" }},
	"bare references":    {4000, func(n int) string { return "References:" + lines(n, " %d@alfa-pec.example\n") + "\nx\n" }},
	"open brackets":      {4000, func(n int) string { return "References: " + strings.Repeat("<", n) + "\n\nx\n" }},
	"recipients":         {2000, func(n int) string { return "To: " + lines(n, "r%d@beta-pec.example,\n ") + luigi + "\n\nx\n" }},
	"broken recipients":  {2000, func(n int) string { return "To: " + lines(n, "r%d@beta-pec.example;,\n ") + luigi + "\n\nx\n" }},
	"groups":             {2000, func(n int) string { return "To: " + lines(n, "g%d: a@b.it;, ") + luigi + "\n\nx\n" }},
	"open groups":        {2000, func(n int) string { return "To: " + lines(n, "g%d: ") + luigi + "\n\nx\n" }},
	"comments": {4000, func(n int) string {
		return "From: " + strings.Repeat("(a", n) + strings.Repeat(")", n) + " " + luigi + "\n\nx\n"
	}},
	"open comments": {2000, func(n int) string { return "From: " + strings.Repeat("(a,", n) + "\n\nx\n" }},
	"comment after": {4000, func(n int) string {
		return "From: " + luigi + " " + strings.Repeat("(a ", n) + strings.Repeat(")", n) + "\n\nx\n"
	}},
	"quotes":             {2000, func(n int) string { return "From: " + strings.Repeat(`"a" `, n) + "<" + luigi + ">\n\nx\n" }},
	"open quotes":        {2000, func(n int) string { return "From: " + strings.Repeat(`"a,`, n) + "\n\nx\n" }},
	"domain literals":    {2000, func(n int) string { return "From: a@[" + strings.Repeat("a", 8*n) + "]\n\nx\n" }},
	"words":              {2000, func(n int) string { return "From: " + strings.Repeat("=?utf-8?q?a?= ", n) + "<" + luigi + ">\n\nx\n" }},
	"unended words":      {4000, func(n int) string { return "Subject: " + strings.Repeat("=?utf-8?q?a ", n) + "?=\n\nx\n" }},
	"unended base64":     {4000, func(n int) string { return "Subject: " + strings.Repeat("=?utf-8?b?a ", n) + "?=\n\nx\n" }},
	"words of a subject": {4000, func(n int) string { return "Subject: " + strings.Repeat("=?utf-8?b?YQ==?= ", n) + "\n\nx\n" }},
	"unknown charsets":   {4000, func(n int) string { return "Subject: " + lines(n, "=?x-%d?q?a?= ") + "\n\nx\n" }},
	"parameters":         {2000, func(n int) string { return "Content-Type: text/plain; " + lines(n, "a%d=b; ") + "\n\nx\n" }},
	"escaped parameter":  {4000, func(n int) string { return `Content-Type: text/plain; name="` + strings.Repeat(`\"`, n) + "\"\n\nx\n" }},
	"parts": {200, func(n int) string {
		return "Content-Type: multipart/mixed; boundary=b\n\n" + lines(n, "--b\nContent-Disposition: attachment; filename=f%d\n\nx\n") + "--b--\n"
	}},
	"empty parts": {200, func(n int) string {
		return "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n", n) + "--b--\n"
	}},
	"nested parts": {7, func(n int) string {
		text := lines(n, "Content-Type: multipart/mixed; boundary=b%[1]d.\n\n--b%[1]d.\n")
		return text + "\nx\n"
	}},
	"nearly delimiters": {4000, func(n int) string {
		return "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + lines(n, "--b %d\n") + "\n--b--\n"
	}},
	"lines of text": {8000, func(n int) string { return "\n" + lines(n, "riga %d\n") }},
	"quoted-printable": {8000, func(n int) string {
		return "Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("=C3=A8", n)
	}},
	"base64": {8000, func(n int) string { return "Content-Transfer-Encoding: base64\n\n" + strings.Repeat("YWJj\n", n) }},
	"long name": {6000, func(n int) string {
		return "Content-Disposition: attachment; filename=\"" + strings.Repeat("=?utf-8?q?a?= ", n) + "\"\n\nx\n"
	}},
	"continued name": {20, func(n int) string {
		return "Content-Disposition: attachment" + lines(n, "; filename*%d=abcdefghijklmnopqrstuvwxyz") + "\n\nx\n"
	}},
}

// opening has envelopes from others to read.
func opening(n *pectest.Network) (cases []growth.Case) {
	for name, s := range strangers {
		for _, kind := range []string{pectest.KindTransport, pectest.KindAnomaly} {
			cases = append(cases, growth.Case{Name: "Sync/" + kind + "/" + name, N: s.n, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
				c, p, store := newCountingClient(tb, n)
				raw, err := n.Providers()[1].Emit(pectest.Notice{
					Kind: kind, Sender: luigi, MessageID: "<m9@beta-pec.example>", Recipients: []pectest.Recipient{{Address: me}},
					Original: []byte(crlf(s.content(size))),
				})
				require.NoError(tb, err)
				p.inbox = [][]byte{raw}
				return func() int64 {
					seen := 0
					for e, err := range c.Sync(context.Background()) {
						require.NoError(tb, err)
						require.NotNil(tb, e.Inbound)
						seen++
						_, _ = e.Inbound.Text()
						_, _ = e.Inbound.HTML()
						for _, err := range e.Inbound.Attachments() {
							require.NoError(tb, err)
						}
					}
					require.Equal(tb, 1, seen)
					return store.read
				}
			}})
		}
	}
	return cases
}

// bouncing has forged bounces of a send of ours.
func bouncing(n *pectest.Network) (cases []growth.Case) {
	for name, s := range map[string]func(n int) string{
		"recipients": func(n int) string {
			return lines(n, "\nFinal-Recipient: rfc822; r%d@beta-pec.example\nAction: failed\nStatus: 5.1.1\n")
		},
		"others": func(n int) string {
			return lines(n, "\nFinal-Recipient: rfc822; r%d@example.org\nAction: failed\nStatus: 5.1.1\n")
		},
		"diagnostic": func(n int) string {
			return "\nFinal-Recipient: rfc822; r1@beta-pec.example\nAction: failed\nDiagnostic-Code: smtp; " + lines(8*n, "riga %d\n ") + "\n"
		},
		"words": func(n int) string {
			return "\nFinal-Recipient: rfc822; r1@beta-pec.example\nAction: failed\nDiagnostic-Code: smtp; " + strings.Repeat("=?utf-8?q?a ", 8*n) + "?=\n"
		},
	} {
		cases = append(cases, growth.Case{Name: "Sync/bounce/" + name, N: 200, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			c, p, store := newCountingClient(tb, n)
			id, err := c.Send(tb.Context(), pec.Message{To: addresses(size)})
			require.NoError(tb, err)
			p.inbox = [][]byte{bounceMail(tb, n, id, s(size))}
			before := store.read
			return func() int64 {
				for e, err := range c.Sync(context.Background()) {
					require.NoError(tb, err)
					require.Equal(tb, id, e.MessageID)
				}
				return store.read - before
			}
		}})
	}
	return cases
}

// contents has delivery receipts to compare with what was sent.
func contents(n *pectest.Network) (cases []growth.Case) {
	for name, s := range strangers {
		for _, detail := range []string{pectest.ReceiptFull, pectest.ReceiptBrief} {
			cases = append(cases, growth.Case{Name: "CheckContent/" + detail + "/" + name, N: s.n, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
				original := crlf("Message-ID: <m1@alfa-pec.example>\n" + s.content(size))
				raw, err := n.Providers()[1].Emit(pectest.Notice{
					Kind: pectest.KindDelivery, Sender: me, MessageID: "<m1@alfa-pec.example>", Delivered: luigi, ReceiptKind: detail,
					Recipients: []pectest.Recipient{{Address: luigi}}, Original: []byte(strings.ReplaceAll(original, "a", "b")),
				})
				require.NoError(tb, err)
				v := trusttest.Verifier(tb, n, nil)
				return func() int64 {
					source := &countingReader{ReaderAt: bytes.NewReader(raw)}
					notice, err := receipt.Open(context.Background(), io.NewSectionReader(source, 0, int64(len(raw))), v)
					require.NoError(tb, err)
					defer notice.Close()
					_, err = receipt.CheckContent(io.NewSectionReader(strings.NewReader(original), 0, int64(len(original))), notice.(*receipt.Delivery))
					require.NoError(tb, err)
					return source.read
				}
			}})
		}
	}
	return cases
}

// verifying has messages that are long outside their signed content.
func verifying(n *pectest.Network) (cases []growth.Case) {
	good := func(tb testing.TB, size int, field string) []byte {
		var recipients []pectest.Recipient
		for _, a := range addresses(size) {
			recipients = append(recipients, pectest.Recipient{Address: a})
		}
		raw, err := n.Providers()[0].Emit(pectest.Notice{
			Kind: pectest.KindAcceptance, Sender: me, MessageID: "<m1@alfa-pec.example>", Recipients: recipients, Subject: field,
		})
		require.NoError(tb, err)
		return raw
	}
	for name, c := range map[string]struct {
		n    int
		make func(tb testing.TB, n int) []byte
	}{
		"recipients": {1000, func(tb testing.TB, n int) []byte { return good(tb, n, "x") }},
		"subject":    {4000, func(tb testing.TB, n int) []byte { return good(tb, 1, strings.Repeat("oggetto ", n)) }},
		"fields": {400, func(tb testing.TB, n int) []byte {
			return append([]byte(crlf(lines(n, "X-Campo-%d: valore\n"))), good(tb, 1, "x")...)
		}},
		"no fields": {8000, func(tb testing.TB, n int) []byte {
			return append([]byte(crlf(lines(n, "riga %d\n"))), good(tb, 1, "x")...)
		}},
		"continued": {8000, func(tb testing.TB, n int) []byte {
			return append([]byte(crlf("X-Nota: a\n"+lines(n, " riga %d\n"))), good(tb, 1, "x")...)
		}},
		"comments": {8000, func(tb testing.TB, n int) []byte {
			return bytes.Replace(good(tb, 1, "x"), []byte("From: "), []byte("From: "+strings.Repeat("(", n)+strings.Repeat(")", n)), 1)
		}},
		"from words": {8000, func(tb testing.TB, n int) []byte {
			return bytes.Replace(good(tb, 1, "x"), []byte("From: "), []byte("From: "+strings.Repeat("=?utf-8?q?a ", n)), 1)
		}},
		"parts": {200, func(tb testing.TB, n int) []byte {
			raw := good(tb, 1, "x")
			return bytes.Replace(raw, []byte("Content-Type: text/plain"), []byte(crlf("X: a\n"+lines(n, "Content-Type-%d: x\n")+"Content-Type: text/plain")), 1)
		}},
		"ordinary": {8000, func(_ testing.TB, n int) []byte { return []byte(crlf("From: a@b.it\n\n" + lines(n, "riga %d\n"))) }},
	} {
		cases = append(cases, growth.Case{Name: "Open/" + name, N: c.n, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			raw := c.make(tb, size)
			v := trusttest.Verifier(tb, n, nil)
			return func() int64 {
				source := &countingReader{ReaderAt: bytes.NewReader(raw)}
				m, err := envelope.Open(context.Background(), io.NewSectionReader(source, 0, int64(len(raw))), v)
				if err == nil {
					m.Close()
				}
				return source.read
			}
		}})
	}
	return append(cases, growth.Case{Name: "ParseIndex", N: 4000, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
		ldif := "dn: a\nproviderName: a\n" + lines(size, "managedDomains: d%d.it\n") + "description: a\n" + lines(size, " %d\n")
		return func() int64 {
			_, err := envelope.ParseIndex(strings.NewReader(ldif))
			require.NoError(tb, err)
			return 0
		}
	}})
}

// factsOfKind returns n facts of one kind about a send, with those that must come before.
var factsOfKind = map[string]func(n int) []pec.Fact{
	"attempts": func(n int) (facts []pec.Fact) {
		for i := range n / 2 {
			at := sentAt.Add(time.Duration(i) * time.Hour)
			facts = append(facts, pec.Attempt{N: i + 1, At: at}, pec.AttemptOutcome{N: i + 1, At: at, Outcome: pec.Outcome{Kind: pec.OutcomeTemporary}})
		}
		return facts
	},
	"uncertain attempts": func(n int) (facts []pec.Fact) {
		for i := range n {
			facts = append(facts, pec.Attempt{N: i + 1, At: sentAt})
		}
		return facts
	},
	"deliveries": func(n int) (facts []pec.Fact) {
		for i := range n {
			facts = append(facts, numbered(i, envelope.KindDelivery, time.Duration(i)*time.Second))
		}
		return facts
	},
	"earlier and earlier": func(n int) (facts []pec.Fact) {
		for i := range n {
			facts = append(facts, numbered(i, envelope.KindDeliveryDelay, -time.Duration(i)*time.Second))
		}
		return facts
	},
	"notices that do not join": func(n int) (facts []pec.Fact) {
		for i := range n {
			f := numbered(i, envelope.KindDelivery, 0)
			f.Sender = bruna
			facts = append(facts, f)
		}
		return facts
	},
	"unverified": func(n int) (facts []pec.Fact) {
		for i := range n {
			facts = append(facts, pec.UnverifiedFact{SHA256: envelope.Digest{1, byte(i), byte(i >> 8), byte(i >> 16)}, Digest: envelope.Digest{2, byte(i), byte(i >> 8), byte(i >> 16)}})
		}
		return facts
	},
	"unverified and proven": func(n int) (facts []pec.Fact) {
		for i := range n / 2 {
			f := numbered(i, envelope.KindTakeInCharge, 0)
			facts = append(facts, pec.UnverifiedFact{SHA256: envelope.Digest{1, byte(i), byte(i >> 8), byte(i >> 16)}, Digest: f.Digest}, f)
		}
		return facts
	},
	"bounces": func(n int) (facts []pec.Fact) {
		for i := range n {
			facts = append(facts, pec.BounceFact{Digest: envelope.Digest{3, byte(i), byte(i >> 8)}, Recipient: info})
		}
		return facts
	},
	"resent": func(n int) (facts []pec.Fact) {
		for _, a := range addresses(n) {
			facts = append(facts, pec.Resent{Recipient: a, By: "m2@alfa-pec.example"})
		}
		return facts
	},
}

// numbered returns a notice to luigi with a digest made from i.
func numbered(i int, kind envelope.Kind, after time.Duration) pec.NoticeFact {
	f := notice(1, kind, luigi, after)
	f.Digest = envelope.Digest{9, byte(i), byte(i >> 8)}
	return f
}

// folding has many facts about one send.
func folding() (cases []growth.Case) {
	for name, facts := range factsOfKind {
		cases = append(cases, growth.Case{Name: "Fold/" + name, N: 2000, CPU: true, Prepare: func(tb testing.TB, n int) growth.Call {
			all := append([]pec.Fact{intent(luigi, info)}, facts(n)...)
			return func() int64 {
				require.NotEmpty(tb, pec.Fold(all, later).Result)
				return 0
			}
		}})
		cases = append(cases, growth.Case{Name: "Changes/" + name, N: 1000, CPU: true, Prepare: func(tb testing.TB, n int) growth.Call {
			return changes(tb, append([]pec.Fact{intent(luigi, info)}, facts(n)...))
		}})
		cases = append(cases, growth.Case{Name: "Changes/elsewhere/" + name, N: 1000, CPU: true, Prepare: func(tb testing.TB, n int) growth.Call {
			return changes(tb, append([]pec.Fact{acceptance()}, facts(n)...))
		}})
	}
	cases = append(cases, growth.Case{Name: "Fold/recipients", N: 1000, CPU: true, Prepare: func(tb testing.TB, n int) growth.Call {
		all := toMany(n)
		return func() int64 {
			require.Len(tb, pec.Fold(all, later).Recipients, n)
			return 0
		}
	}}, growth.Case{Name: "Changes/recipients", N: 1000, CPU: true, Prepare: func(tb testing.TB, n int) growth.Call {
		return changes(tb, toMany(n))
	}})
	return append(cases, growth.Case{Name: "Changes/by turns", N: 500, CPU: true, Prepare: func(tb testing.TB, n int) growth.Call {
		var interleaved []pec.Entry
		for i := range n {
			for j := range 4 {
				send := fmt.Sprintf("m%d@alfa-pec.example", j)
				e, err := pec.NewEntryForTest(send, pec.Attempt{N: i + 1, At: sentAt})
				require.NoError(tb, err)
				interleaved = append(interleaved, e)
			}
		}
		return follow(tb, interleaved)
	}})
}

// toMany returns a few facts about a send to n recipients.
func toMany(n int) []pec.Fact {
	accepted := acceptance()
	accepted.Recipients = nil
	for _, a := range addresses(n) {
		accepted.Recipients = append(accepted.Recipients, envelope.Recipient{Address: a, Certified: true})
	}
	delivered := numbered(1, envelope.KindDelivery, 0)
	delivered.Recipient, delivered.Recipients = addresses(n)[n-1], accepted.Recipients
	return append(submitted(addresses(n)...), accepted, delivered)
}

// changes reads the changes of a ledger that has the facts, all about one send.
func changes(tb testing.TB, facts []pec.Fact) growth.Call {
	var entries []pec.Entry
	for _, f := range facts {
		e, err := pec.NewEntryForTest(ourID, f)
		require.NoError(tb, err)
		entries = append(entries, e)
	}
	return follow(tb, entries)
}

// follow reads the changes of a ledger that has the entries.
func follow(tb testing.TB, entries []pec.Entry) growth.Call {
	store := &countingStore{Store: pec.NewMemory()}
	for _, e := range entries {
		added, err := store.Append(tb.Context(), me, e)
		require.NoError(tb, err)
		require.True(tb, added, e.Key)
	}
	ledger, err := pec.NewLedger(me, store, nil)
	require.NoError(tb, err)
	return func() int64 {
		seen := 0
		for c, err := range ledger.Changes(context.Background(), "") {
			require.NoError(tb, err)
			require.NotNil(tb, c.Fact)
			c.Recipients()
			seen++
		}
		require.Equal(tb, len(entries), seen)
		return store.read
	}
}

// stored has calls on a store that holds much.
func stored(n *pectest.Network) (cases []growth.Case) {
	return []growth.Case{
		{Name: "Send/recipients", N: 200, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			c, _, store := newCountingClient(tb, n)
			return func() int64 {
				_, err := c.Send(context.Background(), pec.Message{To: addresses(size)})
				require.NoError(tb, err)
				return store.read
			}
		}},
		{Name: "Resend/recipients", N: 500, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			c, p, store := newCountingClient(tb, n)
			p.outcome = pec.OutcomeRefused
			first, err := c.Send(tb.Context(), pec.Message{To: addresses(size)})
			require.Error(tb, err)
			p.outcome = pec.OutcomeSubmitted
			before := store.read
			return func() int64 {
				_, err := c.Resend(context.Background(), first, pec.Message{To: addresses(size)})
				require.NoError(tb, err)
				_, err = c.Resend(context.Background(), first, pec.Message{To: addresses(size)})
				require.Error(tb, err)
				return store.read - before
			}
		}},
		{Name: "Find/sends", N: 100, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			c, _, store := newCountingClient(tb, n)
			for range size {
				_, err := c.Send(tb.Context(), pec.Message{To: []string{luigi}})
				require.NoError(tb, err)
			}
			before := store.read
			return func() int64 {
				found := 0
				for _, err := range c.Find(context.Background(), pec.Query{}) {
					require.NoError(tb, err)
					found++
				}
				require.Equal(tb, size, found)
				return store.read - before
			}
		}},
		{Name: "Sync/notices", N: 50, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			c, p, store := newCountingClient(tb, n)
			id, err := c.Send(tb.Context(), pec.Message{To: []string{luigi}})
			require.NoError(tb, err)
			for range size {
				raw, err := n.Providers()[0].Emit(pectest.Notice{
					Kind: pectest.KindTakeInCharge, Sender: me, MessageID: "<" + id + ">", CertID: "p1@alfa-pec.example", Recipients: []pectest.Recipient{{Address: luigi}},
				})
				require.NoError(tb, err)
				p.inbox = append(p.inbox, raw)
			}
			before := store.read
			return func() int64 {
				for _, err := range c.Sync(context.Background()) {
					require.NoError(tb, err)
				}
				return store.read - before
			}
		}},
		{Name: "Reverify/claims", N: 4000, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			c, _, store := newCountingClient(tb, n)
			for _, f := range append([]pec.Fact{intent(luigi)}, factsOfKind["unverified"](size)...) {
				e, err := pec.NewEntryForTest(ourID, f)
				require.NoError(tb, err)
				added, err := store.Append(tb.Context(), me, e)
				require.NoError(tb, err)
				require.True(tb, added)
			}
			return func() int64 {
				for e, err := range c.Reverify(context.Background()) {
					require.NoError(tb, err)
					require.Fail(tb, "nothing is proven", "%v", e)
				}
				return store.read
			}
		}},
		{Name: "Status/facts", N: 2000, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			c, _, store := newCountingClient(tb, n)
			for _, f := range append([]pec.Fact{intent(luigi)}, factsOfKind["unverified and proven"](size)...) {
				e, err := pec.NewEntryForTest(ourID, f)
				require.NoError(tb, err)
				_, err = store.Append(tb.Context(), me, e)
				require.NoError(tb, err)
			}
			return func() int64 {
				s, err := c.Status(context.Background(), ourID)
				require.NoError(tb, err)
				require.Len(tb, s.Recipients, 1)
				return store.read
			}
		}},
		{Name: "Sync/bounces", N: 50, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			c, p, store := newCountingClient(tb, n)
			id, err := c.Send(tb.Context(), pec.Message{To: []string{info}})
			require.NoError(tb, err)
			for range size {
				p.inbox = append(p.inbox, bounceMail(tb, n, id, "\nFinal-Recipient: rfc822; "+info+"\nAction: failed\n"))
			}
			before := store.read
			return func() int64 {
				for _, err := range c.Sync(context.Background()) {
					require.NoError(tb, err)
				}
				return store.read - before
			}
		}},
		{Name: "SendRaw/continuation lines", N: 500, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			c, _, store := newCountingClient(tb, n)
			content := rawHead + "X-Nota: a\n" + lines(size, " riga %d\n") + "\nx\n"
			return func() int64 {
				_, err := c.SendRaw(context.Background(), pec.RawMessage{Content: strings.NewReader(content)})
				require.NoError(tb, err)
				return store.read
			}
		}},
		{Name: "Memory/entries of an Append", N: 1000, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			var entries []pec.Entry
			for i := range size {
				entries = append(entries, pec.Entry{Key: fmt.Sprint(i), Send: "a@x"})
			}
			store := pec.NewMemory()
			return func() int64 {
				added, err := store.Append(context.Background(), me, entries...)
				require.NoError(tb, err)
				require.True(tb, added)
				return 0
			}
		}},
	}
}

// simulating has messages for the provider network to make.
func simulating(n *pectest.Network) (cases []growth.Case) {
	for name, notice := range map[string]func(n int) pectest.Notice{
		"recipients": func(n int) (notice pectest.Notice) {
			for _, a := range addresses(n) {
				notice.Recipients = append(notice.Recipients, pectest.Recipient{Address: a})
			}
			return notice
		},
		"subject": func(n int) pectest.Notice { return pectest.Notice{Subject: strings.Repeat("oggetto ", n)} },
		"original": func(n int) pectest.Notice {
			return pectest.Notice{Original: []byte(crlf("\n" + lines(n, "riga %d\n")))}
		},
	} {
		cases = append(cases, growth.Case{Name: "pectest/Emit/" + name, N: 4000, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			made := notice(size)
			made.Kind, made.Sender, made.MessageID, made.Delivered = pectest.KindDelivery, me, "<m1@alfa-pec.example>", luigi
			return func() int64 {
				raw, err := n.Providers()[0].Emit(made)
				require.NoError(tb, err)
				return int64(len(raw))
			}
		}})
	}
	return cases
}

// dossiers has dossiers to write and to verify.
func dossiers(n *pectest.Network) (cases []growth.Case) {
	anchors := trusttest.Anchors(n)
	write := func(tb testing.TB, c *pec.Client, id string) []byte {
		var file bytes.Buffer
		_, err := dossier.Write(context.Background(), &file, dossier.FromLedger(c.Ledger, id), anchors, nil)
		require.NoError(tb, err)
		return file.Bytes()
	}
	for name, m := range map[string]struct {
		n    int
		send func(tb testing.TB, c *pec.Client, p *ports, size int) string
	}{
		"recipients": {2000, func(tb testing.TB, c *pec.Client, p *ports, size int) string {
			p.outcome = pec.OutcomeRefused
			all := addresses(size)
			id, err := c.Send(tb.Context(), pec.Message{To: all[:size/2], Cc: all[size/2:]})
			require.Error(tb, err)
			return id
		}},
		"recipients without a receipt": {100, func(tb testing.TB, c *pec.Client, p *ports, size int) string {
			id, err := c.Send(tb.Context(), pec.Message{To: addresses(size)})
			require.NoError(tb, err)
			notice := pectest.Notice{Kind: pectest.KindAcceptance, Sender: me, MessageID: "<" + id + ">"}
			for _, a := range addresses(size) {
				notice.Recipients = append(notice.Recipients, pectest.Recipient{Address: a})
			}
			raw, err := n.Providers()[0].Emit(notice)
			require.NoError(tb, err)
			p.inbox = [][]byte{raw}
			for _, err := range c.Sync(tb.Context()) {
				require.NoError(tb, err)
			}
			return id
		}},
		"attachments": {100, func(tb testing.TB, c *pec.Client, _ *ports, size int) string {
			m := pec.Message{To: []string{luigi}}
			for i := range size {
				m.Attachments = append(m.Attachments, pec.Attachment{Name: fmt.Sprintf("%d.txt", i), Content: strings.NewReader("contenuto")})
			}
			id, err := c.Send(tb.Context(), m)
			require.NoError(tb, err)
			return id
		}},
		"notices": {40, func(tb testing.TB, c *pec.Client, p *ports, size int) string {
			id, err := c.Send(tb.Context(), pec.Message{To: []string{luigi}})
			require.NoError(tb, err)
			for range size {
				raw, err := n.Providers()[0].Emit(pectest.Notice{
					Kind: pectest.KindAcceptance, Sender: me, MessageID: "<" + id + ">", CertID: "p1@alfa-pec.example", Recipients: []pectest.Recipient{{Address: luigi}},
				})
				require.NoError(tb, err)
				p.inbox = append(p.inbox, raw)
			}
			for _, err := range c.Sync(tb.Context()) {
				require.NoError(tb, err)
			}
			return id
		}},
	} {
		prepare := func(tb testing.TB, size int) (*pec.Client, string, *countingStore) {
			c, p, store := newCountingClient(tb, n)
			return c, m.send(tb, c, p, size), store
		}
		cases = append(cases, growth.Case{Name: "dossier/Write/" + name, N: m.n, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			c, id, store := prepare(tb, size)
			before := store.read
			return func() int64 {
				write(tb, c, id)
				return store.read - before
			}
		}}, growth.Case{Name: "dossier/Verify/" + name, N: m.n, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
			c, id, _ := prepare(tb, size)
			file := write(tb, c, id)
			return func() int64 {
				source := &countingReader{ReaderAt: bytes.NewReader(file)}
				_, err := dossier.Verify(context.Background(), source, int64(len(file)), anchors, nil)
				require.NoError(tb, err)
				return source.read
			}
		}})
	}
	return append(cases, growth.Case{Name: "dossier/Verify/altered members", N: 12000, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
		c, _, _ := newCountingClient(tb, n)
		id, err := c.Send(tb.Context(), pec.Message{To: []string{luigi}})
		require.NoError(tb, err)
		file := alteredDossier(tb, write(tb, c, id), size)
		return func() int64 {
			source := &countingReader{ReaderAt: bytes.NewReader(file)}
			_, err := dossier.Verify(context.Background(), source, int64(len(file)), anchors, nil)
			var altered *dossier.Error
			require.ErrorAs(tb, err, &altered)
			require.Len(tb, altered.Alterations, size+1)
			return source.read
		}
	}})
}

// alteredDossier returns a dossier with the same facts, with n notices that are not
// notices, and with a manifest of other files.
func alteredDossier(tb testing.TB, whole []byte, n int) []byte {
	tb.Helper()
	r, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	require.NoError(tb, err)
	facts, err := fs.ReadFile(r, "facts.json")
	require.NoError(tb, err)
	var out, manifest bytes.Buffer
	add := func(name string, content []byte) {
		le := binary.LittleEndian
		head := le.AppendUint32(nil, 0x04034b50)
		head = append(head, 10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0)
		head = le.AppendUint32(head, crc32.ChecksumIEEE(content))
		head = le.AppendUint32(head, uint32(len(content)))
		head = le.AppendUint32(head, uint32(len(content)))
		head = le.AppendUint16(head, uint16(len(name)))
		out.Write(append(le.AppendUint16(head, 0), name+string(content)...))
	}
	add("facts.json", facts)
	for i := range n {
		name := fmt.Sprintf("notices/%04d-acceptance.eml", i)
		fmt.Fprintf(&manifest, "%064x  %s\n", i, name)
		add(name, fmt.Appendf(nil, "X-Ricevuta: accettazione\r\n\r\n%d", i))
	}
	add("manifest.sha256", manifest.Bytes())
	out.Write(append(binary.LittleEndian.AppendUint32(nil, 0x02014b50), make([]byte, 64)...))
	return out.Bytes()
}

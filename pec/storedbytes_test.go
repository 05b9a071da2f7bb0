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

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// weighingStore counts the bytes that it is given to keep.
type weighingStore struct {
	pec.Store
	kept int64
}

func (s *weighingStore) Append(ctx context.Context, box string, entries ...pec.Entry) (bool, error) {
	added, err := s.Store.Append(ctx, box, entries...)
	for _, e := range entries {
		if !added {
			break
		}
		s.kept += int64(len(e.Key) + len(e.Send) + len(e.Data))
		if e.Raw != nil {
			s.kept += e.Raw.Size()
		}
	}
	return added, err
}

// wordy is a Mailbox that cannot read one message, and says so at length.
type wordy struct {
	*ports
	at     uint32
	reason string
}

func (m wordy) Fetch(ctx context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		if at := (pec.Cursor{Folder: after.Folder, UIDValidity: 1, UID: m.at}); after.UID < m.at {
			yield(pec.Item{}, &pec.MessageError{Cursor: at, Err: errors.New(m.reason)})
		}
	}
}

// Whatever kind of message comes in, what is kept of it is not much more than it.
func TestAMessageIsKeptOnce(t *testing.T) {
	const recipients, constant = 50, 256 << 10
	n, other := pectest.Start(t, nil), pectest.Start(t, nil)
	big := strings.Repeat(strings.Repeat("x", 75)+"\r\n", 40_000) // 3 MB
	hostile := strings.Repeat("<", 900_000)
	list := func(class string) (list []pectest.Recipient) {
		for _, a := range addresses(recipients) {
			list = append(list, pectest.Recipient{Address: a, Type: class})
		}
		return list
	}
	emit := func(p *pectest.Provider, notice pectest.Notice) []byte {
		if notice.Recipients == nil {
			notice.Recipients = list("")
		}
		raw, err := p.Emit(notice)
		require.NoError(t, err)
		return raw
	}
	alfa := n.Providers()[0]
	about := func(kind, id string) pectest.Notice {
		return pectest.Notice{Kind: kind, Sender: me, MessageID: "<" + id + ">", CertID: "p1@alfa-pec.example", Delivered: addresses(1)[0]}
	}
	failed := lines(recipients, "\nFinal-Recipient: rfc822; r%d@beta-pec.example\nAction: failed\nStatus: 5.1.1\n")
	bounce := func(class string, groups, filler string) func(id string) [][]byte {
		return func(id string) (inbox [][]byte) {
			if class != "unknown" {
				acceptance := about(pectest.KindAcceptance, id)
				acceptance.Recipients, acceptance.Delivered = list(class), ""
				inbox = append(inbox, emit(alfa, acceptance))
			}
			return append(inbox, emit(alfa, pectest.Notice{
				Kind: pectest.KindAnomaly, Sender: "MAILER-DAEMON@example.org", Recipients: []pectest.Recipient{{Address: me}},
				Original: []byte(crlf("Content-Type: multipart/report; boundary=r\n\n--r\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n"+groups+
					"--r\nContent-Type: text/rfc822-headers\n\nX-Riferimento-Message-ID: <"+id+">\n--r\n\n") + filler + "\r\n--r--\r\n"),
			}))
		}
	}
	one := func(notice func(id string) pectest.Notice) func(id string) [][]byte {
		return func(id string) [][]byte { return [][]byte{emit(alfa, notice(id))} }
	}
	messages := map[string]func(id string) [][]byte{
		"ordinary mail":                  func(string) [][]byte { return [][]byte{[]byte("From: a@b.it\r\n\r\n" + big)} },
		"nothing that can be read":       func(string) [][]byte { return [][]byte{[]byte("X-Ricevuta: accettazione\r\n\r\n" + big)} },
		"bounce of certified recipients": bounce(pectest.RecipientCertified, failed, big),
		"bounce of ordinary recipients":  bounce(pectest.RecipientOrdinary, failed, big),
		"bounce before the acceptance":   bounce("unknown", failed, big),
		"bounce that repeats itself":     bounce(pectest.RecipientOrdinary, strings.Repeat(lines(1, "\nFinal-Recipient: rfc822; r%d@beta-pec.example\nAction: failed\nStatus: 5.1.1\n"), 900), ""),
		"bounce with a long diagnostic": bounce(pectest.RecipientOrdinary, strings.ReplaceAll(failed, "Status: 5.1.1\n",
			"Status: 5.1.1\nDiagnostic-Code: smtp; "+strings.Repeat("<", 4000)+"\n"), ""),
		"transport envelope": func(string) [][]byte {
			return [][]byte{emit(n.Providers()[1], pectest.Notice{Kind: pectest.KindTransport, Sender: luigi, MessageID: "<m9@beta-pec.example>", Original: []byte("\r\n" + big)})}
		},
		"anomaly": func(string) [][]byte {
			return [][]byte{emit(alfa, pectest.Notice{Kind: pectest.KindAnomaly, Sender: "a@example.org", Original: []byte("\r\n" + big)})}
		},
		"foreign notice": func(string) [][]byte {
			return [][]byte{emit(alfa, pectest.Notice{Kind: pectest.KindDelivery, Sender: bruna, MessageID: "<m8@x>", Delivered: luigi, Original: []byte("\r\n" + big)})}
		},
		"delivery": one(func(id string) pectest.Notice {
			notice := about(pectest.KindDelivery, id)
			notice.Original = []byte("Message-ID: <" + id + ">\r\n\r\n" + big)
			return notice
		}),
		"delivery of another header": one(func(id string) pectest.Notice {
			notice := about(pectest.KindDelivery, id)
			notice.Original = []byte("Message-ID: <" + id + ">\r\n" + crlf(lines(1900, "a%d:\n")) + "\r\n")
			return notice
		}),
		"long words of a server": one(func(id string) pectest.Notice {
			notice := about(pectest.KindNonDelivery, id)
			notice.ErrorText = hostile[:200_000]
			return notice
		}),
		"notice not trusted": func(id string) [][]byte {
			notice := about(pectest.KindDelivery, id)
			notice.Original = []byte("\r\n" + big)
			return [][]byte{emit(other.Providers()[1], notice)}
		},
		"notice not trusted, with a long name": func(id string) [][]byte {
			notice := about(pectest.KindDelivery, id)
			notice.Provider = hostile[:200_000]
			return [][]byte{emit(other.Providers()[1], notice)}
		},
		"altered notice": func(id string) [][]byte {
			notice := about(pectest.KindDelivery, id)
			notice.Provider = hostile[:200_000]
			return [][]byte{bytes.Replace(emit(alfa, notice), []byte("Il giorno"), []byte("Il Giorno"), 1)}
		},
	}
	for _, kind := range []string{
		pectest.KindAcceptance, pectest.KindNonAcceptance, pectest.KindTakeInCharge, pectest.KindNonDelivery,
		pectest.KindDeliveryDelay, pectest.KindVirusDetection,
	} {
		messages[kind] = one(func(id string) pectest.Notice { return about(kind, id) })
	}
	for name, make := range messages {
		t.Run(name, func(t *testing.T) {
			store, p := &weighingStore{Store: pec.NewMemory()}, &ports{outcome: pec.OutcomeSubmitted}
			o := open(t, n, p, store, nil)
			id, err := o.Send(t.Context(), pec.Message{To: addresses(recipients)})
			require.NoError(t, err)
			p.inbox = make(id)
			before, received := store.kept, 0
			for _, raw := range p.inbox {
				received += len(raw)
			}
			for range 2 { // the second time as after a crash, or from another folder
				for _, err := range o.Sync(t.Context()) {
					require.NoError(t, err)
				}
				require.LessOrEqual(t, store.kept-before, int64(received)*6/5+constant, "of %d bytes", received)
				require.NoError(t, store.SetCursor(t.Context(), me, pec.Cursor{Folder: "INBOX"}))
			}
		})
	}
	t.Run("message set aside", func(t *testing.T) {
		store, p := &weighingStore{Store: pec.NewMemory()}, &ports{}
		v, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(n.SigningCA())}, nil)
		require.NoError(t, err)
		c, err := pec.New(me, p, wordy{p, 1, hostile}, v, &pec.Options{Store: store})
		require.NoError(t, err)
		for _, err := range c.Sync(t.Context()) {
			require.NoError(t, err)
		}
		require.Positive(t, store.kept)
		require.Less(t, store.kept, int64(constant))
	})
}

// However many recipients a bounce names, each fact about it opens the whole of it.
func TestEachFactOfABounceHasItsMessage(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeSubmitted
	id, err := o.Send(t.Context(), pec.Message{To: []string{info, "altro@example.org", luigi}})
	require.NoError(t, err)
	acceptance, err := o.network.Providers()[0].Emit(pectest.Notice{
		Kind: pectest.KindAcceptance, Sender: me, MessageID: "<" + id + ">",
		Recipients: []pectest.Recipient{{Address: info, Type: pectest.RecipientOrdinary}, {Address: "altro@example.org", Type: pectest.RecipientOrdinary}, {Address: luigi}},
	})
	require.NoError(t, err)
	raw := bounceMail(t, o.network, id, `
Final-Recipient: rfc822; info@example.org
Action: failed

Final-Recipient: rfc822; luigi@beta-pec.example
Action: failed

Final-Recipient: rfc822; altro@example.org
Action: failed
`)
	o.inbox = [][]byte{acceptance, raw}
	sync(t, o.Client)
	facts, err := o.Facts(t.Context(), id)
	require.NoError(t, err)
	var bounced []string
	for _, f := range facts {
		if b, ok := f.(pec.BounceFact); ok {
			bounced = append(bounced, b.Recipient)
			body, err := o.Raw(t.Context(), id, b)
			require.NoError(t, err)
			kept, err := io.ReadAll(body)
			require.NoError(t, err)
			require.Equal(t, raw, kept)
		}
	}
	require.Equal(t, []string{info, "altro@example.org"}, bounced, "of a PEC mailbox a bounce proves nothing")
}

package pec_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// Stores keep facts for years. A fact of each kind, with every field set, is read from the
// form that was once written, and is written in the same form.
func TestTheStoredFormOfFactsDoesNotChange(t *testing.T) {
	file, err := os.Open("testdata/facts.jsonl")
	require.NoError(t, err)
	defer file.Close()
	kinds := map[reflect.Type]bool{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var stored struct {
			Key, Send string
			Data      json.RawMessage
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &stored))
		f, err := pec.FactOfForTest(pec.Entry{Key: stored.Key, Send: stored.Send, Data: stored.Data})
		require.NoError(t, err, stored.Key)
		requireComplete(t, reflect.ValueOf(f), stored.Key)
		written, err := pec.NewEntryForTest(stored.Send, f)
		require.NoError(t, err)
		require.Equal(t, string(stored.Data), string(written.Data))
		require.Equal(t, stored.Key, written.Key)
		kinds[reflect.TypeOf(f)] = true
	}
	require.Len(t, kinds, pec.KindsForTest())
}

// requireComplete requires that every field is set, since the test would not hold the form
// of an empty field.
func requireComplete(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	require.False(t, v.IsZero(), path)
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			requireComplete(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	case reflect.Slice:
		for i := range v.Len() {
			requireComplete(t, v.Index(i), path)
		}
	}
}

// For a message of any kind, not much more than its own size is stored.
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
	for name, build := range messages {
		t.Run(name, func(t *testing.T) {
			store, p := &weighingStore{Store: pec.NewMemory()}, &ports{outcome: pec.OutcomeSubmitted}
			o := openOffice(t, n, p, store, nil)
			id, err := o.Send(t.Context(), pec.Message{To: addresses(recipients)})
			require.NoError(t, err)
			p.inbox = build(id)
			before, received := store.kept, 0
			for _, raw := range p.inbox {
				received += len(raw)
			}
			for range 2 { // it is read a second time, as after a crash or from another folder
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
		c := newClient(t, n, p, wordyMailbox{p, 1, hostile}, &pec.Options{Store: store})
		for _, err := range c.Sync(t.Context()) {
			require.NoError(t, err)
		}
		require.Positive(t, store.kept)
		require.Less(t, store.kept, int64(constant))
	})
}

// wordyMailbox is a Mailbox that reports at length that it cannot read one message.
type wordyMailbox struct {
	*ports
	at     uint32
	reason string
}

func (m wordyMailbox) Fetch(ctx context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		if at := (pec.Cursor{Folder: after.Folder, UIDValidity: 1, UID: m.at}); after.UID < m.at {
			yield(pec.Item{}, &pec.MessageError{Cursor: at, Err: errors.New(m.reason)})
		}
	}
}

// Messages that were set aside belong to no send. Every call reads as much of the store
// with a thousand of them as with none.
func TestMessagesSetAsideCostNoReads(t *testing.T) {
	n := pectest.Start(t, nil)
	read := func(aside int) (reads []int64) {
		c, _, store := newCountingClient(t, n)
		for i := range aside {
			entry, err := pec.NewEntryForTest("", pec.SetAside{Cursor: pec.Cursor{Folder: "INBOX", UIDValidity: 1, UID: uint32(i + 1)}})
			require.NoError(t, err)
			added, err := store.Append(t.Context(), me, entry)
			require.NoError(t, err)
			require.True(t, added)
		}
		var id string
		for _, call := range []func(ctx context.Context) error{
			func(ctx context.Context) (err error) {
				id, err = c.Send(ctx, pec.Message{To: []string{luigi}, Key: "k"})
				return err
			},
			func(ctx context.Context) error {
				return errorOf(c.Send(ctx, pec.Message{To: []string{luigi}, Key: "k"}))
			},
			func(ctx context.Context) error { return errorOf(c.Status(ctx, id)) },
			func(ctx context.Context) error { return lastError(c.Find(ctx, pec.Query{Filter: pec.FilterOpen})) },
			func(ctx context.Context) error { return lastError(c.Find(ctx, pec.Query{Filter: pec.FilterFailed})) },
			func(ctx context.Context) error { return lastError(c.Retry(ctx)) },
			func(ctx context.Context) error { return lastError(c.Sync(ctx)) },
			func(ctx context.Context) error { return lastError(c.SearchNotices(ctx, id)) },
			func(ctx context.Context) error { return errorOf(c.Suspended(ctx)) },
			func(ctx context.Context) error { return c.Resume(ctx) },
		} {
			before := store.read
			require.NoError(t, call(t.Context()))
			reads = append(reads, store.read-before)
		}
		return reads
	}
	require.Equal(t, read(0), read(1000))
}

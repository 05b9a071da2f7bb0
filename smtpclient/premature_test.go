package smtpclient_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

// The connection to the server breaks in the middle of the message. What the server says
// about that does not refuse the message.
func TestAServerComplainsOfABrokenConnection(t *testing.T) {
	servers := map[string]func(*testing.T, testenv.Identity) string{
		"library": func(t *testing.T, _ testenv.Identity) string { return "" },
		"postfix": func(t *testing.T, id testenv.Identity) string {
			addr, _ := testenv.StartPostfix(t, id, account, "discard:")
			return addr
		},
		"dovecot": func(t *testing.T, id testenv.Identity) string {
			relay, _ := library(t, &backend{})
			return testenv.StartDovecotSubmission(t, id, account, relay)
		},
	}
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			id := testenv.NewIdentity(t)
			addr, clientTLS := start(t, id), id.Client
			if addr == "" {
				addr, clientTLS = library(t, &backend{})
			}
			p := newProxy(t, addr, nil)
			c := newClient(t, p.addr, pec.Password(sender, secret), &smtpclient.Options{TLS: clientTLS, Timeout: 2 * time.Second})
			s := submission(strings.Repeat("0123456789\r\n", 50_000))
			reads := 0
			text := s.Body
			s.Body = readerFunc(func(b []byte) (int, error) {
				switch reads++; reads {
				case 1:
					p.arm(damage{half, up, 100_000})
				case 20:
					<-p.over
				}
				return text.Read(b[:min(len(b), 20_000)])
			})
			o := c.Submit(context.Background(), s)
			struck, _, _ := p.state()
			require.True(t, struck)
			require.Equal(t, pec.OutcomeTemporary, o.Kind, "%v %v", o.Reply, o.Err)
			t.Logf("reply %q", o.Reply)
		})
	}
}

// Before its end, a message is refused only by a reply that is about the message.
func TestARefusalBeforeTheEndOfTheMessage(t *testing.T) {
	for reply, want := range map[string]pec.OutcomeKind{
		"552 too big":                   pec.OutcomeRefused,
		"552 5.3.4 too big":             pec.OutcomeRefused,
		"554 5.7.1 virus found":         pec.OutcomeRefused,
		"550 5.6.0 malformed":           pec.OutcomeRefused,
		"554 5.2.3 mailbox limit":       pec.OutcomeRefused,
		"554 Transaction failed":        pec.OutcomeTemporary,
		"554 5.0.0 unexpected EOF":      pec.OutcomeTemporary,
		"500 5.5.1 unknown command":     pec.OutcomeTemporary,
		"554 5.5.2 end of input":        pec.OutcomeTemporary,
		"554 5.4.2 bad connection":      pec.OutcomeTemporary,
		"554 5.3.2 not accepting":       pec.OutcomeTemporary,
		"421 4.4.2 timeout":             pec.OutcomeTemporary,
		"451 4.3.0 later":               pec.OutcomeTemporary,
		"250 2.0.0 queued, before all?": pec.OutcomeTemporary,
	} {
		t.Run(reply, func(t *testing.T) {
			f := newFake(t, "body", reply)
			s, body := submission(message()), newHuge()
			s.Body, s.Size = body, hugeSize
			o := f.open(t, nil).Submit(context.Background(), s)
			f.end()
			assert.Equal(t, want, o.Kind, "%v %v", o.Reply, o.Err)
			assert.False(t, f.sawDot())
			if !strings.HasPrefix(reply, "2") {
				assert.Equal(t, reply[:3], fmt.Sprint(o.Reply.Code))
			}
		})
	}
}

// A reply that broke off does not count: the missing part may say the opposite.
func TestAReplyThatBreaksOffBeforeTheEndOfTheMessage(t *testing.T) {
	for _, part := range []string{"552", "552 ", "552 5.3.4 too", "552-too\r\n", "552-5.3.4 too\r\n552", "552-5.3.4 too\r\n552 5.3.4 big"} {
		t.Run(part, func(t *testing.T) {
			f := newFake(t, "body", "cut "+part)
			s := submission(message())
			s.Body, s.Size = newHuge(), hugeSize
			o := f.open(t, nil).Submit(context.Background(), s)
			f.end()
			assert.Equal(t, pec.OutcomeTemporary, o.Kind, "%v %v", o.Reply, o.Err)
			assert.Zero(t, o.Reply)
		})
	}
}

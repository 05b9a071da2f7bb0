package smtpclient_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/netguard/netguardtest"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

// The connection breaks in the middle of the message, on its way to the server: what the
// server says of that is no refusal of the message.
func TestAServerComplainsOfABrokenConnection(t *testing.T) {
	servers := map[string]func(*testing.T, netguardtest.Identity) string{
		"library": func(t *testing.T, _ netguardtest.Identity) string { return "" },
		"postfix": func(t *testing.T, id netguardtest.Identity) string {
			addr, _ := startPostfix(t, id, "discard:")
			return addr
		},
		"dovecot": startSubmission,
	}
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			id := netguardtest.NewIdentity(t)
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

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// Only a reply that is about the message refuses it before its end.
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

// A reply that broke off is none: what it says of the message may be the opposite.
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

// startSubmission starts Dovecot's submission service, which hands on to a server of the
// library.
func startSubmission(t *testing.T, id netguardtest.Identity) string {
	netguardtest.Root(t)
	dovecot := testenv.Program(t, "dovecot")
	testenv.Program(t, "/usr/lib/dovecot/submission")
	dir := netguardtest.Dir(t)
	port := netguardtest.FreePort(t)
	relay, _ := library(t, &backend{})
	conf := netguardtest.WriteFile(t, dir, "dovecot.conf", fmt.Sprintf(`
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = /dev/stderr
protocols = submission
ssl = required
ssl_cert = <%[2]s
ssl_key = <%[3]s
mail_location = maildir:%[1]s/mail
hostname = provider.example
submission_relay_host = 127.0.0.1
submission_relay_port = %[4]s
submission_relay_ssl = smtps
submission_relay_ssl_verify = no
submission_relay_user = %[6]s
submission_relay_password = %[7]s
auth_failure_delay = 0
passdb {
  driver = static
  args = password=%[7]s
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=%[1]s
}
service submission-login {
  inet_listener submission {
    port = 0
  }
  inet_listener submissions {
    address = 127.0.0.1
    port = %[5]d
    ssl = yes
  }
}
`, dir, id.CertPath, id.KeyPath, relay[strings.LastIndexByte(relay, ':')+1:], port, sender, secret))
	netguardtest.Start(t, port, dovecot, "-F", "-c", conf)
	return fmt.Sprintf("127.0.0.1:%d", port)
}

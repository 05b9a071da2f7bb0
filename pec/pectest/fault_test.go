package pectest_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

// when returns a function for Intercept: the fault strikes at every moment whose command
// begins with command.
func when(protocol, command string, f pectest.Fault) func(pectest.Moment) *pectest.Fault {
	return func(m pectest.Moment) *pectest.Fault {
		if m.Protocol == protocol && strings.HasPrefix(m.Command, command) {
			return &f
		}
		return nil
	}
}

// deliverUnder submits one message under faults. It returns the client's error and whether
// the message was accepted. patience is the longest wait for the reply; zero means the
// library's.
func deliverUnder(t *testing.T, patience time.Duration, f func(pectest.Moment) *pectest.Fault) (sent error, accepted bool) {
	t.Helper()
	n := pectest.Start(t, nil)
	remove := n.Intercept(f)
	c := loginSMTP(t, n, mario)
	if patience > 0 {
		c.SubmissionTimeout = patience
	}
	require.NoError(t, c.Mail(mario, nil))
	require.NoError(t, c.Rcpt(luigi, nil))
	w, err := c.Data()
	require.NoError(t, err)
	// The message is long, so that the client notices the cut while writing or at the reply.
	_, sent = io.WriteString(w, plain("<a@x>", mario, luigi)+strings.Repeat(strings.Repeat("x", 70)+"\r\n", 1000))
	if err := w.Close(); sent == nil {
		sent = err
	}
	c.Close()
	idle(t, n)
	remove()
	got := kinds(notices(t, n, mario))
	submit(t, n, mario, []string{luigi}, plain("<b@x>", mario, luigi)) // all is well again
	return sent, len(got) > 0
}

func TestFaultsAroundTheFinalDot(t *testing.T) {
	for name, c := range map[string]struct {
		moment   string
		fault    pectest.Fault
		accepted bool
	}{
		"cut before":             {pectest.MomentBody, pectest.Fault{Cut: true}, false},
		"cut after, accepted":    {pectest.MomentDot, pectest.Fault{Cut: true}, true},
		"cut after, lost":        {pectest.MomentDot, pectest.Fault{Cut: true, Lose: true}, false},
		"cut within the reply":   {pectest.MomentDot, pectest.Fault{Cut: true, CutAfter: 3}, true},
		"silence after":          {pectest.MomentDot, pectest.Fault{Silence: true}, true},
		"silence after, lost":    {pectest.MomentDot, pectest.Fault{Silence: true, Lose: true}, false},
		"accepted, says not":     {pectest.MomentDot, pectest.Fault{Reply: "451 4.3.0 no\r\n"}, true},
		"temporary failure":      {pectest.MomentDot, pectest.Fault{Lose: true}, false},
		"permanent, of your own": {pectest.MomentDot, pectest.Fault{Lose: true, Reply: "554 5.7.1 no\r\n"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var patience time.Duration
			if c.fault.Silence {
				patience = time.Second
			}
			err, accepted := deliverUnder(t, patience, when(pectest.SMTP, c.moment, c.fault))
			require.Error(t, err)
			require.Equal(t, c.accepted, accepted)
			var reply *smtp.SMTPError
			answered := errors.As(err, &reply)
			require.Equal(t, c.fault.Reply != "" || c.fault.Lose && !c.fault.Cut && !c.fault.Silence, answered, "%v", err)
		})
	}
}

func TestFaultReplies(t *testing.T) {
	n := pectest.Start(t, nil)
	c := loginSMTP(t, n, mario)
	remove := n.Intercept(when(pectest.SMTP, "RCPT TO:<luigi", pectest.Fault{Reply: "452 4.2.2 piena\r\n"}))
	require.NoError(t, c.Mail(mario, nil))
	require.NoError(t, c.Rcpt(anna, nil))
	requireReply(t, c.Rcpt(luigi, nil), 452, smtp.EnhancedCode{4, 2, 2})
	remove()
	remove()
	require.NoError(t, c.Rcpt(luigi, nil))
}

func TestFaultSlowAndInPieces(t *testing.T) {
	n := pectest.Start(t, nil)
	var moments atomic.Int32
	defer n.Intercept(func(pectest.Moment) *pectest.Fault {
		moments.Add(1)
		return &pectest.Fault{Split: true, Pause: time.Microsecond}
	})()
	submit(t, n, mario, []string{luigi}, plain("<a@x>", mario, luigi))
	require.Len(t, inbox(t, n, luigi), 1)
	require.Greater(t, moments.Load(), int32(10))
}

func TestFaultGreeting(t *testing.T) {
	n := pectest.Start(t, nil)
	defer n.Intercept(when(pectest.IMAP, pectest.MomentGreeting, pectest.Fault{Reply: "* BYE chiuso\r\n", Cut: true, CutAfter: 14}))()
	c, err := tls.Dial("tcp", n.Access(mario).IMAP, n.Access(mario).TLS)
	require.NoError(t, err)
	defer c.Close()
	all, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Equal(t, "* BYE chiuso\r\n", string(all))
}

// fetchUnder fetches one message under faults and returns what the server wrote. It uses no
// client library, which the faults would confuse.
func fetchUnder(t *testing.T, f func(pectest.Moment) *pectest.Fault) string {
	t.Helper()
	n := pectest.Start(t, nil)
	require.NoError(t, n.ProviderOf(mario).Deliver(mario, "INBOX", []byte(strings.Repeat("x", 10000))))
	c, err := tls.Dial("tcp", n.Access(mario).IMAP, n.Access(mario).TLS)
	require.NoError(t, err)
	defer c.Close()
	in := bufio.NewReader(c)
	until := func(tag string) string {
		var all strings.Builder
		for {
			line, err := in.ReadString('\n')
			all.WriteString(line)
			if err != nil || strings.HasPrefix(line, tag+" ") {
				return all.String()
			}
		}
	}
	for _, command := range []string{"a LOGIN " + mario + " {14+}\r\nmario-password", "b SELECT INBOX"} {
		_, err = io.WriteString(c, command+"\r\n")
		require.NoError(t, err)
		require.Contains(t, until(command[:1]), command[:1]+" OK")
	}
	defer n.Intercept(f)()
	_, err = io.WriteString(c, "c FETCH 1 BODY[]\r\n")
	require.NoError(t, err)
	return until("c")
}

func TestFaultsInFetch(t *testing.T) {
	whole := fetchUnder(t, when(pectest.IMAP, "NOOP", pectest.Fault{Cut: true}))
	require.True(t, strings.HasSuffix(whole, " completed\r\n"), whole)
	require.Equal(t, 10000, strings.Count(whole, "x"))
	half := fetchUnder(t, when(pectest.IMAP, "FETCH", pectest.Fault{MidLiteral: true}))
	require.Contains(t, half, "{10000}\r\nx")
	require.NotContains(t, half, "completed")
	require.Less(t, strings.Count(half, "x"), 10000)
	with := fetchUnder(t, when(pectest.IMAP, "FETCH", pectest.Fault{Insert: "* XFOO 1 (bar)\r\n"}))
	require.Equal(t, "* XFOO 1 (bar)\r\n"+whole, with)
	require.Equal(t, "* 1 F", fetchUnder(t, when(pectest.IMAP, "FETCH", pectest.Fault{Cut: true, CutAfter: 5})))
	require.Equal(t, "c NO [UNAVAILABLE] later\r\n", fetchUnder(t, func(m pectest.Moment) *pectest.Fault {
		if m.Command != "FETCH 1 BODY[]" || m.Account != mario {
			return nil
		}
		return &pectest.Fault{Reply: m.Tag + " NO [UNAVAILABLE] later\r\n"}
	}))
}

func TestFaultInIdle(t *testing.T) {
	n := pectest.Start(t, nil)
	c := loginIMAP(t, n, mario, nil)
	_, err := c.Select("INBOX", nil).Wait()
	require.NoError(t, err)
	_, err = c.Idle()
	require.NoError(t, err)
	const bye = "* BYE manutenzione\r\n"
	n.Intercept(when(pectest.IMAP, "IDLE", pectest.Fault{Reply: bye, Cut: true, CutAfter: len(bye)}))
	require.NoError(t, n.ProviderOf(mario).Deliver(mario, "INBOX", []byte("x")))
	<-c.Closed()
}

func TestFaultsSeeNoSecrets(t *testing.T) {
	n := pectest.Start(t, nil)
	var all strings.Builder
	commands := make(chan string, 100)
	n.Intercept(func(m pectest.Moment) *pectest.Fault {
		commands <- m.Command
		return nil
	})
	inbox(t, n, mario)
	require.NoError(t, dialSMTP(t, n, mario).Auth(sasl.NewLoginClient(mario, "mario-password")))
	submit(t, n, mario, []string{luigi}, plain("<a@x>", mario, luigi))
	close(commands)
	for c := range commands {
		all.WriteString(c + "\n")
	}
	require.Contains(t, all.String(), "\nLOGIN\n")
	require.Contains(t, all.String(), "\nAUTH\nMAIL FROM:<"+mario+">")
	require.NotContains(t, all.String(), "password")
	require.NotContains(t, all.String(), "bWFyaW8", "nor in base64")
	require.NotContains(t, all.String(), "Buongiorno")
	require.Contains(t, all.String(), "\nbody\n.\n")
}

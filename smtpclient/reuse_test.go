package smtpclient_test

import (
	"context"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/smtpclient"
)

func TestReuse(t *testing.T) {
	testenv.NoLeak(t)
	p := play(t, false, script(greeted, loggedIn, mail, rest, mail, rest, mail, rest, quit))
	c := p.open(t, pec.Password(sender, secret), nil)
	for range 3 {
		o := c.Submit(t.Context(), submission(message()))
		require.Equal(t, pec.OutcomeSubmitted, o.Kind, "%v", o.Err)
		require.Len(t, o.Recipients, 2)
	}
	require.NoError(t, c.Close())
	<-p.ended
	heard := p.heard()
	assert.Equal(t, "QUIT", heard[len(heard)-1])
	assert.Len(t, heard, 2+3*5+1)
	dials, messages := p.counts()
	assert.Equal(t, 1, dials)
	assert.Equal(t, 3, messages)
}

// TestReuseDead ends a kept connection in every way, before and after the reply to MAIL
// FROM.
func TestReuseDead(t *testing.T) {
	first := script(greeted, loggedIn, mail, rest)
	fresh := script(greeted, loggedIn, mail, rest, quit)
	cases := []struct {
		name  string
		end   []turn // of the first connection
		again bool   // a second connection is made
		kind  pec.OutcomeKind
	}{
		{"closed while idle", nil, true, pec.OutcomeSubmitted},
		{"421 while idle", []turn{{"", "421 4.4.2 timeout\r\n"}}, true, pec.OutcomeSubmitted},
		{"closed at MAIL", []turn{{"MAIL", ""}}, true, pec.OutcomeSubmitted},
		{"421 at MAIL", []turn{{"MAIL", "421 4.3.2 shutting down\r\n"}}, true, pec.OutcomeSubmitted},
		{"503 at MAIL", []turn{{"MAIL", "503 5.5.1 one message a session\r\n"}, {"QUIT", ""}}, true, pec.OutcomeSubmitted},
		{"530 at MAIL", []turn{{"MAIL", "530 5.7.0 who are you\r\n"}, {"QUIT", ""}}, true, pec.OutcomeSubmitted},
		{"half a reply at MAIL", []turn{{"MAIL", "250-2.1"}}, true, pec.OutcomeSubmitted},
		{"silent at MAIL", []turn{{"MAIL", ""}, {"never", ""}}, true, pec.OutcomeSubmitted},
		{"550 at MAIL", []turn{{"MAIL", "550 5.7.1 no\r\n"}, {"QUIT", ""}}, false, pec.OutcomeRefused},
		{"451 at MAIL", []turn{{"MAIL", "451 4.3.0 later\r\n"}, {"QUIT", ""}}, false, pec.OutcomeTemporary},
		{"closed at RCPT", script(mail, []turn{{"RCPT", ""}}), false, pec.OutcomeTemporary},
		{"421 at RCPT", script(mail, []turn{{"RCPT", "421 4.3.2 bye\r\n"}}), false, pec.OutcomeTemporary},
		{"closed at DATA", script(mail, rest[:2], []turn{{"DATA", ""}}), false, pec.OutcomeTemporary},
		{"421 at DATA", script(mail, rest[:2], []turn{{"DATA", "421 4.3.2 bye\r\n"}}), false, pec.OutcomeTemporary},
		{"closed at the dot", script(mail, rest[:3], []turn{{".", ""}}), false, pec.OutcomeUncertain},
		{"421 at the dot", script(mail, rest[:3], []turn{{".", "421 4.3.2 bye\r\n"}}), false, pec.OutcomeTemporary},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			testenv.NoLeak(t)
			p := play(t, false, script(first, c.end), fresh)
			opts := &smtpclient.Options{}
			if c.name == "silent at MAIL" {
				opts.Timeout = time.Second
			}
			client := p.open(t, pec.Password(sender, secret), opts)
			o := client.Submit(t.Context(), submission(message()))
			require.Equal(t, pec.OutcomeSubmitted, o.Kind, "%v", o.Err)
			if len(c.end) == 0 || c.end[0].want == "" {
				<-p.ended // the second message finds it dead
			}
			s := submission(message())
			count := &counting{src: s.Body}
			s.Body = count
			o = client.Submit(t.Context(), s)
			assert.Equal(t, c.kind, o.Kind, "%v %v", o.Reply, o.Err)
			require.NoError(t, client.Close())
			want := 1
			if c.again {
				want = 2
			}
			dials, messages := p.counts()
			assert.Equal(t, want, dials, "%v", p.heard())
			if c.again {
				assert.Equal(t, 2, messages)
			}
			assert.LessOrEqual(t, count.n, len(message()), "the body is read once")
		})
	}
	require.Len(t, cases, 16)
}

type counting struct {
	src io.Reader
	n   int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	c.n += n
	return n, err
}

// TestReuseOnce ends the second connection at MAIL too: there is no third.
func TestReuseOnce(t *testing.T) {
	testenv.NoLeak(t)
	p := play(t, false, script(greeted, loggedIn, mail, rest), script(greeted, loggedIn, []turn{{"MAIL", "421 4.3.2 bye\r\n"}}))
	c := p.open(t, pec.Password(sender, secret), nil)
	require.Equal(t, pec.OutcomeSubmitted, c.Submit(t.Context(), submission(message())).Kind)
	o := c.Submit(t.Context(), submission(message()))
	assert.Equal(t, pec.OutcomeTemporary, o.Kind)
	assert.Equal(t, 421, o.Reply.Code)
	dials, _ := p.counts()
	assert.Equal(t, 2, dials)
}

// TestNotKept lists what ends a connection: an outcome that is not a plain success, or
// unexpected bytes after the reply.
func TestNotKept(t *testing.T) {
	cases := []struct {
		name string
		end  []turn // of the first message
		kind pec.OutcomeKind
		opts smtpclient.Options
	}{
		{"refused", []turn{{"MAIL", "550 5.7.1 no\r\n"}, {"QUIT", "221 bye\r\n"}}, pec.OutcomeRefused, smtpclient.Options{}},
		{"recipient refused", script(mail, []turn{
			{"RCPT", "550 5.1.1 no\r\n"}, {"RCPT", "250 ok\r\n"}, {"RSET", "250 ok\r\n"}, {"QUIT", "221 bye\r\n"}}), pec.OutcomeRefused, smtpclient.Options{}},
		{"later", script(mail, rest[:3], []turn{{".", "451 4.3.0 later\r\n"}, {"QUIT", "221 bye\r\n"}}), pec.OutcomeTemporary, smtpclient.Options{}},
		{"a reply too many", script(mail, rest[:3], []turn{{".", "250 queued\r\n250 and\r\n"}, {"QUIT", "221 bye\r\n"}}), pec.OutcomeSubmitted, smtpclient.Options{}},
		{"half a reply too many", script(mail, rest[:3], []turn{{".", "250 queued\r\n250"}, {"QUIT", "\r\n221 bye\r\n"}}), pec.OutcomeSubmitted, smtpclient.Options{}},
		{"not wanted", script(mail, rest, quit), pec.OutcomeSubmitted, smtpclient.Options{IdleTimeout: -1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			testenv.NoLeak(t)
			p := play(t, false, script(greeted, loggedIn, c.end), script(greeted, loggedIn, mail, rest, quit))
			client := p.open(t, pec.Password(sender, secret), &c.opts)
			o := client.Submit(t.Context(), submission(message()))
			assert.Equal(t, c.kind, o.Kind, "%v", o.Err)
			heard := p.heard()
			require.Equal(t, "QUIT", heard[len(heard)-1])
			<-p.ended
			o = client.Submit(t.Context(), submission(message()))
			assert.Equal(t, pec.OutcomeSubmitted, o.Kind, "%v", o.Err)
			dials, _ := p.counts()
			assert.Equal(t, 2, dials)
		})
	}
	require.Len(t, cases, 6)
}

func TestIdleTimeout(t *testing.T) {
	testenv.NoLeak(t)
	p := play(t, false, script(greeted, loggedIn, mail, rest, quit), script(greeted, loggedIn, mail, rest, quit))
	c := p.open(t, pec.Password(sender, secret), &smtpclient.Options{IdleTimeout: 50 * time.Millisecond})
	for range 2 {
		require.Equal(t, pec.OutcomeSubmitted, c.Submit(t.Context(), submission(message())).Kind)
		<-p.ended // with its script, so QUIT was sent
	}
	heard := p.heard()
	assert.Equal(t, "QUIT", heard[len(heard)-1])
}

// TestIdleRace ends kept connections at the very moment when they are needed again.
func TestIdleRace(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8)) // goroutines are preempted in more places
	testenv.NoLeak(t)
	n := pectest.Start(t, nil)
	account := n.Accounts()[0]
	for _, idle := range []time.Duration{time.Nanosecond, 200 * time.Microsecond} {
		for range 10 {
			c := newClient(t, n.Providers()[0].SMTPAddr(), pec.Password(account.Login, account.Password),
				&smtpclient.Options{TLS: trusttest.TLS(n), IdleTimeout: idle})
			var group sync.WaitGroup
			for range 4 {
				group.Go(func() {
					for range 10 {
						s := submission(message())
						s.From = account.Address
						o := c.Submit(t.Context(), s)
						assert.Equal(t, pec.OutcomeSubmitted, o.Kind, "%v %v", o.Reply, o.Err)
					}
				})
			}
			group.Wait()
			require.NoError(t, c.Close())
			require.Empty(t, testenv.Leaked())
		}
	}
}

// TestIdleWhileAnotherWaits lets IdleTimeout pass while another call has the turn and
// does not use the connection.
func TestIdleWhileAnotherWaits(t *testing.T) {
	testenv.NoLeak(t)
	p := play(t, false, script(greeted, loggedIn, mail, rest, quit))
	const idle = 50 * time.Millisecond
	c := p.open(t, pec.Password(sender, secret), &smtpclient.Options{IdleTimeout: idle, PerMinute: 1})
	require.Equal(t, pec.OutcomeSubmitted, c.Submit(t.Context(), submission(message())).Kind)
	ctx, cancel := context.WithTimeout(t.Context(), 4*idle)
	defer cancel()
	require.Equal(t, pec.OutcomeTemporary, c.Submit(ctx, submission(message())).Kind)
	<-p.ended
}

// TestTurns submits from many goroutines at once: one connection serves them all.
func TestTurns(t *testing.T) {
	testenv.NoLeak(t)
	const callers = 8
	parts := [][]turn{greeted, loggedIn}
	for range callers {
		parts = append(parts, mail, rest)
	}
	p := play(t, false, script(append(parts, quit)...))
	c := p.open(t, pec.Password(sender, secret), nil)
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			o := c.Submit(t.Context(), submission(message()))
			assert.Equal(t, pec.OutcomeSubmitted, o.Kind, "%v", o.Err)
		})
	}
	group.Wait()
	dials, messages := p.counts()
	assert.Equal(t, 1, dials)
	assert.Equal(t, callers, messages)
}

// blocked is a body that keeps its Submit busy until it is released.
type blocked struct {
	io.Reader
	started, release chan struct{}
	once             sync.Once
}

func (b *blocked) Read(p []byte) (int, error) {
	b.once.Do(func() {
		close(b.started)
		<-b.release
	})
	return b.Reader.Read(p)
}

func newBlocked() *blocked {
	return &blocked{Reader: strings.NewReader(message()), started: make(chan struct{}), release: make(chan struct{})}
}

// TestClose calls Close while one Submit is in progress and another waits for its turn.
func TestClose(t *testing.T) {
	testenv.NoLeak(t)
	p := play(t, false, script(greeted, loggedIn, mail, rest, quit))
	c := p.open(t, pec.Password(sender, secret), nil)
	body := newBlocked()
	s := submission(message())
	s.Body = body
	running, waiting, closed := make(chan pec.Outcome, 1), make(chan pec.Outcome, 1), make(chan error, 2)
	go func() { running <- c.Submit(t.Context(), s) }()
	<-body.started

	ctx, cancel := context.WithCancel(t.Context())
	go func() { waiting <- c.Submit(ctx, submission(message())) }()
	cancel()
	assertReason(t, <-waiting, pec.OutcomeTemporary, smtpclient.ReasonCanceled)

	go func() { waiting <- c.Submit(t.Context(), submission(message())) }()
	go func() { closed <- c.Close() }()
	go func() { closed <- c.Close() }()
	assertReason(t, <-waiting, pec.OutcomeTemporary, smtpclient.ReasonClosed)
	close(body.release)
	o := <-running
	assert.Equal(t, pec.OutcomeSubmitted, o.Kind, "%v", o.Err)
	require.NoError(t, <-closed)
	require.NoError(t, <-closed)
	assert.Empty(t, testenv.Leaked())

	assertReason(t, c.Submit(t.Context(), submission(message())), pec.OutcomeTemporary, smtpclient.ReasonClosed)
	_, err := c.Probe(t.Context())
	assertError(t, err, smtpclient.ReasonClosed)
	_, messages := p.counts()
	assert.Equal(t, 1, messages)
}

// TestPanickingBody shows that a body that panics releases the turn and the connection.
func TestPanickingBody(t *testing.T) {
	testenv.NoLeak(t)
	p := play(t, false, script(greeted, loggedIn, mail, rest), script(greeted, loggedIn, mail, rest, quit))
	c := p.open(t, pec.Password(sender, secret), nil)
	s := submission(message())
	s.Body = panicking{}
	assert.Panics(t, func() { c.Submit(t.Context(), s) })
	<-p.ended
	assert.Equal(t, pec.OutcomeSubmitted, c.Submit(t.Context(), submission(message())).Kind)
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("broken reader") }

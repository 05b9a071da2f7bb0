package smtpclient_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

const (
	sender = "mario@pec.example"
	secret = "s3cret"
	token  = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"

	quick = 300 * time.Millisecond // a timeout that a test can wait for
)

// account is the account of the real servers.
var account = testenv.Account{User: sender, Password: secret, Token: token}

var recipients = []string{"uno@pec.example", "due@altra.example"}

// message is a small valid message with lines that begin with dots.
func message() string {
	return "From: <mario@pec.example>\r\nSubject: prova\r\n\r\n.\r\n..due\r\n.tre\r\nfine\r\n"
}

func submission(text string) pec.Submission {
	return pec.Submission{From: sender, To: recipients, Size: int64(len(text)), Body: strings.NewReader(text)}
}

// huge is a body larger than any socket buffer; started is closed at its second Read.
type huge struct {
	left    int64
	started chan struct{}
	once    sync.Once
	reads   int
}

const hugeSize = 64 << 20

func newHuge() *huge { return &huge{left: hugeSize, started: make(chan struct{})} }

func (h *huge) Read(p []byte) (int, error) {
	if h.reads++; h.reads > 1 {
		h.once.Do(func() { close(h.started) })
	}
	if h.left == 0 {
		return 0, io.EOF
	}
	const line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n"
	n := 0
	for n+len(line) <= len(p) && h.left >= int64(len(line)) {
		n += copy(p[n:], line)
		h.left -= int64(len(line))
	}
	return n, nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// newClient returns a Client that is closed at the end of the test.
func newClient(t *testing.T, addr string, login pec.Login, opts *smtpclient.Options) *smtpclient.Client {
	t.Helper()
	c, err := smtpclient.New(addr, login, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// with returns a login by another mechanism.
func with(m pec.Mechanism, secret string) pec.Login {
	l := pec.Password(sender, secret)
	l.Mechanism = m
	return l
}

// offering is a script up to the reply to EHLO, which offers mechanisms.
func offering(mechanisms string) []turn {
	return []turn{greeted[0], {"EHLO", "250-fake\r\n250 AUTH " + mechanisms + "\r\n"}}
}

// assertError asserts that err is an *Error with reason.
func assertError(t *testing.T, err error, reason smtpclient.Reason) {
	t.Helper()
	var known *smtpclient.Error
	require.ErrorAs(t, err, &known)
	assert.Equal(t, reason, known.Reason, "%v", err)
}

// assertReason asserts that an outcome without a deciding reply has kind and reason.
func assertReason(t *testing.T, o pec.Outcome, kind pec.OutcomeKind, reason smtpclient.Reason) {
	t.Helper()
	assertError(t, o.Err, reason)
	assert.Equal(t, kind, o.Kind, "%v", o.Err)
}

// checkError asserts that the error of an outcome is the one of a fault; an empty reason
// means that a reply decided the outcome.
func checkError(t *testing.T, o pec.Outcome, reason smtpclient.Reason) {
	t.Helper()
	var known *smtpclient.Error
	var refused *pec.LoginError
	switch {
	case o.Kind == pec.OutcomeAuthentication:
		require.ErrorAs(t, o.Err, &refused)
		assert.Equal(t, "554 5.7.1 never", refused.Reply)
	case reason != "":
		assertError(t, o.Err, reason)
		assert.Equal(t, reason == smtpclient.ReasonCanceled, errors.Is(o.Err, context.Canceled))
	case o.Err != nil:
		// A refusal in the middle of the body also breaks the connection.
		require.ErrorAs(t, o.Err, &known)
		assert.Equal(t, "body", known.Op)
	}
}

// fake is a server that plays one dialogue and remembers what it heard.
type fake struct {
	addr   string
	client *tls.Config

	at      string        // the stage of the fault, "" for none
	fault   string        // silent, close, trickle, a reply, or "cut " and the part of a reply to send
	ehlo    string        // replaces the reply to EHLO
	go354   string        // replaces the reply to DATA
	reached chan struct{} // closed when a silent fault begins
	gone    chan struct{} // closed by the test once Submit has returned

	mu       sync.Mutex
	dials    int
	commands []string
	data     bytes.Buffer  // what followed 354
	over     chan struct{} // closed when the first dialogue has ended
}

const finish = "\r\n.\r\n"

func newFake(t *testing.T, at, fault string) *fake {
	id := testenv.NewIdentity(t)
	f := &fake{at: at, fault: fault, client: id.Client, reached: make(chan struct{}), gone: make(chan struct{}), over: make(chan struct{})}
	f.addr = testenv.Listen(t, id.Server, func(conn net.Conn) {
		f.mu.Lock()
		f.dials++
		first := f.dials == 1
		f.mu.Unlock()
		f.serve(conn)
		conn.Close()
		if first {
			close(f.over)
		}
	})
	return f
}

func (f *fake) open(t *testing.T, opts *smtpclient.Options) *smtpclient.Client {
	if opts == nil {
		opts = &smtpclient.Options{}
	}
	opts.TLS = f.client
	if opts.IdleTimeout == 0 {
		opts.IdleTimeout = -1 // the fake plays one dialogue
	}
	return newClient(t, f.addr, pec.Password(sender, secret), opts)
}

// end lets a server that stopped reading read the rest, and waits until the first
// dialogue has ended.
func (f *fake) end() {
	close(f.gone)
	<-f.over
}

// sawDot reports whether the final dot arrived.
func (f *fake) sawDot() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Contains(f.data.String(), finish)
}

func (f *fake) heard() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.commands)
}

// body returns the message as it arrived, with dots unstuffed.
func (f *fake) body() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw, _, _ := strings.Cut("\r\n"+f.data.String(), finish)
	return strings.TrimPrefix(strings.ReplaceAll(raw+"\r\n", "\r\n.", "\r\n"), "\r\n")
}

func (f *fake) serve(conn net.Conn) {
	r := bufio.NewReader(conn)
	if !f.answer(conn, r, "greeting", "220 fake") {
		return
	}
	rcpt := 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		f.mu.Lock()
		f.commands = append(f.commands, line)
		f.mu.Unlock()
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		ok := true
		switch verb {
		case "EHLO":
			reply := f.ehlo
			if reply == "" {
				reply = "250-fake\r\n250-SIZE 99999999\r\n250 AUTH LOGIN PLAIN"
			}
			ok = f.answer(conn, r, "EHLO", reply)
		case "AUTH":
			if strings.Contains(line, "LOGIN") {
				ok = f.answer(conn, r, "", "334 UGFzc3dvcmQ6")
				break
			}
			ok = f.answer(conn, r, "AUTH", "235 2.7.0 welcome")
		case "MAIL":
			ok = f.answer(conn, r, "MAIL", "250 2.1.0 sender fine")
		case "RCPT":
			rcpt++
			ok = f.answer(conn, r, fmt.Sprintf("RCPT %d", rcpt), fmt.Sprintf("250 2.1.5 recipient %d fine", rcpt))
		case "DATA":
			ok = f.answer(conn, r, "DATA", "354 go on")
			if ok && (f.at != "DATA") {
				ok = f.receive(conn, r)
			}
		case "QUIT":
			f.say(conn, "221 bye")
			return
		case "RSET":
			f.say(conn, "250 reset")
		default:
			ok = f.answer(conn, r, "", "235 2.7.0 welcome") // the password of AUTH LOGIN
		}
		if !ok {
			return
		}
	}
}

// receive reads the message.
func (f *fake) receive(conn net.Conn, r *bufio.Reader) bool {
	if f.at == "body" {
		if f.fault != "silent" {
			f.take(io.LimitReader(r, 100))
			return f.answer(conn, r, "body", "") && false
		}
		close(f.reached)
		<-f.gone // not reading: the client's writes stall
		f.take(r)
		return false
	}
	for !f.sawDot() {
		line, err := r.ReadString('\n')
		f.take(strings.NewReader(line))
		if err != nil {
			return false
		}
		if f.data.Len() == len(line) && line == ".\r\n" {
			break
		}
	}
	return f.answer(conn, r, "dot", "250 2.0.0 Ok: queued as 4711")
}

func (f *fake) take(r io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		f.mu.Lock()
		f.data.Write(buf[:n])
		f.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// answer sends the good reply, or the fault if this is its stage. It returns false
// when the dialogue is over.
func (f *fake) answer(conn net.Conn, r *bufio.Reader, stage, good string) bool {
	if stage == "" || stage != f.at {
		if stage == "DATA" && f.go354 != "" {
			good = f.go354
		}
		return f.say(conn, good)
	}
	switch f.fault {
	case "silent":
		close(f.reached)
		f.take(r) // until the client has gone
		return false
	case "close":
		return false
	case "trickle":
		trickle(conn)
		return false
	}
	if part, ok := strings.CutPrefix(f.fault, "cut "); ok {
		_, _ = io.WriteString(conn, part)
		return false
	}
	return f.say(conn, f.fault)
}

func (f *fake) say(conn net.Conn, reply string) bool {
	_, err := io.WriteString(conn, reply+"\r\n")
	return err == nil
}

// trickle writes a reply that never ends, a few bytes at a time.
func trickle(conn net.Conn) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		<-tick.C
		if _, err := io.WriteString(conn, "2"); err != nil {
			return
		}
	}
}

// turn is the line that a player waits for and its answer.
type turn struct {
	want  string // the beginning of the line; "" waits for nothing, "." for the end of a message
	reply string // complete lines; "" answers nothing
}

const (
	startTLS = "start TLS" // a reply: the connection switches to TLS
	anyLine  = "any line"  // waits for any line, even an empty one
)

// player is a server that plays one script per connection, in order, and closes each
// connection at the end of its script.
type player struct {
	addr string
	id   testenv.Identity

	mu       sync.Mutex
	dials    int
	messages int
	lines    []string // heard
	ended    chan int // the number of each connection that has ended
}

// play starts a player. With inClear its connections begin without TLS.
func play(t *testing.T, inClear bool, scripts ...[]turn) *player {
	p := &player{id: testenv.NewIdentity(t), ended: make(chan int, len(scripts)+10)}
	config := p.id.Server
	if inClear {
		config = nil
	}
	p.addr = testenv.Listen(t, config, func(conn net.Conn) {
		p.mu.Lock()
		n := p.dials
		p.dials++
		p.mu.Unlock()
		if n < len(scripts) {
			p.serve(conn, scripts[n])
		}
		conn.Close()
		p.ended <- n
	})
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		assert.LessOrEqual(t, p.dials, len(scripts), "connections")
	})
	return p
}

func (p *player) serve(conn net.Conn, turns []turn) {
	r := bufio.NewReader(conn)
	for _, step := range turns {
		for step.want != "" {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			line = strings.TrimRight(line, "\r\n")
			if step.want == "." && line != "." {
				continue
			}
			p.mu.Lock()
			p.lines = append(p.lines, line)
			if line == "." {
				p.messages++
			}
			p.mu.Unlock()
			if step.want != anyLine && !strings.HasPrefix(line, step.want) {
				return // the client left the script: the test sees what was heard
			}
			break
		}
		if step.reply == startTLS {
			secure := tls.Server(conn, p.id.Server)
			if secure.Handshake() != nil {
				return
			}
			conn, r = secure, bufio.NewReader(secure)
			continue
		}
		if _, err := io.WriteString(conn, step.reply); err != nil {
			return
		}
	}
}

// open returns a Client of the player.
func (p *player) open(t *testing.T, login pec.Login, opts *smtpclient.Options) *smtpclient.Client {
	t.Helper()
	if opts == nil {
		opts = &smtpclient.Options{}
	}
	opts.TLS = p.id.Client
	return newClient(t, p.addr, login, opts)
}

func (p *player) heard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.lines)
}

// counts returns the number of connections and of messages so far.
func (p *player) counts() (dials, messages int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dials, p.messages
}

// script joins parts of scripts.
func script(parts ...[]turn) (all []turn) {
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

var (
	greeted  = []turn{{"", "220 fake\r\n"}, {"EHLO", "250-fake\r\n250 AUTH PLAIN\r\n"}}
	loggedIn = []turn{{"AUTH PLAIN ", "235 2.7.0 welcome\r\n"}}
	mail     = []turn{{"MAIL", "250 2.1.0 ok\r\n"}}
	rest     = []turn{{"RCPT", "250 2.1.5 ok\r\n"}, {"RCPT", "250 2.1.5 ok\r\n"}, {"DATA", "354 go\r\n"}, {".", "250 2.0.0 queued\r\n"}}
	quit     = []turn{{"QUIT", "221 bye\r\n"}}
)

// backend is the backend of a go-smtp server. It keeps the last message.
type backend struct {
	got    bytes.Buffer
	refuse map[string]*smtp.SMTPError
}

// library starts a go-smtp server.
func library(t testing.TB, b *backend) (addr string, clientTLS *tls.Config) {
	id := testenv.NewIdentity(t)
	server := smtp.NewServer(b)
	server.AllowInsecureAuth = true
	listener, err := tls.Listen("tcp", "127.0.0.1:0", id.Server)
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	return listener.Addr().String(), id.Client
}

func (b *backend) NewSession(*smtp.Conn) (smtp.Session, error) { return session{b}, nil }

type session struct{ *backend }

func (s session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != sender || password != secret {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (s session) Mail(string, *smtp.MailOptions) error { return nil }

func (s session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := s.refuse[to]; err != nil {
		return err
	}
	return nil
}

func (s session) Data(r io.Reader) error {
	s.got.Reset()
	_, err := io.Copy(&s.got, r)
	return err
}

func (s session) Reset()        {}
func (s session) Logout() error { return nil }

// The ways in which a proxy's connection can go wrong.
const (
	cut     = "cut"     // both directions end
	stall   = "stall"   // nothing more passes in this direction
	corrupt = "corrupt" // one byte is changed
	half    = "half"    // the receiver of this direction sees its end, the sender does not
)

// The directions.
const (
	up   = iota // from the client to the server
	down        // from the server to the client
)

// damage is what goes wrong with one byte of the stream, counted from zero.
type damage struct {
	kind      string
	direction int
	at        int
}

// proxy passes TCP connections on to a server and damages the first.
type proxy struct {
	addr string

	mu     sync.Mutex
	dials  int
	damage *damage
	struck bool
	passed [2]int   // bytes of the first connection
	ends   [2][]int // where its pieces ended

	over chan struct{} // closed when the server has ended the first connection
}

func newProxy(t *testing.T, target string, d *damage) *proxy {
	p := &proxy{damage: d, over: make(chan struct{})}
	p.addr = testenv.Listen(t, nil, func(client net.Conn) {
		p.mu.Lock()
		p.dials++
		first := p.dials == 1
		p.mu.Unlock()
		server, err := net.Dial("tcp", target)
		if err != nil {
			return
		}
		defer server.Close()
		var group sync.WaitGroup
		end := func() {
			client.Close()
			server.Close()
		}
		group.Go(func() { defer end(); p.pass(server, client, up, first) })
		group.Go(func() {
			defer end()
			p.pass(client, server, down, first)
			if first {
				close(p.over)
			}
		})
		group.Wait()
	})
	return p
}

// pass copies one direction until it ends or is cut.
func (p *proxy) pass(dst io.Writer, src io.Reader, direction int, watched bool) {
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		piece, strikes := buf[:n], ""
		if watched {
			piece, strikes = p.strike(buf[:n], direction)
		}
		if _, failed := dst.Write(piece); failed != nil || err != nil || strikes == cut {
			return
		}
		if strikes == half {
			_ = dst.(*net.TCPConn).CloseWrite()
			<-p.over
			return
		}
		if strikes == stall {
			_, _ = io.Copy(io.Discard, src)
			return
		}
	}
}

// strike applies the damage if it is due in piece.
func (p *proxy) strike(piece []byte, direction int) ([]byte, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := p.passed[direction]
	p.passed[direction] += len(piece)
	p.ends[direction] = append(p.ends[direction], p.passed[direction])
	d := p.damage
	if d == nil || d.direction != direction || d.at < from || d.at >= p.passed[direction] {
		return piece, ""
	}
	p.struck = true
	if d.kind == corrupt {
		piece[d.at-from] ^= 0x20
		return piece, corrupt
	}
	return piece[:d.at-from], d.kind
}

// arm sets the damage; d.at is counted from the bytes passed so far.
func (p *proxy) arm(d damage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d.at += p.passed[d.direction]
	p.damage = &d
}

// state returns whether the damage has struck, and what the first connection passed.
func (p *proxy) state() (struck bool, passed [2]int, ends [2][]int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.struck, p.passed, p.ends
}

func (p *proxy) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dials
}

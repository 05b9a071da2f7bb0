package smtpclient_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

const (
	sender = "mario@pec.example"
	secret = "s3cret"
)

// account is the one that real servers know.
var account = testenv.Account{User: sender, Password: secret, Token: token}

var recipients = []string{"uno@pec.example", "due@altra.example"}

// fake is a server that plays one dialogue and remembers what it heard.
type fake struct {
	addr   string
	client *tls.Config

	at      string // where the fault strikes, "" for none
	fault   string // silent, close, trickle, a reply, or cut and a part of one
	ehlo    string // overrides the reply to EHLO
	go354   string // overrides the reply to DATA
	reached chan struct{}
	gone    chan struct{} // closed by the test once Submit has returned

	mu       sync.Mutex
	dials    int
	commands []string
	data     bytes.Buffer  // all that followed 354
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

// newClient gives a Client that is closed with the test.
func newClient(t *testing.T, addr string, login pec.Login, opts *smtpclient.Options) *smtpclient.Client {
	t.Helper()
	c, err := smtpclient.New(addr, login, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// end lets a server that stopped reading read the rest, and waits for its end.
func (f *fake) end() {
	close(f.gone)
	<-f.over
}

// sawDot says whether the final dot arrived.
func (f *fake) sawDot() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Contains(f.data.String(), finish)
}

func (f *fake) heard() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.commands...)
}

// body gives what arrived as the message, with dots unstuffed.
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

// receive takes the message.
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

// answer gives the good reply, or the fault if its time has come. It is false when
// the dialogue is over.
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

// message is a small valid message with lines that begin with dots.
func message() string {
	return "From: <mario@pec.example>\r\nSubject: prova\r\n\r\n.\r\n..due\r\n.tre\r\nfine\r\n"
}

func submission(text string) pec.Submission {
	return pec.Submission{From: sender, To: recipients, Size: int64(len(text)), Body: strings.NewReader(text)}
}

// huge is a body that no socket buffer swallows; started is closed when the second
// part of it is asked for.
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

var errBroken = errors.New("broken disk")

const quick = 300 * time.Millisecond

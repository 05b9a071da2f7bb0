package pectest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// wire is a connection above TLS, as a server sees it. It reads along to know which command
// is being answered, and applies faults. It also answers the commands of an extension that
// the server does not know (quota.go).
type wire struct {
	*tls.Conn
	provider *Provider
	protocol string
	in       *bufio.Reader
	pending  []byte // read, but not yet passed to the server
	literal  int    // bytes of an IMAP literal that are still to be read
	more     bool   // the rest of an IMAP command follows its literal
	greeting sync.Once

	closing   chan struct{}
	closeOnce sync.Once

	mu      sync.Mutex
	account *mailbox
	moment  Moment
	body    bool // in SMTP DATA
	secret  bool // the next SMTP line answers 334
	fault   *Fault
	silent  bool
	written int // bytes of the current answer
}

func newWire(p *Provider, protocol string, c *tls.Conn) *wire {
	return &wire{Conn: c, provider: p, protocol: protocol, in: bufio.NewReader(c), closing: make(chan struct{})}
}

// owned records who has logged in.
func (w *wire) owned(m *mailbox) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.account = m
}

// begin starts a new moment and asks for its fault.
func (w *wire) begin(command, tag string) {
	w.mu.Lock()
	w.moment = Moment{Provider: w.provider, Protocol: w.protocol, Command: command, Tag: tag}
	if w.account != nil {
		w.moment.Account = w.account.account.Address
	}
	m := w.moment
	w.mu.Unlock()
	fault := w.provider.network.faultAt(m)
	w.provider.network.log.Debug("command", "provider", w.provider.domain, "protocol", w.protocol, "account", m.Account, "command", command, "fault", fault != nil)
	w.mu.Lock()
	w.fault, w.written = fault, 0
	w.mu.Unlock()
}

// Read passes to the server what the client sent, line by line.
func (w *wire) Read(b []byte) (int, error) {
	for len(w.pending) == 0 {
		if w.literal > 0 {
			n, err := w.in.Read(b[:min(len(b), w.literal)])
			w.literal -= n
			return n, err
		}
		line, err := w.in.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			return 0, err
		}
		forward, err := w.read(line)
		if err != nil {
			return 0, err
		}
		if forward {
			w.pending = line
		}
	}
	n := copy(b, w.pending)
	w.pending = w.pending[n:]
	return n, nil
}

// read follows the dialogue and reports whether to pass the line on to the server.
func (w *wire) read(line []byte) (forward bool, err error) {
	text := strings.TrimRight(string(line), "\r\n")
	w.mu.Lock()
	body, secret := w.body, w.secret
	w.secret = false
	if body && text == "." {
		w.body = false
	}
	w.mu.Unlock()
	switch {
	case w.protocol == IMAP:
		return w.readIMAP(text)
	case body && text == ".":
		w.begin(MomentDot, "")
		return true, nil
	case body || secret:
		return true, nil
	}
	if verb, _, _ := strings.Cut(text, " "); strings.EqualFold(verb, "AUTH") {
		text = verb
	}
	w.begin(upperVerb(text), "")
	return w.answered()
}

// literalEnd matches the announcement of a literal at the end of an IMAP line.
var literalEnd = regexp.MustCompile(`\{(\d+)\+?\}$`)

func (w *wire) readIMAP(text string) (forward bool, err error) {
	continued := w.more
	w.more = false
	if at := literalEnd.FindStringSubmatchIndex(text); at != nil {
		n, err := strconv.Atoi(text[at[2]:at[3]])
		if err != nil {
			return false, err
		}
		w.literal, w.more = n, true
		text = text[:at[0]]
	}
	tag, command, isCommand := strings.Cut(text, " ")
	if continued || !isCommand { // the rest of a command, DONE, or an answer to AUTHENTICATE
		return true, nil
	}
	command = upperVerb(command)
	verb, _, _ := strings.Cut(command, " ")
	if strings.EqualFold(verb, "LOGIN") || strings.EqualFold(verb, "AUTHENTICATE") {
		command = verb
	}
	w.begin(command, tag)
	if forward, err := w.answered(); !forward {
		return forward, err
	}
	return w.extension(tag, command)
}

// commandName matches the name of a command, of one word or two.
var commandName = regexp.MustCompile(`(?i)^(UID |MAIL |RCPT )?[^ :]*`)

// upperVerb returns a command with its name in upper case, as most clients write it.
func upperVerb(command string) string {
	return commandName.ReplaceAllStringFunc(command, strings.ToUpper)
}

// answered sends the fault's Reply, if any, instead of the server's answer, and reports
// whether to pass the command on to the server.
func (w *wire) answered() (forward bool, err error) {
	w.mu.Lock()
	fault := w.fault
	w.mu.Unlock()
	if fault == nil || fault.Reply == "" {
		return true, nil
	}
	_, err = w.Write(nil)
	return false, err
}

// Write sends the server's answer to the client, changed by a fault if there is one.
func (w *wire) Write(b []byte) (int, error) {
	w.greeting.Do(func() { w.begin(MomentGreeting, "") })
	w.mu.Lock()
	moment := w.moment
	w.mu.Unlock()
	if w.protocol == IMAP && strings.EqualFold(moment.Command, "IDLE") {
		w.begin(moment.Command, moment.Tag)
	}
	w.mu.Lock()
	out := w.edit(b)
	fault := w.fault
	if w.silent {
		w.mu.Unlock()
		return len(b), nil
	}
	first := w.written == 0
	w.written += len(out)
	written := w.written
	w.mu.Unlock()
	if fault == nil {
		_, err := w.Conn.Write(out)
		w.sent(out)
		return len(b), err
	}
	cut := fault.Cut && written >= fault.CutAfter
	if cut {
		out = out[:max(0, len(out)-(written-fault.CutAfter))]
	}
	if fault.MidLiteral {
		if end, ok := midLiteral(out); ok {
			out, cut = out[:end], true
		}
	}
	if first {
		out = append([]byte(fault.Insert), out...)
	}
	if err := w.send(out, fault); err != nil {
		return 0, err
	}
	if cut {
		return 0, w.cut()
	}
	w.sent(out)
	return len(b), nil
}

// edit returns the answer that a fault or an extension makes of b; mu is held.
func (w *wire) edit(b []byte) []byte {
	if f := w.fault; f != nil {
		w.silent = w.silent || f.Silence
		if f.Reply != "" && w.written == 0 {
			return []byte(f.Reply)
		} else if f.Reply != "" {
			return nil
		}
	}
	if w.protocol == IMAP {
		return w.announce(b)
	}
	return b
}

// sent notes what an SMTP answer that was sent means for the next line.
func (w *wire) sent(answer []byte) {
	if w.protocol != SMTP {
		return
	}
	begin := false
	w.mu.Lock()
	switch {
	case bytes.HasPrefix(answer, []byte("354")):
		w.body, begin = true, true
	case bytes.HasPrefix(answer, []byte("334")):
		w.secret = true
	}
	w.mu.Unlock()
	if !begin {
		return
	}
	w.begin(MomentBody, "")
	w.mu.Lock()
	cut := w.fault != nil && w.fault.Cut
	w.mu.Unlock()
	if cut {
		// The client notices while it is sending the message.
		_ = w.cut()
	}
}

func (w *wire) send(out []byte, f *Fault) error {
	if !f.Split {
		_, err := w.Conn.Write(out)
		return err
	}
	pause := time.NewTimer(0)
	defer pause.Stop()
	for i := range out {
		if _, err := w.Conn.Write(out[i : i+1]); err != nil {
			return err
		}
		if f.Pause > 0 {
			pause.Reset(f.Pause)
			select {
			case <-pause.C:
			case <-w.closing:
				return net.ErrClosed
			}
		}
	}
	return nil
}

// midLiteral returns the offset of the middle of the first literal.
func midLiteral(out []byte) (int, bool) {
	at := literalStart.FindSubmatchIndex(out)
	if at == nil {
		return 0, false
	}
	n, err := strconv.Atoi(string(out[at[2]:at[3]]))
	return min(len(out), at[1]+n/2), err == nil
}

var literalStart = regexp.MustCompile(`\{(\d+)\}\r\n`)

// cut closes the connection without the close_notify of TLS.
func (w *wire) cut() error {
	return errors.Join(io.ErrClosedPipe, w.NetConn().Close())
}

// lost reports whether a fault drops the message that was just handed in.
func (w *wire) lost() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fault != nil && w.fault.Lose
}

func (w *wire) Close() error {
	w.closeOnce.Do(func() { close(w.closing) })
	return w.Conn.Close()
}

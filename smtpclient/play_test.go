package smtpclient_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

// turn is what a player waits for, the beginning of a line, and what it answers.
type turn struct {
	want  string // "" waits for nothing, "." for the end of a message
	reply string // complete lines; "" is none
}

const (
	startTLS = "start TLS" // a reply: the connection goes over to TLS
	anyLine  = "any line"  // waits for one, the empty one too
)

// player is a server that plays one script a connection, in order, and ends each
// connection with its script.
type player struct {
	addr string
	id   testenv.Identity

	mu       sync.Mutex
	dials    int
	messages int
	heard    []string
	ended    chan int // the number of each connection that has ended
}

// play starts a player; in the clear when the scripts begin so.
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

func (p *player) serve(conn net.Conn, script []turn) {
	r := bufio.NewReader(conn)
	for _, turn := range script {
		for turn.want != "" {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			line = strings.TrimRight(line, "\r\n")
			if turn.want == "." && line != "." {
				continue
			}
			p.mu.Lock()
			p.heard = append(p.heard, line)
			if line == "." {
				p.messages++
			}
			p.mu.Unlock()
			if turn.want != anyLine && !strings.HasPrefix(line, turn.want) {
				return // the script is not kept to: the test sees what was heard
			}
			break
		}
		if turn.reply == startTLS {
			secure := tls.Server(conn, p.id.Server)
			if secure.Handshake() != nil {
				return
			}
			conn, r = secure, bufio.NewReader(secure)
			continue
		}
		if _, err := io.WriteString(conn, turn.reply); err != nil {
			return
		}
	}
}

// open gives a Client of the player.
func (p *player) open(t *testing.T, login pec.Login, opts *smtpclient.Options) *smtpclient.Client {
	t.Helper()
	if opts == nil {
		opts = &smtpclient.Options{}
	}
	opts.TLS = p.id.Client
	return newClient(t, p.addr, login, opts)
}

func (p *player) told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.heard...)
}

// counts gives the number of connections and of messages so far.
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
	greeted = []turn{{"", "220 fake\r\n"}, {"EHLO", "250-fake\r\n250 AUTH PLAIN\r\n"}}
	login   = []turn{{"AUTH PLAIN ", "235 2.7.0 welcome\r\n"}}
	mail    = []turn{{"MAIL", "250 2.1.0 ok\r\n"}}
	rest    = []turn{{"RCPT", "250 2.1.5 ok\r\n"}, {"RCPT", "250 2.1.5 ok\r\n"}, {"DATA", "354 go\r\n"}, {".", "250 2.0.0 queued\r\n"}}
	quit    = []turn{{"QUIT", "221 bye\r\n"}}
)

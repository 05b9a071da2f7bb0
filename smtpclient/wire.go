package smtpclient

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/textproto"

	"github.com/gopec/gopec/internal/netguard"
	"github.com/gopec/gopec/pec"
)

const (
	finalDot = ".\r\n" // RFC 5321, 4.1.1.4; the CRLF before it belongs to the body
	maxLogin = 4       // lines we send to log in: AUTH, name, password, and the answer to a refused token
)

// wire is the connection beneath go-smtp. It decides when the final dot leaves. The
// library writes the dot together with the end of the body, so an error of that write
// would not say whether the provider can have the message.
type wire struct {
	*netguard.Conn
	ctx context.Context

	early []byte // is read before anything the server sends
	said  lines  // what the server has sent since our last command

	login   bool   // an AUTH exchange is under way
	logins  int    // lines written in it
	holding bool   // the message is being sent: its last bytes wait in held
	held    []byte // at most as many bytes as the final dot has
	whole   bool   // all of the body has been written
	dotLeft bool   // the final dot may have left
	buf     []byte
}

// begin prepares the wire for another message.
func (w *wire) begin(ctx context.Context) {
	w.ctx, w.holding, w.whole, w.dotLeft = ctx, false, false, false
	w.held = w.held[:0]
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	w.said.begin()
	w.Again()
	if w.login && string(p) == "*\r\n" {
		// go-smtp answers a refused login with "*". To the server that is a bad
		// command: it may count it against us, or leave us waiting for a reply.
		return 0, errors.New("the login was refused")
	}
	if w.login {
		// The library answers for as long as the server asks.
		if w.logins++; w.logins > maxLogin {
			return 0, fmt.Errorf("the server asked for more than %d lines to log in", maxLogin)
		}
	}
	if !w.holding {
		return w.Conn.Write(p)
	}
	w.buf = append(append(w.buf[:0], w.held...), p...)
	cut := max(0, len(w.buf)-len(finalDot))
	w.held = append(w.held[:0], w.buf[cut:]...)
	if cut > 0 {
		if _, err := w.Conn.Write(w.buf[:cut]); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Read implements net.Conn. Once the whole body has been written, the first Read sends
// the final dot.
func (w *wire) Read(p []byte) (int, error) {
	if w.holding && !w.dotLeft {
		if err := w.sendDot(); err != nil {
			return 0, err
		}
	}
	if len(w.early) > 0 {
		n := copy(p, w.early)
		w.early = w.early[n:]
		return n, nil
	}
	return w.said.Read(p)
}

func (w *wire) sendDot() error {
	if !w.whole || string(w.held) != finalDot {
		return errors.New("a reply is read before the whole message has been written")
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	// From here on the provider may have the message, whatever Write returns.
	w.dotLeft = true
	_, err := w.Conn.Write(w.held)
	return err
}

// reply returns the reply to the last command.
func (w *wire) reply() pec.Reply { return readReply(bytes.NewReader(w.said.in)) }

// text returns the lines of the reply to the last command, without their codes.
func (w *wire) text() string {
	_, text, _ := textproto.NewReader(bufio.NewReader(bytes.NewReader(w.said.in))).ReadResponse(0)
	return text
}

// alone reports whether the server has sent exactly one complete reply since our last
// command. The next bytes then answer the next command.
func (w *wire) alone() bool {
	rest := bytes.NewBuffer(w.said.in)
	for {
		line, err := rest.ReadBytes('\n')
		if err != nil || len(line) < len("250\n") {
			return false
		}
		if line[3] != '-' { // RFC 5321, 4.2.1: the last line
			return rest.Len() == 0
		}
	}
}

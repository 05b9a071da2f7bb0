package smtpclient

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net/textproto"

	"github.com/gopec/gopec/internal/netguard"
	"github.com/gopec/gopec/pec"
)

const (
	finalDot = ".\r\n" // RFC 5321, 4.1.1.4; the CRLF before it belongs to the body
	maxLogin = 4       // lines of ours: AUTH, name, password, and the answer to a refused token
)

// wire is the connection beneath go-smtp. It decides when the final dot leaves:
// the library buffers the dot together with the end of the body, so that an error
// of its last write would not tell whether the provider can have the message.
type wire struct {
	*netguard.Conn
	ctx context.Context

	early []byte // read before anything the server sends
	said  lines  // since our last command

	login   bool   // an AUTH exchange is under way
	logins  int    // lines written in it
	holding bool   // DATA is under way: the last bytes written stay here
	held    []byte // at most as many as the final dot has
	whole   bool   // all of the body has been written
	dotLeft bool   // the final dot may have left
	buf     []byte
}

// begin makes the wire ready for another message.
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
		// command, which it may count against us, and a silent one would keep us.
		return 0, errors.New("login is over")
	}
	if w.login {
		// The library answers as long as the server asks.
		if w.logins++; w.logins > maxLogin {
			return 0, errors.New("login without end")
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

// Read implements net.Conn. Waiting for the reply to the message is what sends
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
		return errors.New("no final dot is due")
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	// From here on the provider may have the message, whatever Write says.
	w.dotLeft = true
	_, err := w.Conn.Write(w.held)
	return err
}

// reply gives the reply to the last command.
func (w *wire) reply() pec.Reply { return readReply(bytes.NewReader(w.said.in)) }

// text gives the lines of the reply to the last command, without their codes.
func (w *wire) text() string {
	_, text, _ := textproto.NewReader(bufio.NewReader(bytes.NewReader(w.said.in))).ReadResponse(0)
	return text
}

// alone tells whether one complete reply is all that the server has sent since our
// last command: then the next bytes answer the next command.
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

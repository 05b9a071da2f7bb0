package pectest

import (
	"slices"
	"time"
)

// The protocols of a [Moment].
const (
	SMTP = "smtp"
	IMAP = "imap"
)

// The values of Moment.Command that are not command lines.
const (
	MomentGreeting = "greeting" // the client has connected
	MomentBody     = "body"     // SMTP: DATA was answered with 354, and the message is about to be read
	MomentDot      = "."        // SMTP: the final dot has been read
)

// Moment is a point in a connection at which a [Fault] may strike: the server has read
// something and is about to answer.
type Moment struct {
	Provider *Provider
	Protocol string // SMTP or IMAP
	Account  string // the address that is logged in; empty before the login
	// Command is what the client sent, without its line end: an SMTP command, an IMAP
	// command without its tag and up to its first literal, or one of the Moment constants.
	// The command name is in upper case, and credentials are left out. During IDLE each
	// server message is a moment with the command "IDLE".
	Command string
	Tag     string // IMAP: the command's tag
}

// Fault is what goes wrong with the server's answer. Fields may be combined; they apply in
// the order in which they are listed.
type Fault struct {
	// Lose, at MomentDot, drops the message that was handed in; the answer is 451 unless
	// Reply says otherwise. False processes the message whatever else happens.
	Lose bool
	// Insert is sent before the answer: whole lines with CRLF, such as untagged responses
	// that no client knows.
	Insert string
	// Reply is sent instead of the answer: whole lines with CRLF. The command is then not
	// executed. Empty means the server's own answer.
	Reply string
	// Silence drops this answer and all later ones; the connection stays open until the
	// client closes it.
	Silence bool
	// MidLiteral cuts the connection in the middle of the answer's first literal.
	MidLiteral bool
	// Cut cuts the connection after CutAfter bytes of the answer, without the close_notify
	// of TLS.
	Cut      bool
	CutAfter int
	// Split writes each byte separately and waits for Pause, on the machine's clock, after
	// each, so that lines arrive in pieces. Zero Pause means no wait.
	Split bool
	Pause time.Duration
}

// Intercept calls f at each later moment of every connection with implicit TLS. The fault
// that f returns strikes; nil means none. With several functions, the newest that returns a
// fault decides. f may be called from several goroutines at once and must not wait for the
// network. The returned function removes f.
func (n *Network) Intercept(f func(Moment) *Fault) (remove func()) {
	entry := &f
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = append(n.faults, entry)
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if i := slices.Index(n.faults, entry); i >= 0 {
			n.faults = slices.Delete(slices.Clone(n.faults), i, i+1)
		}
	}
}

func (n *Network) faultAt(m Moment) *Fault {
	n.mu.Lock()
	faults := n.faults
	n.mu.Unlock()
	for _, f := range slices.Backward(faults) {
		if fault := (*f)(m); fault != nil {
			return fault
		}
	}
	return nil
}

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

// The values of Moment.Command that are no command lines.
const (
	MomentGreeting = "greeting" // the client has connected
	MomentBody     = "body"     // SMTP: DATA was answered by 354, the message is about to be read
	MomentDot      = "."        // SMTP: the final dot has been read
)

// Moment is where a connection stands when a [Fault] may strike: the server has
// read something and is about to answer.
type Moment struct {
	Provider *Provider
	Protocol string // SMTP or IMAP
	Account  string // the address that is logged in; empty before login
	// Command is what the client sent, without its line end: an SMTP command, an
	// IMAP command without its tag and with literals cut off, or one of the Moment
	// constants. Its name is in upper case, credentials are cut off. During IDLE every
	// message of the server is a moment of the command "IDLE".
	Command string
	Tag     string // IMAP: the command's tag
}

// Fault is what goes wrong with the answer. The fields may be combined; they
// strike in the order in which they stand here.
type Fault struct {
	// Lose, at MomentDot, forgets the message that was handed in: the answer says
	// 451 unless Reply says otherwise. False processes it whatever else happens.
	Lose bool
	// Insert goes out before the answer: whole lines with CRLF, such as untagged
	// responses that no client knows.
	Insert string
	// Reply goes out instead of the answer: whole lines with CRLF. A command is then
	// not executed. Empty is the server's own answer.
	Reply string
	// Silence swallows this answer and all that would follow; the connection stays
	// open until the client leaves.
	Silence bool
	// MidLiteral cuts the connection in the middle of the answer's first literal.
	MidLiteral bool
	// Cut cuts the connection after CutAfter bytes of the answer. A cut is a cut:
	// TLS does not say goodbye.
	Cut      bool
	CutAfter int
	// Split writes every byte by itself, and waits for Pause, on the machine's
	// clock, after each: lines arrive in pieces. Zero Pause is no wait.
	Split bool
	Pause time.Duration
}

// Intercept lets f decide at each moment from now on, on every connection with
// implicit TLS, whether something goes wrong; nil is no. Of several functions the
// newest that gives a fault decides. f may be called from several goroutines at
// once and must not wait for the network. The function that Intercept returns
// takes f away again.
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

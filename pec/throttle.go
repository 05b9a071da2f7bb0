package pec

// Throttle is a permanent reply by which a provider means that messages come too
// fast, and which is therefore temporary. It is matched when the code is equal and
// the text contains Text, without regard to case.
type Throttle struct {
	Command string // the SMTP command it answers: MAIL, RCPT or DATA
	Code    int    // of the reply, such as 550
	Text    string // a part of its words
}

package smtpclient

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gopec/gopec/pec"
)

// Throttle is a permanent reply by which a provider means that messages come too
// fast, and which is therefore temporary. It is matched when the code is equal and
// the text contains Text, without regard to case.
type Throttle struct {
	Command string // the SMTP command it answers: MAIL, RCPT or DATA
	Code    int    // of the reply, such as 550
	Text    string // a part of its words
}

// checkThrottles refuses one that would make more than it names temporary.
func checkThrottles(all []Throttle) error {
	for _, t := range all {
		if !slices.Contains([]string{"MAIL", "RCPT", "DATA"}, t.Command) || t.Code/100 != 5 || t.Text == "" {
			return fmt.Errorf("throttle reply %+v: MAIL, RCPT or DATA, a 5xx code and a text are required", t)
		}
	}
	return nil
}

// throttled tells whether a refusal only means that messages come too fast.
func throttled(all []Throttle, command string, r pec.Reply) bool {
	return slices.ContainsFunc(all, func(t Throttle) bool {
		return t.Command == command && t.Code == r.Code &&
			strings.Contains(strings.ToLower(r.Text), strings.ToLower(t.Text))
	})
}

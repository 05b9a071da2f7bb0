package smtpclient

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gopec/gopec/pec"
)

// ThrottleReply is a permanent reply by which a provider means that messages come too fast.
// Such a reply counts as temporary. A reply matches when its code is equal and its text
// contains Text, without regard to case.
type ThrottleReply struct {
	Command string // the SMTP command that it answers: MAIL, RCPT or DATA
	Code    int    // of the reply, such as 550
	Text    string // a part of its text
}

// checkThrottles refuses a throttle that is too vague: it would make other refusals
// temporary as well.
func checkThrottles(all []ThrottleReply) error {
	for _, t := range all {
		if !slices.Contains([]string{"MAIL", "RCPT", "DATA"}, t.Command) || t.Code/100 != 5 || t.Text == "" {
			return fmt.Errorf("throttle reply %+v: MAIL, RCPT or DATA, a 5xx code and a text are required", t)
		}
	}
	return nil
}

// throttled reports whether a refusal only means that messages come too fast.
func throttled(all []ThrottleReply, command string, r pec.Reply) bool {
	return slices.ContainsFunc(all, func(t ThrottleReply) bool {
		return t.Command == command && t.Code == r.Code &&
			strings.Contains(strings.ToLower(r.Text), strings.ToLower(t.Text))
	})
}

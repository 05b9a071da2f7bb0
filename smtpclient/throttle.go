package smtpclient

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gopec/gopec/pec"
)

// checkThrottles refuses a throttle that is too vague: it would make other refusals
// temporary as well.
func checkThrottles(all []pec.Throttle) error {
	for _, t := range all {
		if !slices.Contains([]string{"MAIL", "RCPT", "DATA"}, t.Command) || t.Code/100 != 5 || t.Text == "" {
			return fmt.Errorf("throttle reply %+v: MAIL, RCPT or DATA, a 5xx code and a text are required", t)
		}
	}
	return nil
}

// throttled reports whether a refusal only means that messages come too fast.
func throttled(all []pec.Throttle, command string, r pec.Reply) bool {
	return slices.ContainsFunc(all, func(t pec.Throttle) bool {
		return t.Command == command && t.Code == r.Code &&
			strings.Contains(strings.ToLower(r.Text), strings.ToLower(t.Text))
	})
}

package pec_test

import (
	"strings"

	"github.com/gopec/gopec/pec"
)

// crlf gives text the line ends of mail.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// outcomeKinds are all kinds of outcomes.
var outcomeKinds = []pec.OutcomeKind{
	pec.OutcomeUncertain, pec.OutcomeSubmitted, pec.OutcomeRefused, pec.OutcomeTemporary, pec.OutcomeAuthentication,
}

package pec

import (
	"fmt"
	"slices"
	"strings"
)

// OutcomeKind says what became of one attempt to hand a message to the provider. The set
// is closed. The zero value, and any other word, counts as OutcomeUncertain: an outcome
// that nobody filled in must never be taken for permission to send again.
type OutcomeKind string

// The kinds.
const (
	// OutcomeUncertain: the final dot may have left us and no final reply came.
	// The provider may or may not have the message; only a notice can tell.
	OutcomeUncertain OutcomeKind = "uncertain"
	// OutcomeSubmitted: the provider answered the final dot with a 2xx reply. It
	// is not acceptance: a non-acceptance notice may still follow (RFC 6109, 3.1.1).
	OutcomeSubmitted OutcomeKind = "submitted"
	// OutcomeRefused: a permanent 5xx reply; the provider does not have the message.
	OutcomeRefused OutcomeKind = "refused"
	// OutcomeTemporary: the provider provably does not have the message, and the
	// same bytes may be offered again: a 4xx reply, or a failure before the final dot.
	OutcomeTemporary OutcomeKind = "temporary"
	// OutcomeAuthentication: the login was refused; nothing was offered.
	OutcomeAuthentication OutcomeKind = "authentication"
)

// known is the kind, and OutcomeUncertain for all that is none.
func (k OutcomeKind) known() OutcomeKind {
	switch k {
	case OutcomeSubmitted, OutcomeRefused, OutcomeTemporary, OutcomeAuthentication:
		return k
	default:
		return OutcomeUncertain
	}
}

// Reply is one SMTP reply (RFC 5321, 4.2) as the provider gave it.
type Reply struct {
	Code     int    // three digits; zero when no reply came
	Enhanced string // enhanced status code (RFC 3463), "" when there was none
	Text     string // the provider's own words
}

// String gives code, enhanced code and text in one line.
func (r Reply) String() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", r.Code, r.Enhanced, r.Text))
}

// RecipientReply is the reply to the RCPT command of one recipient.
type RecipientReply struct {
	Address string // as in Submission.To
	Reply   Reply
}

// Outcome is what one attempt led to.
type Outcome struct {
	Kind       OutcomeKind
	Reply      Reply            // the reply that decided it; the zero value when none came
	Recipients []RecipientReply // every reply to RCPT, in order, as far as the dialogue went
	Err        error            // what failed beneath: network, TLS, context; nil after a plain reply
}

// clipped is the outcome as it is recorded: of a known kind, and without the rest of
// replies that are too long to be meant.
func (o Outcome) clipped() Outcome {
	o.Kind = o.Kind.known()
	o.Reply = o.Reply.clipped()
	o.Recipients = slices.Clone(o.Recipients)
	for i := range o.Recipients {
		o.Recipients[i].Reply = o.Recipients[i].Reply.clipped()
	}
	return o
}

func (r Reply) clipped() Reply {
	r.Enhanced, r.Text = clip(r.Enhanced, maxClaim), clip(r.Text, maxClaim)
	return r
}

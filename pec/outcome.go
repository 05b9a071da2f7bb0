package pec

import (
	"fmt"
	"slices"
	"strings"
)

// OutcomeKind says what became of one attempt to hand a message to the provider. The set
// is closed. The zero value, and any other value, counts as OutcomeUncertain, so that an
// outcome that nobody filled in never permits sending again.
type OutcomeKind string

// The kinds.
const (
	// OutcomeUncertain: the final dot may have left us, and no final reply came. The
	// provider may or may not have the message. Only a notice can show which.
	OutcomeUncertain OutcomeKind = "uncertain"
	// OutcomeSubmitted: the provider answered the final dot with a 2xx reply. That is not
	// acceptance: a non-acceptance notice may still follow (RFC 6109, 3.1.1).
	OutcomeSubmitted OutcomeKind = "submitted"
	// OutcomeRefused: a permanent 5xx reply. The provider does not have the message.
	OutcomeRefused OutcomeKind = "refused"
	// OutcomeTemporary: a 4xx reply, or a failure before the final dot. The provider
	// certainly does not have the message, and the same bytes may be offered again.
	OutcomeTemporary OutcomeKind = "temporary"
	// OutcomeAuthentication: the login was refused, and nothing was offered.
	OutcomeAuthentication OutcomeKind = "authentication"
)

// known returns the kind, or OutcomeUncertain for a value that is none.
func (k OutcomeKind) known() OutcomeKind {
	switch k {
	case OutcomeSubmitted, OutcomeRefused, OutcomeTemporary, OutcomeAuthentication:
		return k
	default:
		return OutcomeUncertain
	}
}

// Reply is one SMTP reply of the provider (RFC 5321, 4.2).
type Reply struct {
	Code     int    // three digits; zero when no reply came
	Enhanced string // enhanced status code (RFC 3463); "" for none
	Text     string // the provider's own words
}

// String returns code, enhanced code and text in one line; "" for the zero Reply.
func (r Reply) String() string {
	if r == (Reply{}) {
		return ""
	}
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
	Recipients []RecipientReply // the replies to RCPT, in order; fewer than the recipients when the dialogue ended early
	Err        error            // the cause: network, TLS, context; nil after a plain reply
}

// clipped returns the outcome as it is recorded: its kind is known, and the texts of
// replies are clipped to maxClaim.
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

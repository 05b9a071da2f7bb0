package pec

import (
	"fmt"
	"slices"
	"strings"
)

// OutcomeKind says what became of one attempt to hand a message to the provider.
// The zero value is OutcomeUncertain: an outcome nobody filled in must never be
// taken for permission to send again.
type OutcomeKind int

const (
	// OutcomeUncertain: the final dot may have left us and no final reply came.
	// The provider may or may not have the message; only a notice can tell.
	OutcomeUncertain OutcomeKind = iota
	// OutcomeSubmitted: the provider answered the final dot with a 2xx reply. It
	// is not acceptance: a non-acceptance notice may still follow (RFC 6109, 3.1.1).
	OutcomeSubmitted
	// OutcomeRefused: a permanent 5xx reply; the provider does not have the message.
	OutcomeRefused
	// OutcomeTemporary: the provider provably does not have the message, and the
	// same bytes may be offered again: a 4xx reply, or a failure before the final dot.
	OutcomeTemporary
	// OutcomeAuthentication: the login was refused; nothing was offered.
	OutcomeAuthentication
)

var outcomeNames = [...]string{"uncertain", "submitted", "refused", "temporary", "authentication"}

// String gives the word used in logs and JSON: uncertain, submitted, refused,
// temporary or authentication.
func (k OutcomeKind) String() string {
	if k < 0 || int(k) >= len(outcomeNames) {
		k = OutcomeUncertain
	}
	return outcomeNames[k]
}

// MarshalText implements encoding.TextMarshaler, with the word of String.
func (k OutcomeKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. Any other word is an error.
func (k *OutcomeKind) UnmarshalText(text []byte) error {
	i := slices.Index(outcomeNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("pec: %q is not the outcome of an attempt", text)
	}
	*k = OutcomeKind(i)
	return nil
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

// clipped is the outcome without the rest of replies that are too long to be meant.
func (o Outcome) clipped() Outcome {
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

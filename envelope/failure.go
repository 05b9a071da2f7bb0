package envelope

import "regexp"

// FailureReason is the errore of the certification data: RFC 6109, 4.4.
type FailureReason string

// The reasons. A token that is not in the rules is FailureOther.
const (
	FailureNone        FailureReason = "none"         // nessuno, or absent
	FailureNoRecipient FailureReason = "no-recipient" // no-dest
	FailureNoDomain    FailureReason = "no-domain"    // no-dominio
	FailureVirus       FailureReason = "virus"        // virus
	FailureOther       FailureReason = "other"        // altro
)

// Cause says why a message was not accepted or not delivered.
type Cause string

// The causes.
const (
	CauseUnknownAddress  Cause = "unknown-address"  // no such mailbox, or not a valid one
	CauseMailboxFull     Cause = "mailbox-full"     // over its quota
	CauseMailboxDisabled Cause = "mailbox-disabled" // suspended, or not accepting
	CauseNoDomain        Cause = "no-domain"        // the domain is not known
	CauseVirus           Cause = "virus"            // the message carries one
	CauseTimeout         Cause = "timeout"          // nothing heard of it within the time allowed
	CauseFormal          Cause = "formal"           // the message broke a rule of submission
	CauseOther           Cause = "other"            // anything else, or nothing that can be told
)

// Failure is what a notice says of a failure.
type Failure struct {
	Reason FailureReason
	Cause  Cause
	Code   string // enhanced status code (RFC 3463), such as "5.1.1"; "" when the text has none
	Text   string // errore-esteso, verbatim
}

// codeCauses are the codes that AgID's note 12 of 2015 and RFC 3463 give a
// meaning of interest. Providers changed errore for one and the same code, so
// the code goes first.
var codeCauses = map[string]Cause{
	"5.1.1": CauseUnknownAddress,
	"5.1.2": CauseNoDomain,
	"5.1.3": CauseUnknownAddress,
	"5.2.0": CauseMailboxDisabled,
	"5.2.1": CauseMailboxDisabled,
	"5.2.2": CauseMailboxFull,
	"5.4.1": CauseTimeout,
}

// enhancedCode finds an enhanced status code wherever it stands in a text, and
// takes no part of an IP address for one.
var enhancedCode = regexp.MustCompile(`(?:^|[^0-9.])([245]\.\d{1,3}\.\d{1,3})(?:[^0-9.]|\.[^0-9]|\.?$)`)

// FailureReason reads errore.
func (c *CertData) Reason() FailureReason {
	switch {
	case !c.HasError():
		return FailureNone
	case sameToken(c.Error, "no-dest"):
		return FailureNoRecipient
	case sameToken(c.Error, "no-dominio"):
		return FailureNoDomain
	case sameToken(c.Error, "virus"):
		return FailureVirus
	default:
		return FailureOther
	}
}

// Failure tells why, for the kinds of message that report a failure: non-acceptance,
// non-delivery, delivery delay and virus detection. For any other it is the
// zero value.
func (c *CertData) Failure() Failure {
	f := Failure{Reason: c.Reason(), Text: c.ErrorText}
	if m := enhancedCode.FindStringSubmatch(c.ErrorText); m != nil {
		f.Code = m[1]
	}
	byCode, known := codeCauses[f.Code]
	switch c.Kind {
	case KindNonAcceptance, KindNonDelivery, KindDeliveryDelay, KindVirusDetection:
	default:
		return Failure{}
	}
	switch {
	case f.Reason == FailureVirus || c.Kind == KindVirusDetection:
		f.Cause = CauseVirus
	case c.Kind == KindDeliveryDelay:
		f.Cause = CauseTimeout
	case known:
		f.Cause = byCode
	case f.Reason == FailureNoRecipient:
		f.Cause = CauseUnknownAddress
	case f.Reason == FailureNoDomain:
		f.Cause = CauseNoDomain
	case c.Kind == KindNonAcceptance:
		f.Cause = CauseFormal
	default:
		f.Cause = CauseOther
	}
	return f
}

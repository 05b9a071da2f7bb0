package envelope

import "regexp"

// FailureReason is the attribute errore of the certification data: RFC 6109, 4.4. The
// set is closed: a token that is not in the rules is FailureOther.
type FailureReason string

// The reasons, with the Italian token of each.
const (
	FailureNone        FailureReason = "none"         // nessuno, or absent
	FailureNoRecipient FailureReason = "no-recipient" // no-dest
	FailureNoDomain    FailureReason = "no-domain"    // no-dominio
	FailureVirus       FailureReason = "virus"        // virus
	FailureOther       FailureReason = "other"        // altro
)

// Cause is why a message was not accepted or not delivered. It is concluded from the
// kind of notice, the enhanced status code in its text, and errore. The set is closed.
type Cause string

// The causes.
const (
	CauseUnknownAddress  Cause = "unknown-address"  // no such mailbox, or not a valid one
	CauseMailboxFull     Cause = "mailbox-full"     // over its quota
	CauseMailboxDisabled Cause = "mailbox-disabled" // suspended, or not accepting
	CauseNoDomain        Cause = "no-domain"        // the domain is not known
	CauseVirus           Cause = "virus"            // the message carries one
	CauseTimeout         Cause = "timeout"          // no receipt came within the time allowed
	CauseFormal          Cause = "formal"           // the message broke a rule of submission
	CauseOther           Cause = "other"            // anything else, or unknown
)

// Failure is what a notice says about a failure.
type Failure struct {
	Reason FailureReason
	Cause  Cause
	Code   string // enhanced status code (RFC 3463), such as "5.1.1"; "" when the text has none
	Text   string // errore-esteso, verbatim
}

// codeCauses are the causes of the codes in AgID's note 12 of 2015 and RFC 3463. The
// code takes precedence over errore: providers have changed errore for the same code.
var codeCauses = map[string]Cause{
	"5.1.1": CauseUnknownAddress,
	"5.1.2": CauseNoDomain,
	"5.1.3": CauseUnknownAddress,
	"5.2.0": CauseMailboxDisabled,
	"5.2.1": CauseMailboxDisabled,
	"5.2.2": CauseMailboxFull,
	"5.4.1": CauseTimeout,
}

// enhancedCode finds an enhanced status code anywhere in a text. It does not match
// inside an IP address.
var enhancedCode = regexp.MustCompile(`(?:^|[^0-9.])([245]\.\d{1,3}\.\d{1,3})(?:[^0-9.]|\.[^0-9]|\.?$)`)

// Reason returns errore as a FailureReason.
func (c *CertData) Reason() FailureReason {
	switch {
	case !c.HasError():
		return FailureNone
	case sameToken(c.ErrorToken, "no-dest"):
		return FailureNoRecipient
	case sameToken(c.ErrorToken, "no-dominio"):
		return FailureNoDomain
	case sameToken(c.ErrorToken, "virus"):
		return FailureVirus
	default:
		return FailureOther
	}
}

// Failure returns what went wrong, for the kinds of message that report a failure:
// non-acceptance, non-delivery, delivery delay and virus detection. For any other kind
// it is the zero value.
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

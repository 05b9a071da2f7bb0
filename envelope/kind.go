package envelope

import (
	"fmt"
	"strings"
)

// Kind is the kind of a PEC message, as the word used in JSON and logs. The set is closed.
type Kind string

// The kinds of RFC 6109, 2.1, with the Italian name of each.
const (
	KindNone           Kind = ""                // not a PEC message; "none" in JSON and logs
	KindUnknown        Kind = "unknown"         // the tipo is not in the rules; it never means success
	KindAcceptance     Kind = "acceptance"      // ricevuta di accettazione (3.1.4)
	KindNonAcceptance  Kind = "non-acceptance"  // avviso di non accettazione (3.1.2, 3.1.3)
	KindTakeInCharge   Kind = "take-in-charge"  // ricevuta di presa in carico (3.2.1)
	KindDelivery       Kind = "delivery"        // ricevuta di avvenuta consegna (3.3.2)
	KindNonDelivery    Kind = "non-delivery"    // avviso di mancata consegna (3.3.3, 3.2.4)
	KindDeliveryDelay  Kind = "delivery-delay"  // avviso di mancata consegna per superamento dei tempi (3.1.6)
	KindVirusDetection Kind = "virus-detection" // avviso di rilevazione virus (3.2.3)
	KindTransport      Kind = "transport"       // busta di trasporto (3.1.5)
	KindAnomaly        Kind = "anomaly"         // busta di anomalia (3.2.2)
)

// kinds lists all kinds.
var kinds = []Kind{
	KindNone, KindUnknown, KindAcceptance, KindNonAcceptance, KindTakeInCharge, KindDelivery, KindNonDelivery,
	KindDeliveryDelay, KindVirusDetection, KindTransport, KindAnomaly,
}

// kindTokens are the Italian words of daticert.xml (RFC 6109, 4.4) and of the header
// (RFC 6109, Appendix A).
var kindTokens = map[string]Kind{
	"accettazione":              KindAcceptance,
	"non-accettazione":          KindNonAcceptance,
	"presa-in-carico":           KindTakeInCharge,
	"avvenuta-consegna":         KindDelivery,
	"errore-consegna":           KindNonDelivery,
	"preavviso-errore-consegna": KindDeliveryDelay,
	"rilevazione-virus":         KindVirusDetection,
	"posta-certificata":         KindTransport,
}

// String returns the word; "none" for KindNone.
func (k Kind) String() string {
	if k == KindNone {
		return "none"
	}
	return string(k)
}

// MarshalText implements encoding.TextMarshaler. It returns the word of String.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It accepts the words of String;
// any other is an error.
func (k *Kind) UnmarshalText(text []byte) error {
	for _, kind := range kinds {
		if kind.String() == string(text) {
			*k = kind
			return nil
		}
	}
	return fmt.Errorf("envelope: %q is not a kind of message", text)
}

// IsNotice reports whether k is a receipt or notice (ricevuta, avviso). KindUnknown
// counts as one. An envelope (busta), which carries somebody's message, does not.
func (k Kind) IsNotice() bool {
	switch k {
	case KindUnknown, KindAcceptance, KindNonAcceptance, KindTakeInCharge, KindDelivery, KindNonDelivery,
		KindDeliveryDelay, KindVirusDetection:
		return true
	default:
		return false
	}
}

// tokenKind returns the kind that a tipo names. Tokens are compared whole, ignoring case
// and space around them: "non-accettazione" contains "accettazione" and means the opposite.
func tokenKind(token string) Kind {
	if k, ok := kindTokens[lower(strings.TrimSpace(token))]; ok {
		return k
	}
	return KindUnknown
}

// sameToken reports whether two tokens are equal, compared as in tokenKind.
func sameToken(a, b string) bool {
	return equalFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// receiptKind returns the kind that a value of X-Ricevuta names: any except the envelopes.
func receiptKind(token string) Kind {
	if k := tokenKind(token); k != KindTransport {
		return k
	}
	return KindUnknown
}

// transportKind returns the kind that a value of X-Trasporto names: one of the envelopes.
func transportKind(token string) Kind {
	switch lower(strings.TrimSpace(token)) {
	case "posta-certificata":
		return KindTransport
	case "errore":
		return KindAnomaly
	default:
		return KindUnknown
	}
}

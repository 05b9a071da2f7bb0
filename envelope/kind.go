package envelope

import (
	"fmt"
	"strings"
)

// Kind is the kind of a PEC message. The zero value is KindNone.
type Kind int

// The kinds of RFC 6109, 2.1, with the Italian name of each.
const (
	KindNone           Kind = iota // no PEC message
	KindUnknown                    // certified, with a tipo that is not in the rules; it never means success
	KindAcceptance                 // ricevuta di accettazione (3.1.4)
	KindNonAcceptance              // avviso di non accettazione (3.1.2, 3.1.3)
	KindTakeInCharge               // ricevuta di presa in carico (3.2.1)
	KindDelivery                   // ricevuta di avvenuta consegna (3.3.2)
	KindNonDelivery                // avviso di mancata consegna (3.3.3, 3.2.4)
	KindDeliveryDelay              // avviso di mancata consegna per superamento dei tempi (3.1.6)
	KindVirusDetection             // avviso di rilevazione virus (3.2.3)
	KindTransport                  // busta di trasporto (3.1.5)
	KindAnomaly                    // busta di anomalia (3.2.2)
)

// kindNames are the words of our own interfaces, kindTokens the Italian ones of
// daticert.xml (RFC 6109, 4.4) and of the header (RFC 6109, Appendix A).
var kindNames = map[Kind]string{
	KindNone:           "none",
	KindUnknown:        "unknown",
	KindAcceptance:     "acceptance",
	KindNonAcceptance:  "non-acceptance",
	KindTakeInCharge:   "take-in-charge",
	KindDelivery:       "delivery",
	KindNonDelivery:    "non-delivery",
	KindDeliveryDelay:  "delivery-delay",
	KindVirusDetection: "virus-detection",
	KindTransport:      "transport",
	KindAnomaly:        "anomaly",
}

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

// String gives the English name used in JSON and logs, such as "non-delivery".
func (k Kind) String() string { return kindNames[k] }

// MarshalText implements encoding.TextMarshaler, with the name of String.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. Any other name is an error.
func (k *Kind) UnmarshalText(text []byte) error {
	for kind, name := range kindNames {
		if name == string(text) {
			*k = kind
			return nil
		}
	}
	return fmt.Errorf("envelope: %q is not a kind of message", text)
}

// IsNotice tells whether k is a receipt or notice (ricevuta, avviso), as opposed
// to an envelope (busta), which carries somebody's message.
func (k Kind) IsNotice() bool {
	return k == KindUnknown || k >= KindAcceptance && k <= KindVirusDetection
}

// tokenKind reads a tipo. Tokens are compared whole, without regard to case and
// outer space: "non-accettazione" contains "accettazione" and says the opposite.
func tokenKind(token string) Kind {
	if k, ok := kindTokens[lower(strings.TrimSpace(token))]; ok {
		return k
	}
	return KindUnknown
}

// sameToken compares two tokens as tokenKind does.
func sameToken(a, b string) bool {
	return equalFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// receiptKind reads the value of X-Ricevuta, which names every kind but the
// envelopes.
func receiptKind(token string) Kind {
	if k := tokenKind(token); k != KindTransport {
		return k
	}
	return KindUnknown
}

// transportKind reads the value of X-Trasporto.
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

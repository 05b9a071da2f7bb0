package pectest

import (
	"maps"
	"math"
	"strings"
	"time"
)

// Never is longer than any wait: what takes that long does not happen.
const Never time.Duration = math.MaxInt64

// NoErrorText leaves out errore-esteso, in fields where the empty string means the
// customary text.
const NoErrorText = "-"

// Fate is what becomes of a dispatch for one recipient. The zero Fate is a delivery
// without trouble. Times run on the network's clock.
//
// The delay notices (RFC 6109, 3.1.6) follow from it. The sender's provider sends the first
// after 12 h without a take-in-charge or a delivery, and the last after 23 h without a
// delivery. So a Transit between 12 h and 23 h causes only the first, a Handling beyond
// 23 h only the last, and a Transit of Never both.
type Fate struct {
	// Transit is the time from acceptance until the envelope reaches the recipient's
	// provider, which takes it in charge. Zero means no delay; Never loses the envelope.
	Transit time.Duration
	// Handling is the time from the take-in-charge until delivery or failure. Zero means
	// no delay; with Never nothing follows the take-in-charge.
	Handling time.Duration
	// Error makes the dispatch fail: no-dest, no-dominio, altro, or virus, which the
	// recipient's provider finds (RFC 6109, 3.2.3 and 3.2.4). Empty delivers. For an
	// ordinary recipient any value causes a bounce.
	Error string
	// ErrorText is the errore-esteso of the failure. Empty means the customary code and
	// text for Error; NoErrorText leaves it out.
	ErrorText string
	// FirstDelayText and LastDelayText are the errore-esteso of the delay notices after
	// 12 h and 23 h. Empty means a text without a code in the first and with code 5.4.1 in
	// the last; NoErrorText leaves it out.
	FirstDelayText, LastDelayText string
	// NoDelays keeps the sender's provider from sending delay notices.
	NoDelays bool
	// Missing lists the kinds (KindTakeInCharge, KindDelivery, ...) whose notices about
	// this recipient never arrive.
	Missing []string
	// Copies are additional arrivals of the delivery or failure notice.
	Copies []Posting
	// Reply is the text with which the recipient answers the envelope in a PEC of its own.
	// Its In-Reply-To is the provider's identifier, the only one that a recipient sees.
	// Empty means no answer. The recipient must be an Account.
	Reply string
}

// reserved holds the fates of the reserved local parts, which work like the test cards of
// a payment sandbox.
var reserved = map[string]Fate{
	"unknown": {Error: "no-dest"},
	"full":    {Error: "altro", ErrorText: "5.2.2 - %s - casella piena"},
	"virus":   {Error: "virus"},
	"silent":  {Transit: Never, NoDelays: true},
	"late":    {Handling: 23*time.Hour + 30*time.Minute},
	"twice":   {Copies: []Posting{{}}},
	"delay12": {Transit: 18 * time.Hour},
	"delay24": {Transit: Never},
}

// ReservedFates returns the fate of each reserved local part. They hold in the domain of
// every provider, with or without an account of that name:
//
//	unknown  no such mailbox: code 5.1.1
//	full     the mailbox is full: code 5.2.2
//	virus    the recipient's provider finds a virus
//	silent   accepted, then nothing ever
//	late     taken in charge; the last delay notice after 23 h; delivered after 23 h 30 min
//	twice    delivered; the same notice arrives twice
//	delay12  the first delay notice after 12 h; delivered after 18 h
//	delay24  both delay notices, after 12 h and 23 h; not delivered
//
// At an ordinary address unknown, full and virus cause a bounce.
func ReservedFates() map[string]Fate { return maps.Clone(reserved) }

// SetFate sets what becomes of every later dispatch to an address, instead of its reserved
// or ordinary fate. The address need not be an account's. Case does not matter.
func (n *Network) SetFate(address string, f Fate) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fates[strings.ToLower(address)] = f
}

// fate returns the fate of an address and whether it was chosen, by SetFate or by a
// reserved local part. An address with a chosen fate needs no mailbox to be delivered to.
func (n *Network) fate(address string) (f Fate, chosen bool) {
	address = strings.ToLower(address)
	n.mu.Lock()
	defer n.mu.Unlock()
	if f, chosen = n.fates[address]; chosen {
		return f, true
	}
	local, _, _ := strings.Cut(address, "@")
	f, chosen = reserved[local]
	return f, chosen
}

// errorText returns the errore-esteso: ErrorText, or the customary code, provider and
// description (AgID, note 12 of 2015).
func (f Fate) errorText(provider string) string {
	text := f.ErrorText
	if text == "" {
		switch f.Error {
		case "no-dest":
			text = "5.1.1 - %s - indirizzo non valido"
		case "no-dominio":
			text = "5.1.2 - %s - dominio non valido"
		case "virus":
			text = "5.5.1, %s, presenza di un virus nel messaggio"
		default:
			text = "5.2.0 - %s - casella non in grado di accettare messaggi"
		}
	}
	return strings.Replace(orNone(text), "%s", provider, 1)
}

// orNone turns NoErrorText into the empty field of a [Notice].
func orNone(text string) string {
	if text == NoErrorText {
		return ""
	}
	return text
}

package pectest

import (
	"maps"
	"math"
	"strings"
	"time"
)

// Never is longer than any wait: what takes so long does not happen.
const Never time.Duration = math.MaxInt64

// NoErrorText leaves errore-esteso out where the empty string stands for the
// customary text.
const NoErrorText = "-"

// Fate is what becomes of a dispatch for one recipient. The zero Fate is a
// delivery without trouble. Times run on the network's clock.
//
// The notices of missing delivery by time (RFC 6109, 3.1.6) follow from it: the
// sender's provider sends the first after 12 h without take-in-charge and
// delivery, and the last after 23 h without delivery. Transit between 12 h and
// 23 h therefore gives the first alone, Handling beyond 23 h the last alone,
// and a Transit of Never both.
type Fate struct {
	// Transit is the time from acceptance until the envelope reaches the
	// recipient's provider, which takes it in charge. Zero is none; Never loses it.
	Transit time.Duration
	// Handling is the time from there until delivery or failure. Zero is none;
	// with Never nothing follows the take-in-charge.
	Handling time.Duration
	// Error makes it a failure: no-dest, no-dominio, altro, or virus, found by
	// the recipient's provider (RFC 6109, 3.2.3 and 3.2.4). Empty delivers. For an
	// ordinary recipient any token makes a bounce come back.
	Error string
	// ErrorText is the errore-esteso of the failure. Empty means the customary
	// code and text of Error, NoErrorText none.
	ErrorText string
	// FirstDelayText and LastDelayText are the errore-esteso of the notices after
	// 12 h and 23 h. Empty means a text without a code for the first, and with code
	// 5.4.1 for the last; NoErrorText leaves it out.
	FirstDelayText, LastDelayText string
	// NoDelays keeps the sender's provider from sending those notices.
	NoDelays bool
	// Missing lists kinds (KindTakeInCharge, KindDelivery, ...) whose notices about
	// this recipient are lost on their way, after signing.
	Missing []string
	// Copies are further arrivals of the delivery or failure notice.
	Copies []Posting
	// Reply is the text with which the recipient answers the envelope by a PEC of
	// its own; In-Reply-To is the provider's identifier, which is all that a
	// correspondent sees. Empty is no answer. The recipient must be an Account.
	Reply string
}

// reserved are the fates of reserved local parts, like the test cards of a
// payment sandbox.
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

// ReservedFates gives the fate that each reserved local part stands for, in the
// domain of any provider, whether there is an account of that name or not:
//
//	unknown  no such mailbox: code 5.1.1
//	full     the mailbox is full: code 5.2.2
//	virus    the recipient's provider finds a virus
//	silent   acceptance, then nothing ever
//	late     taken in charge; the last delay notice; delivered after 23 h 30 min
//	twice    delivered; the notice arrives twice, the same bytes
//	delay12  the first delay notice after 12 h; delivered after 18 h
//	delay24  both delay notices, after 12 h and 23 h; not delivered
//
// At an ordinary address unknown and full make a bounce come back.
func ReservedFates() map[string]Fate { return maps.Clone(reserved) }

// SetFate chooses what becomes of every dispatch to an address from now on, in
// the place of its reserved or ordinary fate. The address need not be an
// account's; upper and lower case are the same.
func (n *Network) SetFate(address string, f Fate) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fates[strings.ToLower(address)] = f
}

// fate gives the fate of an address, and whether it was chosen: then the address
// is as good as a mailbox.
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

// errorText gives the customary errore-esteso (AgID, note 12 of 2015): code,
// provider, description.
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

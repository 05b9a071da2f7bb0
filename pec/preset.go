package pec

import (
	"strings"
	"time"
)

// Preset is what is known of a provider (gestore): where its servers are and how
// they behave. It is a plain struct: a caller copies one and changes what is
// different for its mailbox. All hosts are with TLS from the first byte; no
// provider is known to offer less.
type Preset struct {
	// Name names the preset: lower-case ASCII.
	Name string
	// Provider is what the provider calls its service.
	Provider string
	// Domains are mail domains of its mailboxes. Companies have domains of their own
	// with it, which nobody lists.
	Domains Known[[]string]
	// SMTP and IMAP are host:port.
	SMTP, IMAP Known[string]
	// Login is what the user logs in as.
	Login Known[LoginForm]
	// SentFolder is the folder of sent messages.
	SentFolder Known[string]
	// Separator is what IMAP puts between the names of a folder and of one in it.
	Separator Known[string]
	// Limits are what it takes of one message; where they are not known, the zero
	// Limits are what it has to take.
	Limits Known[Limits]
	// PerMinute is how many messages a mailbox may send in a minute.
	PerMinute Known[int]
	// Throttles are its permanent replies that mean too fast.
	Throttles Known[[]Throttle]
	// PasswordLifetime is how long a password for programs lasts.
	PasswordLifetime Known[time.Duration]
}

// Known is a fact with how sure it is. Without a Certainty it is not known.
type Known[T any] struct {
	Value     T         // the zero value when it is not known
	Certainty Certainty // "" when it is not known
}

// Certainty is how sure a fact about a provider is. The set is closed.
type Certainty string

// The certainties, the best first.
const (
	CertaintyOfficial  Certainty = "official"  // on a page of the provider, read in 2026
	CertaintyObserved  Certainty = "observed"  // seen at work, or told by who has seen it
	CertaintyUncertain Certainty = "uncertain" // old, inferred, or sources differ
)

// LoginForm is what a provider takes as the name of a user. The set is closed.
type LoginForm string

// The forms.
const (
	LoginAddress LoginForm = "address" // the PEC address
	LoginUserID  LoginForm = "user-id" // a name that the provider gave, which is not the address
)

// PresetNamed gives the preset of that name, without regard to case.
func PresetNamed(name string) (Preset, bool) {
	for _, p := range Presets() {
		if strings.EqualFold(p.Name, name) {
			return p, true
		}
	}
	return Preset{}, false
}

// PresetFor gives the preset of the provider that a bare address is known to be
// with, by its domain. Of a company's own domain none is known.
func PresetFor(address string) (Preset, bool) {
	domain := domainOf(strings.TrimSpace(address))
	for _, p := range Presets() {
		for _, d := range p.Domains.Value {
			if d == domain {
				return p, true
			}
		}
	}
	return Preset{}, false
}

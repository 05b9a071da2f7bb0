package dossier

import (
	"fmt"
	"strings"

	"github.com/gopec/gopec/envelope"
)

// Reason says why there is no dossier, or why one is not to be believed. The set is
// closed.
type Reason string

// The reasons.
const (
	ReasonUnknown       Reason = "unknown"       // the source holds no evidence of the message
	ReasonAmbiguous     Reason = "ambiguous"     // the source holds evidence of several messages, and none was named
	ReasonContradiction Reason = "contradiction" // the original is not the one that was recorded when it was sent
	ReasonTooLarge      Reason = "too-large"     // beyond 4 GiB or 65,534 files: no plain zip
	ReasonNoDossier     Reason = "no-dossier"    // the file is not a zip of this package
	ReasonVersion       Reason = "version"       // written in a form that this version does not know
	ReasonAltered       Reason = "altered"       // not what was written; Alterations tell where
)

// Error is the error of this package. Errors of the source, of the writer and of the
// context are given back wrapped, and are no *Error.
type Error struct {
	Reason      Reason
	Alterations []Alteration // of ReasonAltered; at least one
	MessageIDs  []string     // of ReasonAmbiguous: the messages there are
	Err         error        // the detail; nil when there is none
}

func (e *Error) Error() string {
	text := "dossier: " + string(e.Reason)
	for _, a := range e.Alterations {
		text += fmt.Sprintf("; %s", a)
	}
	if len(e.MessageIDs) > 0 {
		text += fmt.Sprintf(": %.2000q", strings.Join(e.MessageIDs, " "))
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the detail.
func (e *Error) Unwrap() error { return e.Err }

// AlterationKind says in what way a file of a dossier is not what was written. The set is
// closed.
type AlterationKind string

// The changes.
const (
	AlterationContent    AlterationKind = "content"    // not the content that the manifest lists
	AlterationUnproven   AlterationKind = "unproven"   // a notice that is no proof; Alteration.Code tells why
	AlterationDerived    AlterationKind = "derived"    // not what follows from the evidence in the dossier
	AlterationMissing    AlterationKind = "missing"    // it should be there
	AlterationUnexpected AlterationKind = "unexpected" // it should not be there, or not under this name
	AlterationTimestamp  AlterationKind = "timestamp"  // the token is for another manifest
	AlterationStructure  AlterationKind = "structure"  // the bytes between the files, or the list of files, are not as written
)

// Alteration is one thing that was changed in a dossier.
type Alteration struct {
	File string         `json:"file"` // "" for the zip as a whole
	Kind AlterationKind `json:"change"`
	Code envelope.Code  `json:"code"` // of AlterationUnproven: the check that failed; "" otherwise
}

// String gives the alteration in one line.
func (a Alteration) String() string {
	text := fmt.Sprintf("%.200q: %s", a.File, a.Kind)
	if a.Code != "" {
		text += fmt.Sprintf(" (%s)", a.Code)
	}
	return text
}

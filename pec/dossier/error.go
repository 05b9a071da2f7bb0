package dossier

import (
	"fmt"
	"strings"

	"github.com/gopec/gopec/envelope"
)

// Reason says why Write wrote no dossier, or why Verify did not accept one. The set is
// closed.
type Reason string

// The reasons.
const (
	ReasonUnknown       Reason = "unknown"       // the source holds no evidence of the message
	ReasonAmbiguous     Reason = "ambiguous"     // the source holds evidence of several messages, and none was named
	ReasonContradiction Reason = "contradiction" // the original differs from the one recorded when it was sent
	ReasonTooLarge      Reason = "too-large"     // more than 4 GiB or 65,534 files: the zip would need another format
	ReasonNoDossier     Reason = "no-dossier"    // the file is not a zip of this package
	ReasonVersion       Reason = "version"       // the dossier has a form that this version does not know
	ReasonAltered       Reason = "altered"       // the dossier was changed after it was written; Alterations says where
)

// Error is the error of this package. Errors of the source, the writer and the context are
// returned wrapped, without an *Error.
type Error struct {
	Reason      Reason
	Alterations []Alteration // for ReasonAltered, at least one
	MessageIDs  []string     // for ReasonAmbiguous, the messages in the source; a received one without notices by its identificativo
	Err         error        // the detail; nil when there is none
}

// Error implements error.
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

// Unwrap returns the detail.
func (e *Error) Unwrap() error { return e.Err }

// AlterationKind says how a file of a dossier differs from what was written. The set is
// closed.
type AlterationKind string

// The kinds of alteration.
const (
	AlterationContent    AlterationKind = "content"    // the content has another digest than the manifest lists
	AlterationUnproven   AlterationKind = "unproven"   // a notice is not proven; Alteration.Code says why
	AlterationDerived    AlterationKind = "derived"    // the content differs from what follows from the evidence in the dossier
	AlterationMissing    AlterationKind = "missing"    // the file should exist
	AlterationUnexpected AlterationKind = "unexpected" // the file should not exist, or not under this name
	AlterationTimestamp  AlterationKind = "timestamp"  // the token is for another manifest
	AlterationStructure  AlterationKind = "structure"  // the zip's headers, its central directory or bytes outside the files were changed
)

// Alteration is one thing that was changed in a dossier.
type Alteration struct {
	File string         `json:"file"` // "" for the zip as a whole
	Kind AlterationKind `json:"change"`
	Code envelope.Code  `json:"code"` // for AlterationUnproven, the check that failed; "" otherwise
}

// String returns the alteration in one line.
func (a Alteration) String() string {
	text := fmt.Sprintf("%.200q: %s", a.File, a.Kind)
	if a.Code != "" {
		text += fmt.Sprintf(" (%s)", a.Code)
	}
	return text
}

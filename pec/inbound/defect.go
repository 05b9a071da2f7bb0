package inbound

import (
	"errors"
	"fmt"

	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/multipart"
)

// DefectReason says what is wrong with a part of an inbound message. The set is
// closed.
type DefectReason string

// The reasons.
const (
	DefectMissing    DefectReason = "missing"    // there is no original
	DefectCut        DefectReason = "cut"        // the original may be only the beginning: the envelope has further parts (envelope.WarningFurtherParts)
	DefectHeader     DefectReason = "header"     // the header is too large to be read
	DefectAddress    DefectReason = "address"    // an address is malformed (RFC 5322, 3.4), or From does not have exactly one
	DefectParameters DefectReason = "parameters" // the parameters of a field are ambiguous: parsers disagree on which one counts
	DefectStructure  DefectReason = "structure"  // a multipart has no parts or too many, or is nested too deep: it is one attachment
	DefectEncoding   DefectReason = "encoding"   // the transfer encoding is unknown, or the content is not in it
	DefectCharset    DefectReason = "charset"    // the charset is unknown, or the text is not in it
	DefectTooLong    DefectReason = "too-long"   // the text is longer than 4 MiB, and ends there
)

// Defect reports something in an inbound message that could not be read as its author
// labelled it. What could be read is returned beside the Defect, and the rest of the
// message is not affected.
type Defect struct {
	Where  string // "original", a header field such as "From", "text", "html" or "attachment"
	Reason DefectReason
	Err    error // what is wrong in detail; never nil
}

// Error implements error.
func (d *Defect) Error() string {
	return fmt.Sprintf("inbound: %s: %s: %v", d.Where, d.Reason, d.Err)
}

// Unwrap returns Err.
func (d *Defect) Unwrap() error { return d.Err }

// defectReasons maps the errors of a reader to reasons.
var defectReasons = map[error]DefectReason{
	header.ErrTooLarge:        DefectHeader,
	header.ErrParams:          DefectParameters,
	multipart.ErrTooManyParts: DefectStructure,
	multipart.ErrTooDeep:      DefectStructure,
	multipart.ErrNoParts:      DefectStructure,
	multipart.ErrEncoding:     DefectEncoding,
}

// asDefect returns the Defect that err reports; nil when err is nil or means that the
// message could not be read.
func asDefect(where string, err error) *Defect {
	for known, reason := range defectReasons {
		if errors.Is(err, known) {
			return &Defect{where, reason, err}
		}
	}
	return nil
}

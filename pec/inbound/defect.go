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
	DefectMissing    DefectReason = "missing"    // it is not there
	DefectCut        DefectReason = "cut"        // it may be the beginning only: the envelope has parts beside it (envelope.WarningFurtherParts)
	DefectHeader     DefectReason = "header"     // a header too large to be read
	DefectAddress    DefectReason = "address"    // not addresses as RFC 5322, 3.4 has them, or not one where one belongs
	DefectParameters DefectReason = "parameters" // parameters of which readers disagree on which one counts
	DefectStructure  DefectReason = "structure"  // a multipart without parts, of too many or nested too deep: it is given whole
	DefectEncoding   DefectReason = "encoding"   // octets not in the transfer encoding they are labelled with, or in an unknown one
	DefectCharset    DefectReason = "charset"    // text not in the charset it is labelled with, or in an unknown one
	DefectTooLong    DefectReason = "too-long"   // text beyond the limit
)

// Defect reports something in an inbound message that could not be read as its
// author labelled it. What could be had of it is given beside the Defect, and the
// rest of the message is not touched by it.
type Defect struct {
	Where  string // "original", a header field such as "From", "text", "html" or "attachment"
	Reason DefectReason
	Err    error // the detail; never nil
}

// Error implements error.
func (d *Defect) Error() string {
	return fmt.Sprintf("inbound: %s: %s: %v", d.Where, d.Reason, d.Err)
}

// Unwrap gives the detail.
func (d *Defect) Unwrap() error { return d.Err }

// defectReasons tell what is wrong with a message from a failure to read it.
var defectReasons = map[error]DefectReason{
	header.ErrTooLarge:        DefectHeader,
	header.ErrParams:          DefectParameters,
	multipart.ErrTooManyParts: DefectStructure,
	multipart.ErrTooDeep:      DefectStructure,
	multipart.ErrNoParts:      DefectStructure,
	multipart.ErrEncoding:     DefectEncoding,
}

// asDefect gives the Defect that err is about; nil when err is none, or a failure
// to read.
func asDefect(where string, err error) *Defect {
	for known, reason := range defectReasons {
		if errors.Is(err, known) {
			return &Defect{where, reason, err}
		}
	}
	return nil
}

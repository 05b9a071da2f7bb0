package multipart

import (
	"errors"
	"slices"

	"github.com/gopec/gopec/internal/header"
)

// malformed are the errors that are about what a message holds.
var malformed = []error{header.ErrTooLarge, header.ErrParams, ErrTooManyParts, ErrTooDeep, ErrNoParts, ErrEncoding}

// IsMalformed reports whether an error of this package or of package header is about the
// message, and not about the reading of it.
func IsMalformed(err error) bool {
	return slices.ContainsFunc(malformed, func(known error) bool { return errors.Is(err, known) })
}

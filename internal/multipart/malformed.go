package multipart

import (
	"errors"
	"slices"

	"github.com/gopec/gopec/internal/header"
)

// malformed are the errors about the content of a message.
var malformed = []error{header.ErrTooLarge, header.ErrParams, ErrTooManyParts, ErrTooDeep, ErrNoParts, ErrTooLarge, ErrEncoding}

// IsMalformed reports whether an error of this package or of package header is about the
// content of a message. Any other error is a failure to read it.
func IsMalformed(err error) bool {
	return slices.ContainsFunc(malformed, func(known error) bool { return errors.Is(err, known) })
}

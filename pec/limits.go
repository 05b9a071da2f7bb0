package pec

import (
	"cmp"
	"fmt"
)

// Limits are the largest message that a provider takes. The zero value is what every
// provider has to take (RFC 6109, 3.1.1).
type Limits struct {
	// Product is the limit of the message's size times the number of its recipients, in
	// bytes. The size is that of the message as it leaves: encoding adds some 37 percent
	// to attachments. Zero means 30 million.
	SizeTimesRecipients int64
	// Recipients is the limit of To and Cc together. Zero means 50.
	Recipients int
}

func (l Limits) product() int64  { return cmp.Or(l.SizeTimesRecipients, 30_000_000) }
func (l Limits) recipients() int { return cmp.Or(l.Recipients, 50) }

// size returns how many bytes a message to so many recipients may have.
func (l Limits) size(recipients int) int64 { return l.product() / int64(max(recipients, 1)) }

// LimitError is the cause of ProblemTooLarge and ProblemTooMany.
type LimitError struct {
	Limit int64 // in bytes times recipients (ProblemTooLarge), or in recipients (ProblemTooMany)
	Got   int64 // in the same unit; a lower bound for ProblemTooLarge, since reading ends at the limit
}

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("%d is more than the limit of %d", e.Got, e.Limit)
}

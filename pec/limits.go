package pec

import (
	"cmp"
	"fmt"
)

// Limits are what a provider takes of one message. The zero value is what every
// provider has to take: RFC 6109, 3.1.1.
type Limits struct {
	// Product is the most that the size of a message times the number of its
	// recipients may be, in bytes. The size is that of the message as it leaves:
	// encoding adds some 37 percent to attachments. Zero means 30 million.
	Product int64
	// Recipients is the most recipients, To and Cc together. Zero means 50.
	Recipients int
}

func (l Limits) product() int64  { return cmp.Or(l.Product, 30_000_000) }
func (l Limits) recipients() int { return cmp.Or(l.Recipients, 50) }

// size is the most bytes that a message to so many recipients may have.
func (l Limits) size(recipients int) int64 { return l.product() / int64(max(recipients, 1)) }

// LimitError is the cause of ProblemTooLarge and ProblemTooMany.
type LimitError struct {
	Limit int64 // the most there may be: bytes times recipients, or recipients
	Got   int64 // what there is; of bytes at least, as reading ends at the limit
}

// Error implements error.
func (e *LimitError) Error() string { return fmt.Sprintf("%d, at most %d", e.Got, e.Limit) }

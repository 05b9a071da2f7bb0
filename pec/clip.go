package pec

import "strings"

// clip shortens a text that others wrote to at most length bytes. It does not cut a
// character in two.
func clip(text string, length int) string {
	if len(text) <= length {
		return text
	}
	return strings.ToValidUTF8(text[:length], "")
}

const (
	// maxClaim and maxWords are how much is recorded of a short and of a long text that
	// others wrote, in bytes. The whole text of a notice is in the message that is kept.
	maxClaim = 1000
	maxWords = 4000
	// maxDifferences is how many differences between the sent and the delivered content
	// are recorded.
	maxDifferences = 100
)

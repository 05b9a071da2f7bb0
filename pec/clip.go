package pec

import "strings"

// clip cuts what others wrote to a length in bytes, between characters.
func clip(text string, length int) string {
	if len(text) <= length {
		return text
	}
	return strings.ToValidUTF8(text[:length], "")
}

const (
	// maxClaim and maxWords are how much is recorded of a short and of a long text that
	// others wrote, in bytes. All of it is in the message that is kept.
	maxClaim = 1000
	maxWords = 4000
	// maxDifferences is how many differences of a content are recorded.
	maxDifferences = 100
)

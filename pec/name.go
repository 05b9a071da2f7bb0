package pec

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/gopec/gopec/envelope"
)

// sendName is the name of a send in a Store.
func sendName(messageID string) string { return lowerASCII(envelope.NormalizeMessageID(messageID)) }

// lowerASCII folds the case of ASCII letters, as envelope.SameMessageID compares.
func lowerASCII(id string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, id)
}

// hashName keeps what others choose out of the keys of entries.
func hashName(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// isName tells whether a provider's or a sender's ID can name things in a Store.
func isName(id string) bool {
	const longest = 250
	for _, b := range []byte(id) {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return id != "" && len(id) <= longest
}

// searchMark and the name of a folder make the name under which the Store keeps the time
// up to which the folder was searched, as Cursor.ReadAt. No folder has such a name: it
// cannot contain control characters (RFC 9051, 5.1).
const searchMark = "\x1fsearched "

package pec

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/gopec/gopec/envelope"
)

// sendName returns the name of a send in a Store: its Message-ID, normalised, in lower
// case.
func sendName(messageID string) string { return lowerASCII(envelope.NormalizeMessageID(messageID)) }

// lowerASCII lowers the ASCII letters, which is how envelope.SameMessageID compares.
func lowerASCII(id string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, id)
}

// hashName returns a hash of a text that others choose. It stands for the text in the
// keys of entries, which are short and printable.
func hashName(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// isName reports whether an ID, of a provider or a sender, can be a name in a Store.
func isName(id string) bool {
	const longest = 250
	for _, b := range []byte(id) {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return id != "" && len(id) <= longest
}

// searchMark begins the name of a Cursor that is no place in a folder. The name of a
// folder follows it, and ReadAt is the time up to which that folder was searched for
// notices. No folder has such a name: folder names have no control characters (RFC 9051,
// 5.1).
const searchMark = "\x1fsearched "

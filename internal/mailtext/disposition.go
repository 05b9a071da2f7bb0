package mailtext

import (
	"fmt"
	"strings"
)

// MaxFileName is what file systems allow for a name, in octets.
const MaxFileName = 255

// Disposition returns the Content-Disposition of an attachment (RFC 2183). A name that
// is not short and plain is encoded as RFC 2231 has it, in pieces that each fit a
// line; none ends within a character, for readers that decode one by one.
func Disposition(name string) string {
	if len(name) <= LongWord && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' || r == '"' }) {
		return `attachment; filename="` + name + `"`
	}
	var pieces []string
	piece := "utf-8''"
	for _, r := range name {
		encoded := percent(string(r))
		if len(piece)+len(encoded) > LongWord {
			pieces = append(pieces, piece)
			piece = ""
		}
		piece += encoded
	}
	pieces = append(pieces, piece)
	if len(pieces) == 1 {
		return "attachment; filename*=" + piece
	}
	value := "attachment"
	for i, p := range pieces {
		value += fmt.Sprintf("; filename*%d*=%s", i, p)
	}
	return value
}

// percent encodes all but letters, digits and what is harmless in attribute-char
// (RFC 2231, 7).
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

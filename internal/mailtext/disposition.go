package mailtext

import (
	"fmt"
	"strings"
)

// MaxFileName is the longest file name that file systems allow, in octets.
const MaxFileName = 255

// Disposition returns the Content-Disposition of an attachment (RFC 2183). A name of
// printable ASCII without quotes and backslashes, of at most LongWord octets, is written as
// it is. Any other name is encoded (RFC 2231), in pieces that each fit a line. No piece ends
// inside a character, for programs that decode them one by one.
func Disposition(name string) string {
	if len(name) <= LongWord && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
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

// percent percent-encodes everything except letters, digits, "-", "." and "_", which are
// attribute-char (RFC 2231, 7) and harmless everywhere.
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

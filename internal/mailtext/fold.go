// Package mailtext writes the text of a mail header, and reads the addresses in one: where
// a line is folded, what needs an encoded word, how a list of addresses is put down, and
// under which name a file is attached (RFC 5322, 2047, 2183 and 2231).
package mailtext

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

const (
	// MaxLine is the longest line, in octets without the line end: RFC 5322, 2.1.1.
	MaxLine  = 998
	goodLine = 78 // what that clause recommends
	// LongWord is how much text without a place to fold still fits a good line.
	LongWord = 60
)

// Fold writes a header field, folded (RFC 5322, 2.2.3) only where unfolding
// gives the value back exactly and no line is left blank.
func Fold(name, value string) []byte {
	line := []byte(name + ":")
	length := len(line)
	for i, piece := range foldable(" " + value) {
		if i > 0 && length+len(piece) > goodLine {
			line = append(line, "\r\n"...)
			length = 0
		}
		line = append(line, piece...)
		length += len(piece)
	}
	return append(line, "\r\n"...)
}

// foldable cuts a value before each space that stands alone.
func foldable(value string) []string {
	var pieces []string
	start := 0
	for i := 1; i < len(value)-1; i++ {
		if value[i] == ' ' && value[i-1] != ' ' && value[i+1] != ' ' {
			pieces = append(pieces, value[start:i])
			start = i
		}
	}
	return append(pieces, value[start:])
}

// Text returns a text as it can stand in a header field: itself where that
// is read back as it is, else as encoded words. longest is how much of it may
// stand together that cannot be folded.
func Text(text string, longest int) string {
	plain := strings.TrimSpace(text) == text && !strings.Contains(text, "=?") &&
		!strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
	for _, piece := range foldable(text) {
		plain = plain && len(piece) <= longest
	}
	if plain {
		return text
	}
	return encodeWords(text)
}

// encodeWords writes a text as encoded words (RFC 2047). Each is short enough to
// share a line of 76 characters with the name of a field, which that RFC asks for
// and mime.WordEncoder does not see to.
func encodeWords(text string) string {
	const maxOctets = 39 // 52 characters in base64
	var words []string
	for text != "" {
		n := 0
		for n < len(text) {
			_, size := utf8.DecodeRuneInString(text[n:])
			if n+size > maxOctets {
				break
			}
			n += size
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(text[:n]))+"?=")
		text = text[n:]
	}
	return strings.Join(words, " ")
}

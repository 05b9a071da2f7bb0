// Package mailtext writes the fields of a mail header and reads the addresses in them. It
// folds lines (RFC 5322), encodes words (RFC 2047), writes and reads lists of addresses, and
// writes the names of attached files (RFC 2183 and 2231).
package mailtext

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

const (
	// MaxLine is the longest line, in octets without the line end: RFC 5322, 2.1.1.
	MaxLine  = 998
	goodLine = 78 // the length that the same clause recommends
	// LongWord is how many octets without a place to fold fit a line of the recommended
	// length.
	LongWord = 60
)

// Fold returns a header field with its line end, folded (RFC 5322, 2.2.3) only where
// unfolding restores the value exactly and no line is blank. The value must not contain
// line breaks.
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

// foldable cuts a value before each single space, where it may be folded.
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

// Text returns a text in the form for a header field: unchanged if it can be read back
// unchanged, otherwise as encoded words. It also encodes a text with more than longest
// octets without a place to fold.
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

// encodeWords returns a text as encoded words (RFC 2047). Each is short enough to share a
// line of 76 characters with the name of a field. The RFC requires that, and
// mime.WordEncoder does not do it.
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

// Package charset converts mail text of any charset to UTF-8.
package charset

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// Decode returns text as valid UTF-8. label names its charset (RFC 2046, 4.1.2). If the
// label is unknown, or the octets are not of that charset, Decode guesses and sure is
// false. It guesses UTF-8 if the octets are valid UTF-8, and Windows-1252 if not, in which
// every octet is a character. It reads the empty label and us-ascii in the same way, but
// sure is true.
func Decode(label string, octets []byte) (text string, sure bool) {
	label = strings.ToLower(strings.TrimSpace(label))
	declared, err := htmlindex.Get(label)
	known := err == nil && declared != encoding.Replacement
	switch {
	case label == "" || label == "us-ascii" || label == "ascii":
		return guess(octets), true
	case !known:
		return guess(octets), false
	case declared == unicode.UTF8:
		return guess(octets), utf8.Valid(octets)
	}
	decoded, err := declared.NewDecoder().Bytes(octets)
	if err != nil {
		return guess(octets), false
	}
	return string(decoded), !bytes.ContainsRune(decoded, utf8.RuneError)
}

func guess(octets []byte) string {
	if utf8.Valid(octets) {
		return string(octets)
	}
	// This decoder has a character for every octet, so it never fails.
	decoded, _ := charmap.Windows1252.NewDecoder().Bytes(octets)
	return string(decoded)
}

// NewReader is Decode in the form that mime.WordDecoder needs. An unknown label is not an
// error.
func NewReader(label string, r io.Reader) (io.Reader, error) {
	octets, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	text, _ := Decode(label, octets)
	return strings.NewReader(text), nil
}

// Package charset reads mail text of any charset as UTF-8.
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

// Decode gives text in the charset with that label (RFC 2046, 4.1.2) as valid
// UTF-8. It is not sure of it when the label is unknown or the octets are not of
// that charset: they are then read as UTF-8 or else as Windows-1252, in which every
// octet means something. The empty label, and us-ascii, say nothing and are read
// that way too.
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
	// Its decoder has a character for every octet and does not fail.
	decoded, _ := charmap.Windows1252.NewDecoder().Bytes(octets)
	return string(decoded)
}

// NewReader is Decode in the form that mime.WordDecoder asks for. An unknown label
// is no error.
func NewReader(label string, r io.Reader) (io.Reader, error) {
	octets, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	text, _ := Decode(label, octets)
	return strings.NewReader(text), nil
}

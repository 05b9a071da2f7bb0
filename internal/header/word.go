package header

import (
	"mime"
	"strings"

	"github.com/gopec/gopec/internal/charset"
)

// DecodeText returns the value of a field as text in valid UTF-8. Encoded words (RFC 2047)
// are decoded. Eight-bit text, which the rules forbid, is read as UTF-8 if it is valid, and
// as Windows-1252 if not.
func DecodeText(value string) string {
	text, _ := charset.Decode("", []byte(value))
	words := mime.WordDecoder{CharsetReader: charset.NewReader}
	decoded, err := words.DecodeHeader(text)
	if err != nil {
		return text
	}
	return strings.ToValidUTF8(decoded, "\ufffd")
}

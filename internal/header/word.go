package header

import (
	"mime"
	"strings"

	"github.com/gopec/gopec/internal/charset"
)

// DecodeText gives the value of a field as text in valid UTF-8: encoded words (RFC
// 2047) are decoded, and eight-bit text, which no rule allows, is read as UTF-8 or
// else as Windows-1252.
func DecodeText(value string) string {
	text, _ := charset.Decode("", []byte(value))
	words := mime.WordDecoder{CharsetReader: charset.NewReader}
	decoded, err := words.DecodeHeader(text)
	if err != nil {
		return text
	}
	return strings.ToValidUTF8(decoded, "\ufffd")
}

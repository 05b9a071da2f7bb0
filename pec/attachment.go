package pec

import (
	"fmt"
	"io"
	"mime"
	"strings"
	"unicode/utf8"
)

// Attachment is a file attached to a Message.
type Attachment struct {
	// Name is the file's name, in any script, at most 255 bytes; required. A path is
	// refused.
	Name string
	// Type is the MIME type; "" means application/octet-stream. Parameters are
	// dropped. An attached message goes as application/octet-stream: encoded, it
	// could not be message/rfc822 (RFC 2046, 5.2.1).
	Type string
	// Content is read once, to its end, by Send and by Check: each call needs a fresh
	// one, a repeated call with the same key too. Required.
	Content io.Reader
}

// AttachmentDigest identifies the content of an attachment, as its recipient
// saves it: decoded.
type AttachmentDigest struct {
	Name   string
	Size   int64 // in bytes
	SHA256 Digest
}

// maxFileName is what file systems allow for a name, in octets.
const maxFileName = 255

// nameProblem tells what is wrong with the name of an attachment; "" for nothing.
// Programs save attachments under their names: no name may lead elsewhere.
func nameProblem(name string) ProblemReason {
	switch {
	case name == "":
		return ProblemMissing
	case !utf8.ValidString(name):
		return ProblemBadText
	case hasControl(name):
		return ProblemControl
	case strings.ContainsAny(name, `/\`), name == ".", name == "..":
		return ProblemBadName
	case len(name) > maxFileName:
		return ProblemTooLong
	default:
		return ""
	}
}

// attachmentType checks a MIME type. Composite types may not be encoded (RFC
// 2046, 5.1 and 5.2), so a file cannot have one.
func attachmentType(t string) (string, bool) {
	if t == "" {
		return "application/octet-stream", true
	}
	mediaType, _, err := mime.ParseMediaType(t)
	if err != nil || len(mediaType) > longWord ||
		strings.HasPrefix(mediaType, "multipart/") || strings.HasPrefix(mediaType, "message/") {
		return "", false
	}
	return mediaType, strings.Count(mediaType, "/") == 1
}

// disposition is the Content-Disposition of an attachment (RFC 2183). A name that
// is not short and plain is encoded as RFC 2231 has it, in pieces that each fit a
// line; none ends within a character, for readers that decode one by one.
func disposition(name string) string {
	if len(name) <= longWord && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' || r == '"' }) {
		return `attachment; filename="` + name + `"`
	}
	var pieces []string
	piece := "utf-8''"
	for _, r := range name {
		encoded := percent(string(r))
		if len(piece)+len(encoded) > longWord {
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

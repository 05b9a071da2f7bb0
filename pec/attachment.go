package pec

import (
	"io"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/mailtext"
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
	SHA256 envelope.Digest
}

// nameProblem tells what is wrong with the name of an attachment; "" for nothing.
// Programs save attachments under their names: no name may lead elsewhere.
func nameProblem(name string) ProblemReason {
	switch {
	case name == "":
		return ProblemMissing
	case !utf8.ValidString(name):
		return ProblemBadText
	case mailtext.HasControl(name):
		return ProblemControl
	case strings.ContainsAny(name, `/\`), name == ".", name == "..":
		return ProblemBadName
	case len(name) > mailtext.MaxFileName:
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
	if err != nil || len(mediaType) > mailtext.LongWord ||
		strings.HasPrefix(mediaType, "multipart/") || strings.HasPrefix(mediaType, "message/") {
		return "", false
	}
	return mediaType, strings.Count(mediaType, "/") == 1
}

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
	// Name is the file's name, in any script, at most 255 bytes. A path is refused.
	// Required.
	Name string
	// Type is the MIME type; "" means application/octet-stream. Parameters are dropped.
	// Attach a message as application/octet-stream: attachments are encoded, and a
	// message/rfc822 may not be (RFC 2046, 5.2.1), so message and multipart types are
	// refused.
	Type string
	// Content is read once, to its end, by Send and by Check. Each call needs a new
	// reader, also a repeated call with the same key. Required.
	Content io.Reader
}

// AttachmentDigest identifies the content of an attachment: the decoded bytes, which a
// recipient saves.
type AttachmentDigest struct {
	Name   string
	Size   int64 // in bytes
	SHA256 envelope.Digest
}

// nameProblem returns what is wrong with the name of an attachment; "" for nothing.
// Programs save attachments under their names, so no name may lead to another folder.
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

// attachmentType returns the MIME type of an attachment without parameters, and whether
// an attachment can have it. Composite types may not be encoded (RFC 2046, 5.1 and 5.2),
// so an attachment cannot have one.
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

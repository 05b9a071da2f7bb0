package dossier

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/multipart"
)

// Original is the message as it was sent. For a received message it is what the envelope
// carries: it has no file of its own, and only Attachments is set.
type Original struct {
	File        string       `json:"file"`
	SHA256      string       `json:"sha256"`
	Size        int64        `json:"size"` // in bytes
	Attachments []Attachment `json:"attachments"`
}

// Attachment is one named part of a message.
type Attachment struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`   // of the decoded content, in bytes
	SHA256 string `json:"sha256"` // of the decoded content
}

// attachments returns the parts of a message that have a name. A part that cannot be decoded
// counts up to the byte where decoding fails.
func attachments(message *io.SectionReader) ([]Attachment, error) {
	list := []Attachment{}
	h, size, err := header.Read(message, maxHeader)
	if errors.Is(err, header.ErrTooLarge) {
		return list, nil
	}
	if err != nil {
		return nil, fmt.Errorf("dossier: reading a message: %w", err)
	}
	top := multipart.NewPart(h, io.NewSectionReader(message, size, message.Size()-size))
	for p, err := range multipart.Leaves(top) {
		if err != nil && !multipart.IsMalformed(err) {
			return nil, fmt.Errorf("dossier: reading a message: %w", err)
		}
		if len(p.Names) == 0 {
			continue
		}
		digest := sha256.New()
		n, err := io.Copy(digest, p.Open())
		if err != nil && !errors.Is(err, multipart.ErrEncoding) {
			return nil, fmt.Errorf("dossier: reading an attachment: %w", err)
		}
		list = append(list, Attachment{p.Name(), n, envelope.Digest(digest.Sum(nil)).String()})
	}
	return list, nil
}

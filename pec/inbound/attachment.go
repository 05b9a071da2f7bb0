package inbound

import (
	"fmt"
	"io"
	"iter"

	"github.com/gopec/gopec/internal/multipart"
)

// Attachment is a file that an inbound message carries: every part of it
// that is not its Text or HTML, so that nothing of a message goes unseen. An
// attached message is one file and is not looked into.
type Attachment struct {
	// Name is the name its author gave it, decoded, and possibly a path or made to
	// deceive; "" when there is none.
	Name string
	// SafeName is Name made fit for a file of its own on any system: without path,
	// control and invisible characters, at most 255 octets, never "". Two attachments
	// may have the same.
	SafeName string
	// MediaType is what its author calls it, in lower case; "" when there is none.
	MediaType string
	// Form is what its content says it is.
	Form Form
	// Size is the number of octets that Open gives.
	Size int64
	// Defect tells why it could not be read as it is labelled; nil when it could.
	Defect *Defect

	part multipart.Part
}

// Open reads the content, decoded, from its beginning at each call. Where Defect
// says DefectEncoding it may end early, with an error; octets in an encoding nobody
// knows are given as they stand.
func (a Attachment) Open() io.Reader { return a.part.Open() }

// Attachments yields the attachments in order. Each is read through once, to tell
// its Size and Form. At most one error is yielded, as the last pair: the message
// could not be read.
func (in *Message) Attachments() iter.Seq2[Attachment, error] {
	return func(yield func(Attachment, error) bool) {
		leaves, err := in.leaves()
		if err != nil {
			yield(Attachment{}, err)
			return
		}
		text, html := bodies(leaves)
		for i, l := range leaves {
			if i == text || i == html {
				continue
			}
			a, err := newAttachment(l)
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

func newAttachment(l leaf) (Attachment, error) {
	a := Attachment{Name: l.part.Name(), MediaType: l.part.MediaType, Defect: l.defect, part: l.part}
	a.SafeName = safeName(a.Name)
	var s sniffer
	size, err := io.Copy(&s, a.Open())
	defect := asDefect("attachment", err)
	if err != nil && defect == nil {
		return Attachment{}, fmt.Errorf("inbound: reading an attachment: %w", err)
	}
	switch l.part.Encoding {
	case "", "7bit", "8bit", "binary", "base64", "quoted-printable":
	default:
		defect = &Defect{"attachment", DefectEncoding, fmt.Errorf("%w: %.100q", multipart.ErrEncoding, l.part.Encoding)}
	}
	if a.Defect == nil {
		a.Defect = defect
	}
	a.Size, a.Form = size, s.form(a.MediaType, a.Name)
	return a, nil
}

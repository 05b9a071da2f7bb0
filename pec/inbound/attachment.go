package inbound

import (
	"fmt"
	"io"
	"iter"

	"github.com/gopec/gopec/internal/multipart"
)

// Attachment is a file in an inbound message. Every part that is not its Text or HTML is
// one, so no part of a message is lost. An attached message is one file and is not opened.
type Attachment struct {
	// Name is the author's name for the file, decoded; "" when there is none. It may be a
	// path, or made to deceive.
	Name string
	// SafeName is a file name made from Name that is safe on any system: it has no path,
	// control or invisible characters and at most 255 bytes, and is never "". Two
	// attachments of a message may have the same SafeName.
	SafeName string
	// MediaType is the author's media type, in lower case and without parameters; "" when
	// there is none.
	MediaType string
	// Form is what the content looks like.
	Form Form
	// Size is the number of bytes that Open's reader yields.
	Size int64
	// Defect says why the file could not be read as it is labelled; nil when it could.
	Defect *Defect

	part multipart.Part
}

// Open returns a reader of the decoded content; each call begins at the start. With
// DefectEncoding the reader may end early with an error. Content in an unknown transfer
// encoding is not decoded.
func (a Attachment) Open() io.Reader { return a.part.Open() }

// Attachments yields the attachments in order. Each is read once to find its Size and
// Form. An error is yielded at most once, last, and means that the message could not be
// read.
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

package multipart

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"

	"github.com/gopec/gopec/internal/header"
)

// Part is one entity (RFC 2045, 2.4), with what its header says of its body.
type Part struct {
	MediaType string   // lower case; "" when there is no Content-Type
	Names     []string // the parameters name of Content-Type and filename of Content-Disposition
	Encoding  string   // Content-Transfer-Encoding in lower case, "" when there is none
	Body      *io.SectionReader

	boundary  string
	paramsErr error
}

// maxHeader is the longest header of a part read, in bytes.
const maxHeader = 64 << 10

// ReadPart reads the header at the start of an entity and finds its body.
func ReadPart(entity *io.SectionReader) (Part, error) {
	h, size, err := header.Read(io.NewSectionReader(entity, 0, entity.Size()), maxHeader)
	if err != nil {
		return Part{}, err
	}
	return NewPart(h, io.NewSectionReader(entity, size, entity.Size()-size)), nil
}

// NewPart makes a part of a header that was read and its body.
func NewPart(h header.Header, body *io.SectionReader) Part {
	p := Part{Body: body, Encoding: strings.ToLower(h.Get("Content-Transfer-Encoding"))}
	var params map[string]string
	p.MediaType, params, p.paramsErr = header.ParseParams(h.Get("Content-Type"))
	p.boundary = params["boundary"]
	_, disposition, _ := header.ParseParams(h.Get("Content-Disposition"))
	for _, name := range []string{params["name"], disposition["filename"]} {
		if name != "" {
			p.Names = append(p.Names, name)
		}
	}
	return p
}

// Split splits the body of a multipart; see the function Split.
func (p Part) Split(maxParts int) (parts []*io.SectionReader, epilogue *io.SectionReader, err error) {
	if p.paramsErr != nil {
		return nil, nil, p.paramsErr
	}
	return Split(p.Body, p.boundary, maxParts)
}

// HasDelimiter tells whether a delimiter of this multipart stands in text.
func (p Part) HasDelimiter(text *io.SectionReader) (bool, error) {
	parts, _, err := Split(text, p.boundary, 1)
	if errors.Is(err, ErrTooManyParts) {
		return true, nil
	}
	return len(parts) > 0, err
}

var (
	// ErrTooLarge reports a body longer than the caller reads.
	ErrTooLarge = errors.New("multipart: part too large")
	// ErrEncoding reports a body that is not in the encoding it is labelled with.
	ErrEncoding = errors.New("multipart: wrong transfer encoding")
)

// Content decodes the body (RFC 2045, 6). Beyond limit bytes it is ErrTooLarge,
// and what cannot be decoded is ErrEncoding.
func (p Part) Content(limit int64) ([]byte, error) {
	// Quoted-printable takes three octets for one; a line end here and there.
	if p.Body.Size() > 4*limit {
		return nil, ErrTooLarge
	}
	raw, err := io.ReadAll(io.NewSectionReader(p.Body, 0, p.Body.Size()))
	if err != nil {
		return nil, err
	}
	switch p.Encoding {
	case "base64":
		compact := bytes.Join(bytes.Fields(raw), nil)
		raw, err = base64.StdEncoding.AppendDecode(nil, compact)
	case "quoted-printable":
		raw, err = io.ReadAll(quotedprintable.NewReader(bytes.NewReader(raw)))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	if int64(len(raw)) > limit {
		return nil, ErrTooLarge
	}
	return raw, nil
}

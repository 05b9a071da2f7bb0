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

// Part is one entity (RFC 2045, 2.4): a header and a body.
type Part struct {
	Header    header.Header
	MediaType string // lower case; "" when there is no Content-Type
	Body      *io.SectionReader

	params    map[string]string // of Content-Type
	paramsErr error
}

// ReadPart reads the header at the start of an entity and finds its body.
func ReadPart(entity *io.SectionReader) (Part, error) {
	h, size, err := header.Read(io.NewSectionReader(entity, 0, entity.Size()))
	if err != nil {
		return Part{}, err
	}
	p := Part{Header: h, Body: io.NewSectionReader(entity, size, entity.Size()-size)}
	p.MediaType, p.params, p.paramsErr = header.ParseParams(h.Get("Content-Type"))
	return p, nil
}

// Children splits the body of a multipart; see Split.
func (p Part) Children(maxParts int) ([]*io.SectionReader, error) {
	if p.paramsErr != nil {
		return nil, p.paramsErr
	}
	return Split(p.Body, p.params["boundary"], maxParts)
}

// Names gives the names the part goes by: the parameters name of Content-Type and
// filename of Content-Disposition.
func (p Part) Names() []string {
	var names []string
	if name := p.params["name"]; name != "" {
		names = append(names, name)
	}
	_, disposition, _ := header.ParseParams(p.Header.Get("Content-Disposition"))
	if name := disposition["filename"]; name != "" {
		names = append(names, name)
	}
	return names
}

// Encoding gives the Content-Transfer-Encoding in lower case, "" when there is none.
func (p Part) Encoding() string {
	return strings.ToLower(p.Header.Get("Content-Transfer-Encoding"))
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
	switch p.Encoding() {
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

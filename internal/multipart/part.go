package multipart

import (
	"io"
	"strings"

	"github.com/gopec/gopec/internal/header"
)

// Part is one entity (RFC 2045, 2.4), with what its header says of its body.
type Part struct {
	MediaType   string   // lower case; "" when there is no Content-Type
	Charset     string   // the parameter of that name; "" when there is none
	Names       []string // the parameters name of Content-Type and filename of Content-Disposition
	Disposition string   // Content-Disposition in lower case, without parameters; "" when there is none
	Encoding    string   // Content-Transfer-Encoding in lower case, "" when there is none
	Body        *io.SectionReader

	boundary       string
	paramsErr      error // of Content-Type
	dispositionErr error
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
	var params, disposition header.Params
	p.MediaType, params, p.paramsErr = header.ParseParams(h.Get("Content-Type"))
	p.boundary, p.Charset = params.Get("boundary"), params.Get("charset")
	p.Disposition, disposition, p.dispositionErr = header.ParseParams(h.Get("Content-Disposition"))
	p.Names = make([]string, 0, 2)
	for _, name := range [...]string{params.Get("name"), disposition.Get("filename")} {
		if name != "" {
			p.Names = append(p.Names, name)
		}
	}
	return p
}

// Name is the name under which the part is saved, decoded (RFC 2047, 2231), "" when it
// has none: the filename of Content-Disposition goes before the name of Content-Type.
func (p Part) Name() string {
	if len(p.Names) == 0 {
		return ""
	}
	return header.DecodeText(p.Names[len(p.Names)-1])
}

// Split splits the body of a multipart; see the function Split.
func (p Part) Split(maxParts int) ([]*io.SectionReader, error) {
	if p.paramsErr != nil {
		return nil, p.paramsErr
	}
	return Split(p.Body, p.boundary, maxParts)
}

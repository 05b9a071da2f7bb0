package multipart

import (
	"cmp"
	"errors"
	"io"
	"strings"

	"github.com/gopec/gopec/internal/header"
)

// Part is one entity (RFC 2045, 2.4), with what its header says about its body.
type Part struct {
	MediaType   string   // in lower case; "" without Content-Type
	Charset     string   // the parameter charset of Content-Type; "" without one
	Names       []string // the parameters name of Content-Type and filename of Content-Disposition, if present
	Disposition string   // Content-Disposition in lower case, without parameters; "" without one
	Encoding    string   // Content-Transfer-Encoding in lower case; "" without one
	Body        *io.SectionReader

	boundary       string
	headerErr      error // what is wrong with the header; set by ReadPart only
	paramsErr      error // what is wrong with Content-Type
	dispositionErr error // what is wrong with Content-Disposition
}

// ErrHeader reports a header of a part that programs read differently: it has lines that
// are not fields, a bare CR that some take for the end of a line, or a Content- field
// twice.
var ErrHeader = errors.New("multipart: ambiguous header: a line that is not a field, a bare CR, or a repeated Content- field")

// Most parts have no more fields and parameters than these.
const (
	usualFields = 8
	usualParams = 4
)

// maxHeader is the longest header of a part read, in bytes.
const maxHeader = 64 << 10

// ReadPart reads the header at the start of an entity and finds its body.
func ReadPart(entity *io.SectionReader) (Part, error) {
	var room [usualFields]header.Field
	h := header.Header(room[:0])
	var headerErr error
	size, err := header.Each(entity, maxHeader, func(f header.Field) {
		if !isName(f.Name) || strings.Contains(f.Value, "\r") || isContentField(f.Name) && h.Has(f.Name) {
			headerErr = ErrHeader
		}
		h = append(h, f)
	})
	if err != nil {
		return Part{}, err
	}
	p := NewPart(h, section(entity, size, entity.Size()-size))
	p.headerErr = headerErr
	return p, nil
}

// isName reports whether name is the name of a field: printable ASCII (RFC 5322, 2.2), and
// not beginning like a delimiter.
func isName(name string) bool {
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return false
		}
	}
	return name != "" && !strings.HasPrefix(name, "--")
}

// isContentField reports whether a field is about the body (RFC 2045, 3).
func isContentField(name string) bool {
	return len(name) > len("Content-") && strings.EqualFold(name[:len("Content-")], "Content-")
}

// HeaderErr returns why programs may disagree about a part that ReadPart read: ErrHeader or
// header.ErrParams. It is nil for an unambiguous header.
func (p Part) HeaderErr() error { return cmp.Or(p.headerErr, p.paramsErr, p.dispositionErr) }

// NewPart returns the part with the given header and body.
func NewPart(h header.Header, body *io.SectionReader) Part {
	p := Part{Body: body, Encoding: strings.ToLower(h.Get("Content-Transfer-Encoding"))}
	var room [2][usualParams]header.Param
	var params, disposition header.Params
	p.MediaType, params, p.paramsErr = header.ParseParams(h.Get("Content-Type"), room[0][:])
	p.boundary, p.Charset = params.Get("boundary"), params.Get("charset")
	p.Disposition, disposition, p.dispositionErr = header.ParseParams(h.Get("Content-Disposition"), room[1][:])
	switch name, filename := params.Get("name"), disposition.Get("filename"); {
	case name != "" && filename != "":
		p.Names = []string{name, filename}
	case name+filename != "":
		p.Names = []string{name + filename}
	}
	return p
}

// Name returns the file name of the part, decoded (RFC 2047, 2231); "" if it has none. The
// filename of Content-Disposition takes precedence over the name of Content-Type.
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

// section returns a section of whole. It reads directly from the reader below whole.
func section(whole *io.SectionReader, start, size int64) *io.SectionReader {
	r, base, n := whole.Outer()
	return io.NewSectionReader(r, base+start, max(0, min(size, n-start)))
}

package multipart

import (
	"io"
	"strings"
)

// Signed is a multipart/signed (RFC 1847) whose first part may be a multipart. Both are
// split in one pass, so that a large message is read once.
type Signed struct {
	Parts  []*io.SectionReader
	First  Part // the first of Parts; the zero value if there is none
	BareLF bool // First has line ends without CR

	Children []*io.SectionReader // the parts of First
	Resumed  bool                // a delimiter of First comes after its closing one

	FirstErr    error // why First cannot be read
	ChildrenErr error // why First cannot be split
}

// SplitSigned splits a multipart of at most two parts, and the first of these into at most
// MaxParts parts. It calls content once, or not at all, and writes the first part to the
// result while reading it; lf reports whether the line before that part ends in LF alone.
// It reads into block, of BlockSize bytes. If block is nil, it allocates one.
func (p Part) SplitSigned(block []byte, content func(lf bool) io.Writer) (Signed, error) {
	if p.paramsErr != nil {
		return Signed{}, p.paramsErr
	}
	outer := newSplitter(p.Body, p.boundary, 2)
	if outer.delimiter == nil {
		return Signed{}, nil
	}
	r := signedReader{scanner: newScanner(p.Body, outer, block), body: p.Body}
	for !outer.ended {
		d, err := r.next()
		if err == io.EOF {
			d, err = delimiter{start: p.Body.Size(), last: true}, nil
		}
		if err != nil {
			return Signed{}, err
		}
		if outer.start >= 0 && len(outer.parts) == 0 {
			r.endFirst(d.start)
		}
		if err := outer.take(d); err != nil {
			return Signed{}, err
		}
		if outer.start >= 0 && len(outer.parts) == 0 {
			r.beginFirst(d.end)
			r.content = content(r.lineEnd == 1)
		}
	}
	r.signed.Parts = outer.parts
	if r.headerIsAll && len(outer.parts) > 0 {
		r.signed.First, r.signed.FirstErr = ReadPart(outer.parts[0])
	}
	return r.signed, nil
}

// signedReader is one pass over a multipart/signed.
type signedReader struct {
	*scanner
	body        *io.SectionReader
	signed      Signed
	headerIsAll bool // the first part ends before its header does
}

// beginFirst reads the header of the first part. The end of that part is not yet known.
func (r *signedReader) beginFirst(start int64) {
	first, err := ReadPart(section(r.body, start, r.body.Size()-start))
	r.signed.First, r.signed.FirstErr = first, err
	if err != nil {
		r.headerIsAll = true // that may be the cause
		return
	}
	r.innerFrom = r.body.Size() - first.Body.Size()
	if first.paramsErr != nil {
		r.innerErr = first.paramsErr
	} else if strings.HasPrefix(first.MediaType, "multipart/") {
		r.inner = newSplitter(r.body, first.boundary, MaxParts)
	}
}

// endFirst ends the first part at an offset.
func (r *signedReader) endFirst(end int64) {
	r.content = nil
	r.signed.BareLF = r.bareLF > 0
	if r.headerIsAll = r.headerIsAll || r.innerFrom > end; r.headerIsAll {
		return
	}
	r.signed.First.Body = section(r.body, r.innerFrom, end-r.innerFrom)
	r.signed.ChildrenErr = r.innerErr
	if r.inner == nil || r.innerErr != nil {
		return
	}
	r.signed.ChildrenErr = r.inner.close(end)
	r.signed.Children, r.signed.Resumed = r.inner.parts, r.inner.resumed
	r.inner = nil
}

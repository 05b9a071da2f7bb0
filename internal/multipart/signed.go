package multipart

import (
	"io"
	"strings"
)

// Signed is a multipart/signed (RFC 1847) with the multipart that is its first part:
// both are split in one pass, so that a large message is read once.
type Signed struct {
	Parts  []*io.SectionReader
	First  Part // the first of Parts; the zero value without one
	BareLF bool // it has line ends without CR

	Children []*io.SectionReader // of First
	Resumed  bool                // a delimiter of First comes after its last one

	FirstErr    error // why First cannot be read
	ChildrenErr error // why First cannot be split
}

// SplitSigned splits a multipart of at most two parts, and the first of them into at
// most MaxParts. The first part is written to content as it is read; lf tells whether
// the line before it ends in LF alone. Content is asked for once, or not at all. It is
// read into block, of BlockSize bytes; nil makes one.
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

// beginFirst reads the header of the first part, before it is known where the part
// ends.
func (r *signedReader) beginFirst(start int64) {
	first, err := ReadPart(section(r.body, start, r.body.Size()-start))
	r.signed.First, r.signed.FirstErr = first, err
	if err != nil {
		r.headerIsAll = true // which may be why
		return
	}
	r.innerFrom = r.body.Size() - first.Body.Size()
	if first.paramsErr != nil {
		r.innerErr = first.paramsErr
	} else if strings.HasPrefix(first.MediaType, "multipart/") {
		r.inner = newSplitter(r.body, first.boundary, MaxParts)
	}
}

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

// Package multipart finds the parts of a MIME multipart as exact spans of bytes
// (RFC 2046, 5.1). Nothing is decoded and nothing is re-encoded: a signature is
// over the bytes as they were transmitted.
package multipart

import (
	"bytes"
	"errors"
	"io"
)

// ErrTooManyParts reports a multipart with more parts than the caller reads.
var ErrTooManyParts = errors.New("multipart: too many parts")

// maxBoundary is far above the 70 characters to which RFC 2046 limits a boundary.
const maxBoundary = 1 << 10

// usualParts is what a message has at most, mostly.
const usualParts = 4

// Split gives the parts between the delimiters of boundary in body, each from
// its first header byte up to the line end that belongs to the next delimiter. They
// are sections of what body itself is a section of (Outer). A missing last delimiter
// is tolerated, as mail programs do. More than maxParts parts is ErrTooManyParts.
func Split(body *io.SectionReader, boundary string, maxParts int) ([]*io.SectionReader, error) {
	parts := newSplitter(body, boundary, maxParts)
	if parts.delimiter == nil {
		return nil, nil
	}
	s := newScanner(body, parts, nil)
	for !parts.ended {
		d, err := s.next()
		if err == io.EOF {
			return parts.parts, parts.close(body.Size())
		}
		if err == nil {
			err = parts.take(d)
		}
		if err != nil {
			return nil, err
		}
	}
	return parts.parts, nil
}

// delimiter is a line that delimits parts, by its place in the body.
type delimiter struct {
	start int64 // of the line end before it, which belongs to it
	end   int64 // after its own line end
	last  bool
}

// splitter collects the parts between the delimiters of one boundary.
type splitter struct {
	body      *io.SectionReader
	delimiter []byte // without the marks of the last one; nil finds nothing
	maxParts  int
	parts     []*io.SectionReader
	start     int64 // of the open part; -1 when none is
	ended     bool  // the last delimiter has come
	resumed   bool  // and another after it
}

func newSplitter(body *io.SectionReader, boundary string, maxParts int) *splitter {
	s := &splitter{body: body, maxParts: maxParts, start: -1}
	if boundary != "" && len(boundary) <= maxBoundary {
		s.delimiter = []byte("--" + boundary)
	}
	return s
}

// match tells whether line is "--boundary", with "--" behind it for the last one,
// and nothing but padding after that: a boundary may be the beginning of another.
func (s *splitter) match(line []byte) (match, last bool) {
	if s == nil || s.delimiter == nil {
		return false, false
	}
	rest, ok := bytes.CutPrefix(line, s.delimiter)
	if !ok {
		return false, false
	}
	rest, last = bytes.CutPrefix(rest, []byte("--"))
	return len(bytes.TrimRight(rest, " \t\r\n")) == 0, last
}

// take goes on to what follows a delimiter.
func (s *splitter) take(d delimiter) error {
	if s.ended {
		s.resumed = true
		return nil
	}
	if err := s.close(d.start); err != nil {
		return err
	}
	if s.ended = d.last; !d.last {
		s.start = d.end
	}
	return nil
}

// close ends the open part, if one is, at an offset.
func (s *splitter) close(end int64) error {
	if s.start < 0 {
		return nil
	}
	if len(s.parts) == s.maxParts {
		return ErrTooManyParts
	}
	if s.parts == nil {
		s.parts = make([]*io.SectionReader, 0, usualParts)
	}
	s.parts = append(s.parts, section(s.body, s.start, max(0, end-s.start)))
	s.start = -1
	return nil
}

// Package multipart finds the parts of a MIME multipart as exact spans of bytes (RFC 2046,
// 5.1). Splitting does not decode or re-encode anything, because a signature is over the
// bytes as they were transmitted.
package multipart

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ErrTooManyParts reports a multipart with more parts than the caller's limit.
var ErrTooManyParts = errors.New("multipart: too many parts")

// maxBoundary is the longest boundary that is accepted, in bytes. RFC 2046 allows 70.
const maxBoundary = 1 << 10

// usualParts is how many parts most multiparts have at most.
const usualParts = 4

// Split returns the parts between the delimiters of boundary in body. Each begins with its
// first header byte and ends before the line end that belongs to the next delimiter. The
// parts are sections of the reader that body itself is a section of (see Outer). A missing
// closing delimiter is tolerated, as in mail programs. If there are more than maxParts
// parts, the error is ErrTooManyParts.
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
	start int64 // where the line end before it begins, which belongs to it
	end   int64 // where its own line end ends
	last  bool  // it is the closing delimiter
}

// splitter collects the parts between the delimiters of one boundary.
type splitter struct {
	body      *io.SectionReader
	delimiter []byte // "--" and the boundary; nil matches nothing
	maxParts  int
	parts     []*io.SectionReader
	start     int64 // where the open part begins; -1 if none is open
	ended     bool  // the closing delimiter has come
	resumed   bool  // a delimiter has come after it
}

func newSplitter(body *io.SectionReader, boundary string, maxParts int) *splitter {
	s := &splitter{body: body, maxParts: maxParts, start: -1}
	if boundary != "" && len(boundary) <= maxBoundary {
		s.delimiter = []byte("--" + boundary)
	}
	return s
}

// match reports whether line is a delimiter, "--boundary", and whether it is the closing
// one, "--boundary--". Nothing but white space may follow, since a boundary may be the
// beginning of another.
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

// take ends the open part at a delimiter, and begins the next one unless it is the closing
// delimiter.
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

// close ends the open part, if there is one, at an offset.
func (s *splitter) close(end int64) error {
	if s.start < 0 {
		return nil
	}
	if len(s.parts) == s.maxParts {
		return fmt.Errorf("%w: more than %d", ErrTooManyParts, s.maxParts)
	}
	if s.parts == nil {
		s.parts = make([]*io.SectionReader, 0, usualParts)
	}
	s.parts = append(s.parts, section(s.body, s.start, max(0, end-s.start)))
	s.start = -1
	return nil
}

// Package multipart finds the parts of a MIME multipart as exact spans of bytes
// (RFC 2046, 5.1). Nothing is decoded and nothing is re-encoded: a signature is
// over the bytes as they were transmitted.
package multipart

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ErrTooManyParts reports a multipart with more parts than the caller reads.
var ErrTooManyParts = errors.New("multipart: too many parts")

// bufferSize holds any delimiter: RFC 2046 limits a boundary to 70 characters.
const (
	bufferSize  = 32 << 10
	maxBoundary = 1 << 10
)

// Split gives the parts between the delimiters of boundary in body, each from
// its first header byte up to the line end that belongs to the next delimiter, and
// the epilogue, what follows the line of the last one. A missing last delimiter is
// tolerated, as mail programs do. More than maxParts parts is ErrTooManyParts.
func Split(body *io.SectionReader, boundary string, maxParts int) (parts []*io.SectionReader, epilogue *io.SectionReader, err error) {
	nothing := io.NewSectionReader(body, body.Size(), 0)
	if boundary == "" || len(boundary) > maxBoundary {
		return nil, nothing, nil
	}
	lines := bufio.NewReaderSize(io.NewSectionReader(body, 0, body.Size()), bufferSize)
	delimiter := []byte("--" + boundary)
	start := int64(-1) // of the part being read; -1 in the preamble
	var pos, lineEnd int64
	atLineStart, endsInCR := true, false
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return nil, nil, fmt.Errorf("multipart: %w", err)
		}
		// A line longer than the buffer cannot be a delimiter.
		if atLineStart && err != bufio.ErrBufferFull {
			if isDelimiter, isLast := matchDelimiter(line, delimiter); isDelimiter {
				if start >= 0 {
					if len(parts) == maxParts {
						return nil, nil, ErrTooManyParts
					}
					end := max(start, pos-lineEnd)
					parts = append(parts, io.NewSectionReader(body, start, end-start))
				}
				start = pos + int64(len(line))
				if isLast {
					return parts, io.NewSectionReader(body, start, body.Size()-start), nil
				}
			}
		}
		pos += int64(len(line))
		atLineStart = err == nil
		if atLineStart {
			lineEnd = 1
			// The buffer may have been full just after the CR.
			if bytes.HasSuffix(line, []byte("\r\n")) || endsInCR && len(line) == 1 {
				lineEnd = 2
			}
		}
		endsInCR = err == bufio.ErrBufferFull && line[len(line)-1] == '\r'
		if err == io.EOF {
			if start >= 0 {
				if len(parts) == maxParts {
					return nil, nil, ErrTooManyParts
				}
				parts = append(parts, io.NewSectionReader(body, start, pos-start))
			}
			return parts, nothing, nil
		}
	}
}

// matchDelimiter tells whether line is "--boundary", with "--" behind it for
// the last one, and nothing but padding after that: a boundary may be the
// beginning of another.
func matchDelimiter(line, delimiter []byte) (match, last bool) {
	rest, ok := bytes.CutPrefix(line, delimiter)
	if !ok {
		return false, false
	}
	rest, last = bytes.CutPrefix(rest, []byte("--"))
	return len(bytes.TrimRight(rest, " \t\r\n")) == 0, last
}

package multipart

import (
	"bytes"
	"fmt"
	"io"
)

const (
	// BlockSize is how many bytes of a body are read at a time.
	BlockSize = 64 << 10
	// maxLineEnd is the longest line end, and maxDelimiter the longest line that may be a
	// delimiter, in bytes. maxDelimiter does not count the line end, which storage may
	// change. Together they are half a block, so that a block always has room for one.
	maxLineEnd   = len("\r\n")
	maxDelimiter = BlockSize/2 - maxLineEnd
)

// scanner reads a body once, block by block, and finds delimiters.
type scanner struct {
	body         *io.SectionReader
	outer, inner *splitter
	innerFrom    int64     // where the body of inner begins
	innerErr     error     // why inner failed; it gets no more delimiters then
	content      io.Writer // receives what is between the delimiters of outer; may be nil
	bareLF       int       // line ends without CR since the last delimiter of outer

	buf     []byte
	offset  int64 // where buf begins in the body
	written int   // how much of buf was written to content
	line    int   // where in buf the line being read begins
	lineEnd int   // the length of the line end before that line
	midLine bool  // the beginning of that line is no longer in buf
	atEOF   bool
}

// newScanner returns a scanner that reads into block, of BlockSize bytes. If block is nil,
// it allocates one.
func newScanner(body *io.SectionReader, outer *splitter, block []byte) *scanner {
	if block == nil {
		block = make([]byte, min(body.Size(), BlockSize))
	}
	return &scanner{
		body:  body,
		outer: outer,
		buf:   block[:0],
	}
}

// next reads up to the next delimiter of outer and returns it; the error is io.EOF if none
// comes. It passes the delimiters of inner before that to inner.
func (s *scanner) next() (delimiter, error) {
	s.bareLF = 0
	for {
		s.skip()
		i := bytes.IndexByte(s.buf[s.line:], '\n')
		if i < 0 {
			if s.atEOF {
				break
			}
			if err := s.fill(); err != nil {
				return delimiter{}, err
			}
			continue
		}
		line, lineEnd := s.buf[s.line:s.line+i+1], 1
		if i > 0 && line[i-1] == '\r' {
			lineEnd = 2
		}
		if d, isOuter := s.find(line); isOuter {
			return d, s.pass(d, lineEnd)
		}
		s.bareLF += 2 - lineEnd
		s.line += i + 1
		s.lineEnd, s.midLine = lineEnd, false
	}
	if d, isOuter := s.find(s.buf[s.line:]); isOuter {
		return d, s.pass(d, 0)
	}
	s.line = len(s.buf)
	if err := s.write(s.line); err != nil {
		return delimiter{}, err
	}
	return delimiter{}, io.EOF
}

// skip skips lines that do not begin like a delimiter. It does the same as next, in a third
// of the time.
func (s *scanner) skip() {
	buf, line, lineEnd, bareLF := s.buf, s.line, s.lineEnd, s.bareLF
	for line < len(buf) && buf[line] != '-' {
		i := bytes.IndexByte(buf[line:], '\n')
		if i < 0 {
			break
		}
		if i > 0 && buf[line+i-1] == '\r' {
			lineEnd = 2
		} else {
			lineEnd = 1
			bareLF++
		}
		line += i + 1
	}
	s.midLine = s.midLine && line == s.line
	s.line, s.lineEnd, s.bareLF = line, lineEnd, bareLF
}

// find finds out whether line, at s.line, is a delimiter. A delimiter of outer is returned.
// It ends the part that inner is in, so inner is asked only if outer does not match.
func (s *scanner) find(line []byte) (d delimiter, isOuter bool) {
	if s.midLine || len(line) < 2 || line[0] != '-' || line[1] != '-' || len(withoutEnd(line)) > maxDelimiter {
		return d, false
	}
	at := s.offset + int64(s.line)
	d = delimiter{start: at - int64(s.lineEnd), end: at + int64(len(line))}
	var found bool
	if found, d.last = s.outer.match(line); found {
		return d, true
	}
	if s.inner != nil && at >= s.innerFrom && s.innerErr == nil {
		if found, d.last = s.inner.match(line); found {
			s.innerErr = s.inner.take(d)
		}
	}
	return d, false
}

// withoutEnd returns line without its line end.
func withoutEnd(line []byte) []byte {
	line, ended := bytes.CutSuffix(line, []byte("\n"))
	if ended {
		line = bytes.TrimSuffix(line, []byte("\r"))
	}
	return line
}

// pass continues after a delimiter of outer.
func (s *scanner) pass(d delimiter, lineEnd int) error {
	if s.lineEnd == 1 && s.bareLF > 0 {
		s.bareLF-- // the one before the delimiter, which is not content
	}
	err := s.write(s.line - s.lineEnd)
	s.line, s.lineEnd = int(d.end-s.offset), lineEnd
	s.written = s.line
	return err
}

// write writes buf up to end to content.
func (s *scanner) write(end int) error {
	if end <= s.written {
		return nil
	}
	b := s.buf[s.written:end]
	s.written = end
	if s.content == nil {
		return nil
	}
	_, err := s.content.Write(b)
	return err
}

// fill makes room in buf and reads more. The line being read stays in buf, with the line
// end before it, unless it is too long for a delimiter.
func (s *scanner) fill() error {
	keep := s.line - s.lineEnd
	if s.midLine || len(s.buf)-s.line > maxDelimiter+maxLineEnd {
		keep = len(s.buf)
		if keep > 0 && s.buf[keep-1] == '\r' {
			keep-- // it may belong to a line end
		}
		s.line, s.lineEnd, s.midLine = keep, 0, true
	}
	if err := s.write(keep); err != nil {
		return err
	}
	s.buf = s.buf[:copy(s.buf, s.buf[keep:])]
	s.offset += int64(keep)
	s.line -= keep
	s.written = max(0, s.written-keep)
	n, err := s.body.ReadAt(s.buf[len(s.buf):cap(s.buf)], s.offset+int64(len(s.buf)))
	s.buf = s.buf[:len(s.buf)+n]
	s.atEOF = err == io.EOF || s.offset+int64(len(s.buf)) == s.body.Size()
	if err != nil && err != io.EOF {
		return fmt.Errorf("multipart: %w", err)
	}
	return nil
}

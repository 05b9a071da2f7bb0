package pec

import (
	"bufio"
	"bytes"
	"io"
	"strconv"

	"github.com/gopec/gopec/internal/mailtext"
)

// lineReader reads a message line by line in the form in which it leaves, each line ending
// in CRLF, and notes what may not leave.
type lineReader struct {
	r        *bufio.Reader
	number   int       // of the current line, from 1
	within   bool      // the last piece was part of a line that is too long and goes on
	bare     bool      // the first line ended in LF alone, and so must all lines
	problems []Problem // each reason once, with the first line that has the problem
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 4*mailtext.MaxLine)}
}

func (l *lineReader) note(reason ProblemReason) {
	for _, p := range l.problems {
		if p.Reason == reason {
			return
		}
	}
	l.problems = append(l.problems, Problem{Field: "Content", Value: "line " + strconv.Itoa(l.number), Reason: reason})
}

// next returns the next line, valid until the next call. A line that exceeds the buffer is
// returned in pieces.
func (l *lineReader) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	if err != nil && err != bufio.ErrBufferFull && (err != io.EOF || len(line) == 0) {
		return nil, err
	}
	if !l.within {
		l.number++
	}
	content, ended := bytes.CutSuffix(line, []byte("\n"))
	crlf := ended && bytes.HasSuffix(content, []byte("\r"))
	if crlf {
		content = content[:len(content)-1]
	}
	if l.number == 1 && ended {
		l.bare = !crlf
	}
	if ended && crlf == l.bare || bytes.IndexByte(content, '\r') >= 0 {
		l.note(ProblemLineEnds)
	}
	if bytes.IndexByte(content, 0) >= 0 {
		l.note(ProblemControl)
	}
	if bytes.ContainsFunc(content, func(r rune) bool { return r > 0x7f }) {
		l.note(ProblemEightBit)
	}
	if len(content) > mailtext.MaxLine || l.within {
		l.note(ProblemLongLine)
	}
	l.within = err == bufio.ErrBufferFull
	if l.within || crlf {
		return line, nil
	}
	return append(bytes.Clone(content), "\r\n"...), nil
}

// copyTo writes the remaining lines.
func (l *lineReader) copyTo(w io.Writer) error {
	for {
		line, err := l.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
}

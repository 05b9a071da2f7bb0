package pec

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/gopec/gopec/internal/header"
)

// rawComposer composes a RawMessage.
type rawComposer struct {
	draft
	sender string
}

// readHeader returns the header with the empty line that ends it.
func (c *rawComposer) readHeader(lines *lineReader) ([]byte, error) {
	var raw []byte
	for {
		line, err := lines.next()
		raw = append(raw, line...)
		switch {
		case err == io.EOF:
			// Some programs read this as a header, others do not.
			c.problem("Header", "", ProblemMalformed, errNoEnd)
			return raw, io.EOF
		case err != nil:
			return raw, err
		case len(raw) > maxRawHeader:
			c.problem("Header", "", ProblemTooLong, nil)
			return raw, io.EOF
		case string(line) == "\r\n":
			return raw, nil
		}
	}
}

// parseHeader reads a header by the letter of RFC 5322, 2.2. Programs that tolerate more do
// so in different ways.
func (c *rawComposer) parseHeader(raw []byte) header.Header {
	var h header.Header
	var folded []byte // the last value when it has more than one line, else nil
	unfold := func() {
		if folded != nil {
			h[len(h)-1].Value, folded = string(folded), nil
		}
	}
	raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\r\n")), []byte("\r\n"))
	for _, line := range bytes.Split(raw, []byte("\r\n")) {
		blank := len(bytes.TrimLeft(line, " \t")) == 0
		if bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			c.problem("Header", string(line), ProblemControl, nil)
			continue
		}
		if len(line) > 0 && (line[0] == ' ' || line[0] == '\t') {
			// For some programs a blank line within a header ends it.
			if blank || len(h) == 0 {
				c.problem("Header", string(line), ProblemMalformed, errFolding)
				continue
			}
			if folded == nil {
				folded = []byte(h[len(h)-1].Value)
			}
			folded = append(folded, line...)
			continue
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found || !fieldName.Match(name) {
			c.problem("Header", string(line), ProblemMalformed, errNoField)
			continue
		}
		unfold()
		h = append(h, header.Field{Name: string(name), Value: string(value)})
	}
	unfold()
	for i := range h {
		h[i].Value = strings.Trim(h[i].Value, " \t")
	}
	return h
}

var (
	errNoEnd   = errors.New("an empty line has to end the header")
	errFolding = errors.New("a continuation line needs a field before it and text in it")
	errNoField = errors.New("a line has to begin with a field name and a colon")
)

// maxRawHeader is the longest header of a RawMessage, in bytes.
const maxRawHeader = 1 << 20

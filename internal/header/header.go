// Package header reads the header of a message or MIME part (RFC 5322, RFC 2045)
// as it is on the wire, and tolerates what real mail contains.
package header

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxFields is far above what mail has; each costs memory beyond its bytes.
const maxFields = 2000

// ErrTooLarge reports a header longer than the caller reads, or of too many fields.
var ErrTooLarge = errors.New("header: too large")

// Header is the fields of one header, in order.
type Header []Field

// Field is one header field.
type Field struct {
	Name  string // as written
	Value string // unfolded (RFC 5322, 2.2.3), without white space around it; not decoded
}

// Read reads the header at the start of r. It also gives its length in bytes
// with the empty line that ends it; where no empty line comes, all of r is header.
// A line that is neither a field nor a continuation is passed over. Beyond limit
// bytes it is ErrTooLarge.
func Read(r io.Reader, limit int64) (Header, int64, error) {
	br := bufio.NewReader(io.LimitReader(r, limit+1))
	var h Header
	var size int64
	var name string
	var value []byte // of the field being read, grown line by line
	endField := func() {
		if name != "" {
			h = append(h, Field{name, string(bytes.TrimSpace(value))})
		}
		name, value = "", value[:0]
	}
	for {
		line, err := br.ReadBytes('\n')
		size += int64(len(line))
		if size > limit {
			return nil, 0, ErrTooLarge
		}
		if err != nil && err != io.EOF {
			return nil, 0, fmt.Errorf("header: %w", err)
		}
		if len(h) > maxFields {
			return nil, 0, ErrTooLarge
		}
		text := bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		switch {
		case len(text) == 0:
			endField()
			return h, size, nil
		case text[0] == ' ' || text[0] == '\t':
			value = append(value, text...)
		default:
			endField()
			before, after, found := bytes.Cut(text, []byte(":"))
			if found {
				// White space before the colon is obsolete syntax (RFC 5322, 4.5) that
				// readers accept: it must not hide a second From from us.
				name = string(bytes.TrimRight(before, " \t"))
				value = append(value, after...)
			}
		}
		if err == io.EOF {
			endField()
			return h, size, nil
		}
	}
}

// Get gives the value of the first field of that name, "" when there is none.
// Names are compared without regard to case.
func (h Header) Get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Values gives the values of all fields of that name.
func (h Header) Values(name string) []string {
	var values []string
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

// Package header reads the header of a message or MIME part (RFC 5322, RFC 2045)
// as it is on the wire, and tolerates what real mail contains.
package header

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// maxFields is far above what mail has; each costs memory beyond its bytes.
const maxFields = 2000

// usualFields is more than most headers of messages have.
const usualFields = 32

// step is how much is read at first, in bytes: the headers of most parts.
const step = 512

// buffers are what headers are read into. Few are longer.
var buffers = sync.Pool{New: func() any { return new([4 << 10]byte) }}

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
func Read(r io.ReaderAt, limit int64) (Header, int64, error) {
	var h Header
	size, err := Each(r, limit, func(f Field) {
		if f.Name == "" {
			return
		}
		if h == nil {
			h = make(Header, 0, usualFields)
		}
		h = append(h, f)
	})
	if err != nil {
		return nil, 0, err
	}
	return h, size, nil
}

// Each is Read for those who have a place of their own for the fields. A line that is
// neither a field nor a continuation is given as a Field without a name.
func Each(r io.ReaderAt, limit int64, take func(Field)) (size int64, err error) {
	raw, err := readBlock(r, limit)
	if err != nil {
		return 0, err
	}
	var name, value string // of the field being read
	var folded []byte      // its value, once it has more than one line
	open := false          // a field is being read
	fields := 0
	endField := func() {
		if !open {
			return
		}
		if folded != nil {
			value = string(folded)
		}
		if name != "" {
			fields++
		}
		take(Field{name, strings.TrimSpace(value)})
		open, folded = false, nil
	}
	for rest := raw; rest != "" && fields <= maxFields; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line != "" && (line[0] == ' ' || line[0] == '\t') {
			if !open {
				name, value, open = "", "", true
			}
			if folded == nil {
				folded = []byte(value)
			}
			folded = append(folded, line...)
			continue
		}
		endField()
		if line == "" && rest == "" {
			break // the end of the header
		}
		before, after, found := strings.Cut(line, ":")
		if !found {
			before, after = "", line
		}
		// White space before the colon is obsolete syntax (RFC 5322, 4.5) that
		// readers accept: it must not hide a second From from us.
		name, value, open = strings.TrimRight(before, " \t"), after, true
	}
	endField()
	if fields > maxFields {
		return 0, ErrTooLarge
	}
	return int64(len(raw)), nil
}

// readBlock reads up to and with the first empty line.
func readBlock(r io.ReaderAt, limit int64) (string, error) {
	pooled := buffers.Get().(*[4 << 10]byte)
	defer buffers.Put(pooled)
	buf := pooled[:0]
	line := 0 // where the line being read begins
	for {
		n, err := r.ReadAt(buf[len(buf):min(len(buf)+max(step, len(buf)), cap(buf))], int64(len(buf)))
		buf = buf[:len(buf)+n]
		for {
			i := bytes.IndexByte(buf[line:], '\n')
			if i < 0 {
				break
			}
			text := buf[line : line+i]
			line += i + 1
			if len(text) == 0 || len(text) == 1 && text[0] == '\r' {
				buf, err = buf[:line], io.EOF
				break
			}
		}
		switch {
		case int64(len(buf)) > limit:
			return "", ErrTooLarge
		case err == io.EOF:
			return string(buf), nil
		case err != nil:
			return "", fmt.Errorf("header: %w", err)
		case len(buf) == cap(buf):
			buf = slices.Grow(buf, len(buf))
		}
	}
}

// Get gives the value of the first field of that name, "" when there is none.
// Names are compared without regard to case.
func (h Header) Get(name string) string {
	for _, f := range h {
		if len(f.Name) == len(name) && strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Has reports whether there is a field of that name.
func (h Header) Has(name string) bool {
	return slices.ContainsFunc(h, func(f Field) bool { return len(f.Name) == len(name) && strings.EqualFold(f.Name, name) })
}

// Values gives the values of all fields of that name.
func (h Header) Values(name string) []string {
	var values []string
	for _, f := range h {
		if len(f.Name) == len(name) && strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

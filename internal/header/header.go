// Package header reads the header of a message or MIME part (RFC 5322, RFC 2045). It
// tolerates the errors that real mail contains.
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

// maxFields limits the fields of a header, since each takes memory beyond its bytes. Mail
// has far fewer.
const maxFields = 2000

// usualFields is more than most messages have.
const usualFields = 32

// step is how many bytes are read at first: all of the header of most parts.
const step = 512

// buffers holds buffers that headers are read into. Few headers are longer.
var buffers = sync.Pool{New: func() any { return new([4 << 10]byte) }}

// ErrTooLarge reports a header that is longer than the caller's limit, or has too many
// fields.
var ErrTooLarge = errors.New("header: too large")

// Header holds the fields of one header, in order.
type Header []Field

// Field is one header field.
type Field struct {
	Name  string // as written
	Value string // unfolded (RFC 5322, 2.2.3), without white space around it; not decoded
}

// Read reads the header at the start of r. It also returns the length of the header in
// bytes, with the empty line that ends it; without an empty line all of r is header. A
// line that is neither a field nor a continuation is skipped. For a header longer than
// limit bytes, the error is ErrTooLarge.
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

// Each is Read for callers that store the fields themselves: it calls take for each. For a
// line that is neither a field nor a continuation it calls take with a Field without a
// name.
func Each(r io.ReaderAt, limit int64, take func(Field)) (size int64, err error) {
	raw, err := readBlock(r, limit)
	if err != nil {
		return 0, err
	}
	var name, value string // the field being read
	var folded []byte      // its value, if it has more than one line
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
		// White space before the colon is obsolete syntax (RFC 5322, 4.5) that programs
		// accept. It must not hide a second From here.
		name, value, open = strings.TrimRight(before, " \t"), after, true
	}
	endField()
	if fields > maxFields {
		return 0, fmt.Errorf("%w: more than %d fields", ErrTooLarge, maxFields)
	}
	return int64(len(raw)), nil
}

// readBlock returns all lines up to the first empty one, which is included.
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
			return "", fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
		case err == io.EOF:
			return string(buf), nil
		case err != nil:
			return "", fmt.Errorf("header: %w", err)
		case len(buf) == cap(buf):
			buf = slices.Grow(buf, len(buf))
		}
	}
}

// Get returns the value of the first field of the given name, "" if there is none. Names
// are compared ignoring case.
func (h Header) Get(name string) string {
	for _, f := range h {
		if len(f.Name) == len(name) && strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Has reports whether there is a field of the given name.
func (h Header) Has(name string) bool {
	return slices.ContainsFunc(h, func(f Field) bool { return len(f.Name) == len(name) && strings.EqualFold(f.Name, name) })
}

// Values returns the values of all fields of the given name.
func (h Header) Values(name string) []string {
	var values []string
	for _, f := range h {
		if len(f.Name) == len(name) && strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

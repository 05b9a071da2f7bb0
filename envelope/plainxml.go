package envelope

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// plainXML reads daticert.xml as nearly all providers write it: UTF-8, elements and
// attributes without namespaces, text, and nothing else. Beside a signature the time of
// encoding/xml counts. It gives up on whatever is not so plain, wrong or not, and is
// never more lenient: encoding/xml then decides.
type plainXML struct {
	rest string // what is not read yet
	open []string
}

// readPlainXML passes the elements of b to p, and tells whether it could.
func readPlainXML(b []byte, p *certDataParser) bool {
	if !utf8.Valid(b) || hasForbidden(b) {
		return false
	}
	x := plainXML{rest: string(b), open: make([]string, 0, maxElementDepth)}
	x.rest = strings.TrimPrefix(x.rest, `<?xml version="1.0" encoding="UTF-8"?>`)
	x.space()
	for {
		if !x.tag(p) {
			return false
		}
		if len(x.open) == 0 {
			x.space()
			return x.rest == ""
		}
		end := strings.IndexByte(x.rest, '<')
		if end < 0 {
			return false
		}
		text, ok := unescape(x.rest[:end])
		// Inside a text that counts, line ends are to be normalised.
		if !ok || strings.Contains(text, "]]>") || p.inner > 0 && strings.Contains(text, "\r") {
			return false
		}
		p.characters(text)
		x.rest = x.rest[end:]
	}
}

// hasForbidden looks for the characters that XML forbids (XML 1.0, 2.2), which
// toUTF8 replaces.
func hasForbidden(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
			return true
		}
	}
	return bytes.Contains(b, []byte("\uffff")) || bytes.Contains(b, []byte("\ufffe"))
}

// tag reads a start tag or an end tag.
func (x *plainXML) tag(p *certDataParser) bool {
	if x.cut("</") {
		last := len(x.open) - 1
		if last < 0 || x.name() != x.open[last] {
			return false
		}
		x.open = x.open[:last]
		p.end()
		x.space()
		return x.cut(">")
	}
	if !x.cut("<") {
		return false
	}
	name := x.name()
	var attrs [maxPlainAttrs]attribute
	n := 0
	for x.space() && isNameByte(x.rest, 0) {
		if n == len(attrs) || !x.attribute(&attrs[n]) {
			return false
		}
		n++
	}
	if name == "" || p.start(name, attrs[:n]) != nil {
		return false
	}
	if x.cut("/>") {
		p.end()
		return true
	}
	x.open = append(x.open, name)
	return x.cut(">")
}

// maxPlainAttrs is one more than the DTD gives any element.
const maxPlainAttrs = 3

func (x *plainXML) attribute(a *attribute) bool {
	a.name = x.name()
	if !x.cut(`="`) {
		return false
	}
	end := strings.IndexByte(x.rest, '"')
	if end < 0 || strings.ContainsAny(x.rest[:end], "<\r") {
		return false
	}
	var ok bool
	a.value, ok = unescape(x.rest[:end])
	x.rest = x.rest[end+1:]
	return ok
}

func (x *plainXML) name() string {
	i := 0
	for isNameByte(x.rest, i) {
		i++
	}
	name := x.rest[:i]
	x.rest = x.rest[i:]
	return name
}

// isNameByte is the part of XML 1.0, 2.3 that is used. A namespace is not plain.
func isNameByte(s string, i int) bool {
	if i >= len(s) {
		return false
	}
	c := s[i]
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || i > 0 && (c == '-' || '0' <= c && c <= '9')
}

func (x *plainXML) cut(prefix string) (found bool) {
	x.rest, found = strings.CutPrefix(x.rest, prefix)
	return found
}

// space skips white space, and tells whether there was any.
func (x *plainXML) space() bool {
	before := len(x.rest)
	x.rest = strings.TrimLeft(x.rest, " \t\r\n")
	return len(x.rest) < before
}

// unescape resolves the five predefined entities and the numbers of plain characters
// (XML 1.0, 4.1 and 4.6).
func unescape(s string) (string, bool) {
	before, rest, found := strings.Cut(s, "&")
	if !found {
		return s, true
	}
	var b strings.Builder
	for found {
		b.WriteString(before)
		var entity string
		if entity, rest, found = strings.Cut(rest, ";"); !found {
			return "", false
		}
		switch entity {
		case "lt":
			b.WriteByte('<')
		case "gt":
			b.WriteByte('>')
		case "amp":
			b.WriteByte('&')
		case "quot":
			b.WriteByte('"')
		case "apos":
			b.WriteByte('\'')
		default:
			digits, isNumber := strings.CutPrefix(entity, "#")
			n, err := strconv.ParseUint(digits, 10, 15)
			if !isNumber || err != nil || n < 0x20 {
				return "", false
			}
			b.WriteRune(rune(n))
		}
		before, rest, found = strings.Cut(rest, "&")
	}
	b.WriteString(before)
	return b.String(), true
}

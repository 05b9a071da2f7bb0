package envelope

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// plainXML reads daticert.xml as nearly all providers write it: UTF-8, elements and
// attributes without namespaces, text, and nothing else. It is fast: the time that
// encoding/xml takes is noticeable next to that of checking a signature. It gives up on
// anything else, valid or not, and encoding/xml then decides. It is never more lenient
// than encoding/xml.
type plainXML struct {
	rest  string                  // not read yet
	open  [maxElementDepth]string // the names of the open elements
	depth int                     // how many elements are open
}

// plainDeclaration is the XML declaration that nearly all providers write.
const plainDeclaration = `<?xml version="1.0" encoding="UTF-8"?>`

// readPlainXML passes the elements of b to p. It reports whether it could read all of b.
func readPlainXML(b []byte, p *certDataParser) bool {
	// Apart from control characters, XML forbids two characters (XML 1.0, 2.2). toUTF8
	// replaces them.
	if !utf8.Valid(b) || bytes.Contains(b, []byte("\uffff")) || bytes.Contains(b, []byte("\ufffe")) {
		return false
	}
	x := plainXML{rest: string(b)}
	x.rest = strings.TrimPrefix(x.rest, plainDeclaration)
	x.space()
	for {
		if !x.tag(p) {
			return false
		}
		if x.depth == 0 {
			x.space()
			return x.rest == ""
		}
		// In a text that is collected, encoding/xml would normalise line ends.
		text, ok := x.text('<', p.inner > 0)
		if !ok {
			return false
		}
		p.characters(text)
	}
}

// text reads up to the character until. If exact is set, it gives up on a text with CR.
func (x *plainXML) text(until byte, exact bool) (text string, ok bool) {
	escaped := false
	for i := range len(x.rest) {
		switch c := x.rest[i]; {
		case c == until:
			text, x.rest = x.rest[:i], x.rest[i:]
			if escaped {
				return unescape(text)
			}
			return text, true
		case c == '&':
			escaped = true
		case c == '\r' && !exact, c == '\t', c == '\n':
		case c < 0x20, c == '<', c == '>' && strings.HasSuffix(x.rest[:i], "]]"):
			return "", false
		}
	}
	return "", false
}

// tag reads a start tag or an end tag, and reports whether it could.
func (x *plainXML) tag(p *certDataParser) bool {
	if x.cut("</") {
		if x.depth == 0 || x.name() != x.open[x.depth-1] {
			return false
		}
		x.depth--
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
	// The parser's start fails beyond maxElementDepth, so x.open has room.
	if name == "" || p.start(name, attrs[:n]) != nil {
		return false
	}
	if x.cut("/>") {
		p.end()
		return true
	}
	x.open[x.depth] = name
	x.depth++
	return x.cut(">")
}

// maxPlainAttrs is one more than any element has in the DTD.
const maxPlainAttrs = 3

func (x *plainXML) attribute(a *attribute) bool {
	a.name = x.name()
	if !x.cut(`="`) {
		return false
	}
	var ok bool
	if a.value, ok = x.text('"', true); !ok {
		return false
	}
	return x.cut(`"`)
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

// isNameByte reports whether s[i] can be part of a name. It accepts only what daticert.xml
// uses of XML 1.0, 2.3, and no namespaces.
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

// space skips white space, and reports whether there was any.
func (x *plainXML) space() bool {
	i := 0
	for i < len(x.rest) && (x.rest[i] == ' ' || x.rest[i] == '\n' || x.rest[i] == '\r' || x.rest[i] == '\t') {
		i++
	}
	x.rest = x.rest[i:]
	return i > 0
}

// unescape resolves the five predefined entities, and decimal references to characters
// from 0x20 to 0x7fff (XML 1.0, 4.1 and 4.6). It reports whether there are no others.
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

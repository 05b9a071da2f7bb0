package pectest

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
)

// Field is one header field. Value is written unchanged: a folded value must hold its CRLF
// and white space, and text that is not ASCII must be encoded (RFC 2047).
type Field struct {
	Name  string
	Value string
}

// dateLayout is the layout of Date and Received.
const dateLayout = "Mon, 2 Jan 2006 15:04:05 -0700"

// span is a field and its place in a message: raw[start:end], with its line end.
type span struct {
	Field
	start, end int
}

// entity is a message or a MIME part, split into fields and body but not changed.
type entity struct {
	raw    []byte
	fields []span
	end    int // where the header block ends, before the empty line
	body   int // where the body begins
}

// parseEntity splits raw into fields and body. A header line that is not a field stays in
// raw and is not listed.
func parseEntity(raw []byte) entity {
	e := entity{raw: raw}
	pos := 0
	for pos < len(raw) {
		next := lineEnd(raw, pos)
		line := bytes.TrimRight(raw[pos:next], "\r\n")
		if len(line) == 0 {
			e.end, e.body = pos, next
			return e
		}
		if (line[0] == ' ' || line[0] == '\t') && len(e.fields) > 0 {
			last := &e.fields[len(e.fields)-1]
			last.end = next
			last.Value += "\r\n" + string(line)
		} else if name, value, ok := bytes.Cut(line, []byte(":")); ok {
			e.fields = append(e.fields, span{
				Field: Field{Name: strings.TrimSpace(string(name)), Value: strings.TrimLeft(string(value), " \t")},
				start: pos, end: next,
			})
		}
		pos = next
	}
	e.end, e.body = len(raw), len(raw)
	return e
}

func lineEnd(raw []byte, pos int) int {
	if i := bytes.IndexByte(raw[pos:], '\n'); i >= 0 {
		return pos + i + 1
	}
	return len(raw)
}

// all returns the fields with a name, unchanged.
func (e entity) all(name string) []Field {
	var out []Field
	for _, f := range e.fields {
		if strings.EqualFold(f.Name, name) {
			out = append(out, f.Field)
		}
	}
	return out
}

// get returns the value of the first field with a name, unfolded and trimmed; "" when there
// is none.
func (e entity) get(name string) string {
	for _, f := range e.fields {
		if strings.EqualFold(f.Name, name) {
			return unfold(f.Value)
		}
	}
	return ""
}

// addresses returns the bare addresses in all fields with a name.
func (e entity) addresses(name string) ([]string, error) {
	var out []string
	for _, f := range e.all(name) {
		if unfold(f.Value) == "" {
			continue
		}
		parser := mail.AddressParser{WordDecoder: wordDecoder}
		list, err := parser.ParseList(unfold(f.Value))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, a := range list {
			out = append(out, a.Address)
		}
	}
	return out, nil
}

// mediaType returns the media type in lower case and its parameters. It returns text/plain
// when there is no type or it cannot be parsed (RFC 2045, 5.2).
func (e entity) mediaType() (string, map[string]string) {
	mediaType, params, err := mime.ParseMediaType(e.get("Content-Type"))
	if err != nil {
		return "text/plain", nil
	}
	return mediaType, params
}

func unfold(value string) string {
	return strings.TrimSpace(strings.NewReplacer("\r\n", "", "\n", "").Replace(value))
}

// wordDecoder decodes encoded words in any charset that web browsers know.
var wordDecoder = &mime.WordDecoder{CharsetReader: charsetReader}

// decodeText returns a header value as text. Encoded words are decoded where possible, and
// raw 8-bit text is read as UTF-8 or else as ISO-8859-1.
func decodeText(value string) string {
	if !utf8.ValidString(value) {
		if latin1, err := charmap.ISO8859_1.NewDecoder().String(value); err == nil {
			value = latin1
		}
	}
	decoded, err := wordDecoder.DecodeHeader(value)
	if err != nil {
		return value
	}
	return decoded
}

// fold breaks a value at its spaces, so that the lines of the field are short. Unfolding
// restores the value.
func fold(name, value string) string {
	const width = 78
	var out strings.Builder
	rest, column := value, len(name)+2
	for column+len(rest) > width {
		// Break at the last space that fits, else at the first space.
		cut := strings.LastIndexByte(rest[:max(0, min(len(rest), width-column))], ' ')
		if cut <= 0 {
			cut = strings.IndexByte(rest[min(1, len(rest)):], ' ') + 1
		}
		// No line may consist of blanks (RFC 5322, 3.2.2).
		if cut <= 0 || strings.TrimSpace(rest[:cut]) == "" || strings.TrimSpace(rest[cut:]) == "" {
			break
		}
		out.WriteString(rest[:cut])
		out.WriteString("\r\n")
		rest, column = rest[cut:], 0
	}
	return out.String() + rest
}

func charsetReader(charset string, input io.Reader) (io.Reader, error) {
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return nil, fmt.Errorf("charset %s: %w", charset, err)
	}
	return enc.NewDecoder().Reader(input), nil
}

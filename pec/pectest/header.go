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

// Field is one header field. Value is written as it is: what is folded holds its
// CRLF and white space, what is not ASCII must be encoded (RFC 2047).
type Field struct {
	Name  string
	Value string
}

// dateLayout is that of the Date header and of Received.
const dateLayout = "Mon, 2 Jan 2006 15:04:05 -0700"

// span is a field as it lies in a message: raw[start:end] with its line end.
type span struct {
	Field
	start, end int
}

// entity is a message or a MIME part, cut but not changed.
type entity struct {
	raw    []byte
	fields []span
	end    int // where the header block ends, before the empty line
	body   int // where the body begins
}

// parseEntity cuts raw into fields and body. A line of the header that is no
// field stays in raw and is not listed.
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

// all gives the fields of a name, as they were written.
func (e entity) all(name string) []Field {
	var out []Field
	for _, f := range e.fields {
		if strings.EqualFold(f.Name, name) {
			out = append(out, f.Field)
		}
	}
	return out
}

// get gives the first value of a name, unfolded and trimmed, "" when there is none.
func (e entity) get(name string) string {
	for _, f := range e.fields {
		if strings.EqualFold(f.Name, name) {
			return unfold(f.Value)
		}
	}
	return ""
}

// addresses gives the bare addresses in all fields of a name.
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

// mediaType gives the type in lower case and its parameters; text/plain when
// there is none or it cannot be read (RFC 2045, 5.2).
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

// wordDecoder reads encoded words in any charset that web browsers know.
var wordDecoder = &mime.WordDecoder{CharsetReader: charsetReader}

// decodeText gives a header value as text: encoded words decoded where that is
// possible, raw octets taken for UTF-8 or else for ISO-8859-1.
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

// fold breaks a value at its spaces, so that the lines of the field are short;
// unfolding gives the same value back.
func fold(name, value string) string {
	const width = 78
	var out strings.Builder
	rest, column := value, len(name)+2
	for column+len(rest) > width {
		// The last space that fits, else the first one there is.
		cut := strings.LastIndexByte(rest[:max(0, min(len(rest), width-column))], ' ')
		if cut <= 0 {
			cut = strings.IndexByte(rest[min(1, len(rest)):], ' ') + 1
		}
		// No line may hold blanks alone (RFC 5322, 3.2.2).
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

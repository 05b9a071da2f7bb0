package pectest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"strings"
)

// splitParts returns the offsets of the parts of a multipart body. A part begins after a
// delimiter line and ends before the line break that belongs to the next delimiter
// (RFC 2046, 5.1.1).
func splitParts(body []byte, boundary string) [][2]int {
	var parts [][2]int
	delimiter := []byte("--" + boundary)
	start := -1
	for pos := 0; pos < len(body); {
		next := lineEnd(body, pos)
		rest, found := bytes.CutPrefix(bytes.TrimRight(body[pos:next], " \t\r\n"), delimiter)
		if last := string(rest) == "--"; found && (last || len(rest) == 0) {
			if start >= 0 {
				end := len(bytes.TrimSuffix(bytes.TrimSuffix(body[:pos], []byte("\n")), []byte("\r")))
				parts = append(parts, [2]int{start, max(start, end)})
			}
			if last {
				break
			}
			start = next
		}
		pos = next
	}
	return parts
}

// part is one child of a multipart: its header fields and its encoded body.
type part struct {
	header []Field
	body   []byte
}

// writeParts writes a multipart body without preamble.
func writeParts(out *bytes.Buffer, boundary string, parts []part) {
	for _, p := range parts {
		fmt.Fprintf(out, "--%s\r\n", boundary)
		for _, f := range p.header {
			fmt.Fprintf(out, "%s: %s\r\n", f.Name, f.Value)
		}
		out.WriteString("\r\n")
		out.Write(p.body)
		out.WriteString("\r\n")
	}
	fmt.Fprintf(out, "--%s--\r\n", boundary)
}

// base64Lines encodes in lines of the given length, with CRLF.
func base64Lines(data []byte, width int) []byte {
	encoded := base64.StdEncoding.EncodeToString(data)
	var out bytes.Buffer
	for len(encoded) > width {
		out.WriteString(encoded[:width])
		out.WriteString("\r\n")
		encoded = encoded[width:]
	}
	out.WriteString(encoded)
	out.WriteString("\r\n")
	return out.Bytes()
}

// latin1QuotedPrintable encodes text for a part in ISO-8859-1. Characters outside that
// charset become question marks.
func latin1QuotedPrintable(text string) ([]byte, error) {
	latin1 := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			r = '?'
		}
		latin1 = append(latin1, byte(r))
	}
	var out bytes.Buffer
	w := quotedprintable.NewWriter(&out)
	if _, err := w.Write(latin1); err != nil {
		return nil, fmt.Errorf("pectest: text part: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pectest: text part: %w", err)
	}
	return out.Bytes(), nil
}

// decodeBody returns the decoded content of a body with the given transfer encoding.
func decodeBody(body []byte, encoding string) ([]byte, error) {
	switch strings.ToLower(encoding) {
	case "base64":
		clean := bytes.Join(bytes.Fields(body), nil)
		out := make([]byte, base64.StdEncoding.DecodedLen(len(clean)))
		n, err := base64.StdEncoding.Decode(out, clean)
		if err != nil {
			return nil, fmt.Errorf("pectest: %w", err)
		}
		return out[:n], nil
	case "quoted-printable":
		var out bytes.Buffer
		if _, err := out.ReadFrom(quotedprintable.NewReader(bytes.NewReader(body))); err != nil {
			return nil, fmt.Errorf("pectest: %w", err)
		}
		return out.Bytes(), nil
	default:
		return body, nil
	}
}

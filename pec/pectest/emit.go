package pectest

import (
	"bytes"
	"fmt"
	"html"
	"strings"
	"unicode"
)

// Emit builds the message of a notice and signs it as this provider. The message has the
// header of RFC 6109, 3.1 to 3.3, a readable text in Italian, daticert.xml and, when there
// is an Original, postacert.eml. It can be passed to [Provider.Deliver] of any provider.
func (p *Provider) Emit(n Notice) ([]byte, error) {
	n = p.complete(n)
	style := p.style(n)
	text, err := textPart(n, style)
	if err != nil {
		return nil, err
	}
	parts := []part{text}
	if n.Kind != KindAnomaly && style.Malformed != MalformedNoData {
		parts = append(parts, dataPart(n, style))
	}
	if style.Malformed == MalformedTwoData {
		parts = append(parts, dataPart(n, style))
	}
	if n.Original != nil {
		parts = append(parts, originalPart(n.Original, style))
		if last := len(parts) - 1; style.OriginalFirst && last > 1 {
			parts[1], parts[last] = parts[last], parts[1]
		}
	}
	if style.ExtraPart && n.Kind != KindAnomaly { // RFC 6109, 3.2.2
		parts = append(parts, part{header: []Field{{"Content-Type", `text/plain; name="avvertenze.txt"`}}, body: []byte("Avvertenze del gestore.\r\n")})
	}
	b := boundary()
	var mixed bytes.Buffer
	mixed.WriteString("Content-Type: multipart/mixed; boundary=\"" + b + "\"\r\n" +
		"Content-Transfer-Encoding: binary\r\nMIME-Version: 1.0\r\n\r\n")
	writeParts(&mixed, b, parts)
	header := styled(p.header(n), style)
	if style.Malformed == MalformedUnsigned {
		var out bytes.Buffer
		for _, f := range header {
			fmt.Fprintf(&out, "%s: %s\r\n", f.Name, f.Value)
		}
		out.Write(mixed.Bytes())
		return out.Bytes(), nil
	}
	raw, err := p.sign(header, mixed.Bytes(), style)
	if err != nil {
		return nil, err
	}
	return style.Malformed.spoil(raw, n, style), nil
}

// spoil applies the malformations that happen after signing.
func (m Malformed) spoil(raw []byte, n Notice, style Style) []byte {
	switch m {
	case MalformedChanged:
		return bytes.Replace(raw, []byte("\nIdentificativo messaggio"), []byte("\nIdentificativo Messaggio"), 1)
	case MalformedRewrapped:
		data := daticert(n, style)
		return bytes.Replace(raw, base64Lines(data, 60), base64Lines(data, 76), 1)
	case MalformedTruncated:
		return raw[:len(raw)-400]
	case MalformedLF:
		return bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	default:
		return raw
	}
}

// styled applies a style to the outer fields.
func styled(fields []Field, style Style) []Field {
	var out []Field
	for _, f := range fields {
		switch {
		case style.Engine == EngineInfoCert && f.Name == "Date":
			zone := "CET"
			if strings.HasSuffix(f.Value, "+0200") {
				zone = "CEST"
			}
			f.Value += " (" + zone + ")"
		case style.Engine == EngineInfoCert && f.Name == "From" && !strings.Contains(f.Value, "<"):
			f.Value = "Posta Certificata <" + f.Value + ">"
		}
		switch {
		case style.Malformed == MalformedKind && f.Name == "X-Ricevuta" && f.Value == KindAcceptance:
			f.Value = KindDelivery
		case style.Malformed == MalformedKind && (f.Name == "X-Ricevuta" || f.Name == "X-Trasporto"):
			f.Name, f.Value = "X-Ricevuta", KindAcceptance
		case style.Malformed == MalformedReference && f.Name == "X-Riferimento-Message-ID":
			f.Value = "<altro@altrove.example>"
		}
		if style.FoldIDs && strings.HasSuffix(f.Name, "Message-ID") {
			f.Value = "\r\n " + f.Value
		}
		if style.OddHeaderCase && strings.HasPrefix(f.Name, "X-") {
			f.Name = "X-" + f.Name[2:3] + strings.ToLower(f.Name[3:])
		}
		out = append(out, f)
	}
	if style.Engine == EngineInfoCert {
		out = append(out, Field{"X-CrmlId", queueID()})
	}
	return out
}

func textPart(n Notice, style Style) (part, error) {
	text := n.text()
	if style.OwnWording {
		text = n.ownWording(text)
	}
	var plain part
	if style.Engine == EngineInfoCert {
		text = asciiItalian(text) + "\n--\nThis is a message of the certified e-mail system about the message \"" + asciiItalian(n.Subject) + "\".\n"
		plain = part{
			header: []Field{{"Content-Type", "text/plain; charset=iso-8859-1"}, {"Content-Transfer-Encoding", "7bit"}},
			body:   toCRLF([]byte(text)),
		}
	} else {
		encoded, err := latin1QuotedPrintable(text)
		if err != nil {
			return part{}, err
		}
		plain = part{header: []Field{
			{"Content-Type", `text/plain; charset="iso-8859-1"`},
			{"Content-Disposition", "inline"},
			{"Content-Transfer-Encoding", "quoted-printable"},
		}, body: encoded}
	}
	if !style.HTML {
		return plain, nil
	}
	encoded, err := latin1QuotedPrintable("<html><body><p>" + strings.ReplaceAll(html.EscapeString(text), "\n", "<br>\n") + "</p></body></html>\n")
	if err != nil {
		return part{}, err
	}
	b := boundary()
	var body bytes.Buffer
	writeParts(&body, b, []part{plain, {header: []Field{
		{"Content-Type", `text/html; charset="iso-8859-1"`}, {"Content-Transfer-Encoding", "quoted-printable"},
	}, body: encoded}})
	return part{header: []Field{{"Content-Type", `multipart/alternative; boundary="` + b + `"`}}, body: body.Bytes()}, nil
}

func dataPart(n Notice, style Style) part {
	data := daticert(n, style)
	if style.Malformed == MalformedData {
		data = data[:len(data)/2]
	}
	if style.Engine == EngineInfoCert {
		return part{header: []Field{
			{"Content-Type", "application/xml; charset=UTF-8; name=daticert.xml"},
			{"Content-Transfer-Encoding", "7bit"},
			{"Content-Disposition", "attachment; filename=daticert.xml"},
		}, body: toCRLF(asciiXML(data))}
	}
	return part{header: []Field{
		{"Content-Type", `application/xml; name="daticert.xml"`},
		{"Content-Disposition", `inline; filename="daticert.xml"`},
		{"Content-Transfer-Encoding", "base64"},
	}, body: base64Lines(data, 60)}
}

func originalPart(original []byte, style Style) part {
	if style.Engine == EngineInfoCert {
		return part{header: []Field{{"Content-Type", "message/rfc822; name=postacert.eml"}, {"Content-Disposition", "inline; filename=postacert.eml"}}, body: original}
	}
	encoding := "7bit"
	if bytes.ContainsFunc(original, func(r rune) bool { return r > unicode.MaxASCII }) {
		encoding = "8bit"
	}
	return part{header: []Field{
		{"Content-Type", `message/rfc822; name="postacert.eml"`},
		{"Content-Disposition", `inline; filename="postacert.eml"`},
		{"Content-Transfer-Encoding", encoding},
	}, body: original}
}

// asciiItalian writes accented vowels with an apostrophe, and anything else that is not
// ASCII as a question mark.
func asciiItalian(s string) string {
	s = strings.NewReplacer("à", "a'", "è", "e'", "é", "e'", "ì", "i'", "ò", "o'", "ù", "u'", "È", "E'").Replace(s)
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, s)
}

// asciiXML writes characters outside ASCII as character references.
func asciiXML(data []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(data) {
		if r > unicode.MaxASCII {
			fmt.Fprintf(&out, "&#%d;", r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.Bytes()
}

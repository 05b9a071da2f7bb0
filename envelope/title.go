package envelope

import (
	"bytes"
	"encoding/hex"
	"io"
	"slices"

	"github.com/gopec/gopec/internal/multipart"
)

// title holds the kinds that the first line of a provider's text may stand for; nil when
// the line is not a known title.
type title []Kind

func (t title) names(k Kind) bool { return slices.Contains(t, k) }

// titles are the beginnings of the texts of RFC 6109, 3 in the Italian rules. A title
// comes before any shorter one that it begins with. The rest of the line may quote an
// address.
var titles = []struct {
	text  string
	kinds title
}{
	{"ricevuta di accettazione", title{KindAcceptance}},
	{"errore nell'accettazione", title{KindNonAcceptance}},
	{"avviso di non accettazione", title{KindNonAcceptance}},
	{"ricevuta di presa in carico", title{KindTakeInCharge}},
	{"ricevuta di avvenuta consegna", title{KindDelivery}},
	{"ricevuta completa di avvenuta consegna", title{KindDelivery}},
	{"ricevuta breve di avvenuta consegna", title{KindDelivery}},
	{"ricevuta sintetica di avvenuta consegna", title{KindDelivery}},
	{"avviso di mancata consegna per superamento", title{KindDeliveryDelay}},
	{"avviso di mancata consegna per sup", title{KindDeliveryDelay}},
	{"avviso di mancata consegna per virus", title{KindNonDelivery}},
	{"avviso di mancata consegna", title{KindNonDelivery, KindDeliveryDelay}},
	{"avviso di rilevazione virus", title{KindVirusDetection}},
	{"messaggio di posta certificata", title{KindTransport}},
	{"questo e un messaggio di posta certificata", title{KindTransport}},
	{"questo e' un messaggio di posta certificata", title{KindTransport}},
	{"anomalia", title{KindAnomaly}},
}

const (
	titlePrefix        = 256     // how many bytes of a text are examined
	alternativesPrefix = 1 << 10 // how many bytes of a multipart/alternative are examined
	maxTitle           = 64      // longer than any title, in bytes
	maxAlternatives    = 16      // how many alternatives of a text may begin in alternativesPrefix
)

// readTitle reads the title of the first part. Only the first text in it counts: any
// later one may come after a subject that the author wrote, with a guessed boundary.
func (c *check) readTitle(p multipart.Part) (title, error) {
	if p.MediaType == "multipart/alternative" {
		p.Body = io.NewSectionReader(p.Body, 0, min(p.Body.Size(), alternativesPrefix))
		texts, err := p.Split(maxAlternatives)
		if err != nil || len(texts) == 0 {
			return nil, readFailed(err)
		}
		if p, err = multipart.ReadPart(texts[0]); err != nil {
			return nil, readFailed(err)
		}
	}
	if !isPlainText(p) || p.HeaderErr() != nil {
		return nil, nil
	}
	room := c.room.content[:titlePrefix]
	if p.Encoding != "quoted-printable" {
		text, err := p.Prefix(room)
		return findTitle(text), err
	}
	n, err := p.Body.ReadAt(room[:min(p.Body.Size(), titlePrefix)], 0)
	if n == 0 {
		return nil, readFailed(err)
	}
	return findTitle(unquote(room[:n])), nil
}

// isPlainText reports whether a part is text/plain, which RFC 2045, 5.2 makes the default.
func isPlainText(p multipart.Part) bool { return p.MediaType == "" || p.MediaType == "text/plain" }

// unquote decodes quoted-printable (RFC 2045, 6.7) in place. It leaves a "=" that does
// not begin a valid sequence as it is.
func unquote(b []byte) []byte {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] != '=' {
			out = append(out, b[i])
			continue
		}
		rest := b[i+1:]
		var octet [1]byte
		if len(rest) >= 2 {
			if _, err := hex.Decode(octet[:], rest[:2]); err == nil {
				out = append(out, octet[0])
				i += 2
				continue
			}
		}
		switch {
		case bytes.HasPrefix(rest, []byte("\r\n")):
			i += 2
		case bytes.HasPrefix(rest, []byte("\n")):
			i++
		default:
			out = append(out, '=')
		}
	}
	return out
}

// findTitle returns the title at the beginning of the first line of a text that is not
// blank.
func findTitle(text []byte) title {
	var room [maxTitle]byte
	line := plainLine(text, room[:0])
	for _, t := range titles {
		n := len(t.text)
		if len(line) >= n && string(line[:n]) == t.text && (len(line) == n || !isWordByte(line[n])) {
			return t.kinds
		}
	}
	return nil
}

// isWordByte reports whether c may continue a word. Bytes beyond ASCII may be letters in
// some charset.
func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '\'' || c == '_' || c >= 0x80
}

// spellings map the characters beyond ASCII that titles are written with, in UTF-8 and
// in Windows-1252, and the tab, to ASCII.
var spellings = []struct {
	from string
	to   byte
}{
	{"\u00a0", ' '}, {"\u00e8", 'e'}, {"\u00c8", 'e'}, {"\u2019", '\''}, {"\u2013", '-'}, {"\u2014", '-'}, {"\ufeff", ' '},
	{"\xa0", ' '}, {"\xe8", 'e'}, {"\xc8", 'e'}, {"\x92", '\''}, {"\x96", '-'}, {"\x97", '-'}, {"\t", ' '},
}

// plainLine appends the first line of text that is not blank to line, up to its
// capacity: in lower case, with each run of blanks as one space, and without blanks and
// dashes in front.
func plainLine(text, line []byte) []byte {
	blank := true
	for i := 0; i < len(text) && len(line) < cap(line); {
		c, size := text[i], 1
		if c == '\r' || c == '\n' {
			if !blank {
				return line
			}
			i++
			continue
		}
		if c >= 0x80 || c == '\t' {
			for _, s := range spellings {
				if n := len(s.from); len(text) >= i+n && string(text[i:i+n]) == s.from {
					c, size = s.to, n
					break
				}
			}
		}
		i += size
		blank = blank && c == ' '
		switch {
		case len(line) == 0 && (c == ' ' || c == '-'):
		case c == ' ' && line[len(line)-1] == ' ':
		default:
			line = append(line, lowerByte(c))
		}
	}
	return line
}

package envelope

import (
	"bytes"
	"encoding/hex"
	"io"
	"slices"

	"github.com/gopec/gopec/internal/multipart"
)

// title is the kinds that the first line of a provider's text names; nil when the
// line is no title that is known.
type title []Kind

func (t title) names(k Kind) bool { return slices.Contains(t, k) }

// titles are what the texts of RFC 6109, 3 begin with in the Italian rules, each
// before any that begins it. The rest of the line may quote an address.
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
	// titlePrefix is how much of a text is looked at, in bytes, alternativesPrefix how
	// much of a multipart around it.
	titlePrefix        = 256
	alternativesPrefix = 1 << 10
	// maxTitle is longer than any title, in bytes.
	maxTitle = 64
	// maxAlternatives is how many alternatives of a text are expected at most.
	maxAlternatives = 16
)

// readTitle reads the title of the first part. Only the very first text counts: a
// correspondent's subject may stand in any other, with the delimiters it guessed.
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

// unquote decodes quoted-printable (RFC 2045, 6.7) in place. What is not so encoded it
// leaves as it stands.
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

// findTitle finds the title that the first line of a text is or begins with.
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

// isWordByte reports whether a word goes on with c. Octets of any charset beyond ASCII
// may be letters.
func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '\'' || c == '_' || c >= 0x80
}

// spellings are the ways to write what titles have beyond ASCII, in UTF-8 and in
// Windows-1252.
var spellings = []struct {
	from string
	to   byte
}{
	{"\u00a0", ' '}, {"\u00e8", 'e'}, {"\u00c8", 'e'}, {"\u2019", '\''}, {"\u2013", '-'}, {"\u2014", '-'}, {"\ufeff", ' '},
	{"\xa0", ' '}, {"\xe8", 'e'}, {"\xc8", 'e'}, {"\x92", '\''}, {"\x96", '-'}, {"\x97", '-'}, {"\t", ' '},
}

// plainLine appends the first line that is not blank to line, as much as there is room
// for: in lower case, each run of blanks one space, without dashes in front.
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

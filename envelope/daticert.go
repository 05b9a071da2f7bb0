package envelope

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// maxCertData is the longest daticert.xml read, in bytes.
const maxCertData = 1 << 20

// parseCertData reads daticert.xml (RFC 6109, 4.4) by element name, in any
// order. An element that is repeated where the rules allow one makes the data
// ambiguous and is an error.
func parseCertData(b []byte) (*CertData, error) {
	text, err := toUTF8(b)
	if err != nil {
		return nil, err
	}
	d := xml.NewDecoder(strings.NewReader(text))
	// The text is UTF-8 by now, whatever the declaration says.
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	p := certDataParser{seen: map[string]bool{}, data: new(CertData)}
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("daticert.xml: %w", err)
		}
		if err := p.next(token); err != nil {
			return nil, err
		}
	}
	return p.finish()
}

// maxElementDepth is far above the four levels of the DTD.
const maxElementDepth = 16

// elements are those that count, by their path. The ones with text are read
// with all text inside them: a provider's error text may hold markup.
var elements = map[string]struct{ once, text bool }{
	"postacert/intestazione":             {once: true},
	"postacert/intestazione/mittente":    {once: true, text: true},
	"postacert/intestazione/destinatari": {text: true},
	"postacert/intestazione/risposte":    {once: true, text: true},
	"postacert/intestazione/oggetto":     {once: true, text: true},
	"postacert/dati":                     {once: true},
	"postacert/dati/gestore-emittente":   {once: true, text: true},
	"postacert/dati/data":                {once: true},
	"postacert/dati/data/giorno":         {once: true, text: true},
	"postacert/dati/data/ora":            {once: true, text: true},
	"postacert/dati/identificativo":      {once: true, text: true},
	"postacert/dati/msgid":               {once: true, text: true},
	"postacert/dati/ricevuta":            {once: true},
	"postacert/dati/consegna":            {once: true, text: true},
	"postacert/dati/ricezione":           {text: true},
	"postacert/dati/errore-esteso":       {once: true, text: true},
}

// certDataParser collects the elements by their path.
type certDataParser struct {
	path  []string
	inner int             // depth of the open element whose text is collected, 0 for none
	text  strings.Builder // of that element
	class string          // tipo of the open destinatari
	seen  map[string]bool
	data  *CertData

	day, hour, zone string
}

func (p *certDataParser) next(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		if p.inner == len(p.path) {
			p.end(strings.Join(p.path, "/"), strings.TrimSpace(p.text.String()))
			p.inner = 0
			p.text.Reset()
		}
		p.path = p.path[:len(p.path)-1]
	case xml.CharData:
		if p.inner > 0 {
			p.text.Write(t)
		}
	case xml.Directive:
		// Real files have no DOCTYPE. One that only names the DTD is harmless; an
		// internal subset could define entities.
		if bytes.ContainsRune(t, '[') {
			return errors.New("daticert.xml: a DTD")
		}
	}
	return nil
}

func (p *certDataParser) start(t xml.StartElement) error {
	name := strings.ToLower(t.Name.Local)
	if len(p.path) == 0 {
		if len(p.seen) > 0 {
			return errors.New("daticert.xml: more than one root")
		}
		if name != "postacert" {
			return fmt.Errorf("daticert.xml: the root is %q", t.Name.Local)
		}
	}
	if len(p.path) == maxElementDepth {
		return errors.New("daticert.xml: nested too deep")
	}
	p.path = append(p.path, name)
	if p.inner > 0 {
		return nil // markup inside a text
	}
	path := strings.Join(p.path, "/")
	if elements[path].once && p.seen[path] {
		return fmt.Errorf("daticert.xml: more than one %s", name)
	}
	p.seen[path] = true
	if elements[path].text {
		p.inner = len(p.path)
	}
	attrs := map[string]string{}
	for _, a := range t.Attr {
		name := strings.ToLower(a.Name.Local)
		if _, dup := attrs[name]; dup {
			return fmt.Errorf("daticert.xml: attribute %s repeated", name)
		}
		attrs[name] = strings.TrimSpace(a.Value)
	}
	switch path {
	case "postacert":
		p.data.Token, p.data.Error = attrs["tipo"], attrs["errore"]
		p.data.Kind = tokenKind(p.data.Token)
	case "postacert/intestazione/destinatari":
		p.class = attrs["tipo"]
	case "postacert/dati/data":
		p.zone = attrs["zona"]
	case "postacert/dati/ricevuta":
		p.data.Receipt = attrs["tipo"]
	}
	return nil
}

func (p *certDataParser) end(path, text string) {
	d := p.data
	switch path {
	case "postacert/intestazione/mittente":
		d.Sender = text
	case "postacert/intestazione/destinatari":
		d.Recipients = append(d.Recipients, Recipient{
			Address:   text,
			Certified: p.class == "" || sameToken(p.class, "certificato"),
			Token:     p.class,
		})
	case "postacert/intestazione/risposte":
		d.ReplyTo = text
	case "postacert/intestazione/oggetto":
		d.Subject = text
	case "postacert/dati/gestore-emittente":
		d.Provider = text
	case "postacert/dati/data/giorno":
		p.day = text
	case "postacert/dati/data/ora":
		p.hour = text
	case "postacert/dati/identificativo":
		d.CertID = NormalizeMessageID(text)
	case "postacert/dati/msgid":
		d.MessageID = NormalizeMessageID(text)
	case "postacert/dati/consegna":
		d.Delivered = text
	case "postacert/dati/ricezione":
		d.Received = append(d.Received, text)
	case "postacert/dati/errore-esteso":
		d.ErrorText = text
	}
}

// finish checks the whole. Where it fails, what was read is given beside the
// error: a failed check keeps the facts.
func (p *certDataParser) finish() (*CertData, error) {
	if len(p.seen) == 0 {
		return nil, errors.New("daticert.xml: empty")
	}
	var timeErr error
	p.data.Time, timeErr = parseTime(p.day, p.hour, p.zone)
	if missing := p.data.incomplete(); missing != "" {
		return p.data, fmt.Errorf("daticert.xml: %s missing or wrong", missing)
	}
	if timeErr != nil {
		return p.data, timeErr
	}
	if p.data.contradictory() {
		return p.data, fmt.Errorf("daticert.xml: %s with errore %q", p.data.Token, p.data.Error)
	}
	return p.data, nil
}

// parseTime reads giorno, ora and zona. The zone is what the provider certifies:
// legal Italian time has two a year.
func parseTime(day, hour, zone string) (time.Time, error) {
	zone = strings.Map(func(r rune) rune {
		if strings.ContainsRune("(): ", r) {
			return -1 // RFC 6109, 4.2 writes (+hh:mm) in texts; the XML has +hhmm
		}
		return r
	}, zone)
	t, err := time.Parse("02/01/2006 15:04:05 -0700", day+" "+hour+" "+zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("daticert.xml: data: %w", err)
	}
	_, offset := t.Zone()
	if offset <= -24*60*60 || offset >= 24*60*60 {
		// Go reads +2400 and cannot write it.
		return time.Time{}, fmt.Errorf("daticert.xml: data: zona %q", zone)
	}
	return t.In(time.FixedZone("", offset)), nil
}

// toUTF8 gives the text of an XML file as UTF-8. What is UTF-8 is taken as such,
// whatever is declared, unless an eight-bit encoding is; what is not, by its
// declaration or else as Windows-1252, the superset of Latin-1 in which subjects
// slip through unconverted. Characters that XML forbids become U+FFFD.
func toUTF8(b []byte) (string, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	var encoding encoding.Encoding
	if m := xmlEncoding.FindSubmatch(b); m != nil {
		encoding, _ = htmlindex.Get(string(m[1])) // nil when unknown
	}
	if encoding == nil || encoding == unicode.UTF8 {
		encoding = charmap.Windows1252
		if utf8.Valid(b) {
			encoding = unicode.UTF8
		}
	}
	text, err := encoding.NewDecoder().String(string(b))
	if err != nil {
		return "", fmt.Errorf("daticert.xml: %w", err)
	}
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return utf8.RuneError
		}
		return r
	}, text), nil
}

// xmlEncoding finds the encoding in an XML declaration (XML 1.0, 2.8).
var xmlEncoding = regexp.MustCompile(`^\s*<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']`)

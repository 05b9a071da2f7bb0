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
	if !isCertData(b) {
		return nil, errors.New("daticert.xml: the root is not postacert, or stands too far down")
	}
	if p := newCertDataParser(); readPlainXML(b, p) {
		return p.finish()
	}
	return parseAnyCertData(b)
}

// parseAnyCertData is parseCertData for what is not plain.
func parseAnyCertData(b []byte) (*CertData, error) {
	text, err := toUTF8(b)
	if err != nil {
		return nil, err
	}
	d := xml.NewDecoder(strings.NewReader(text))
	// The text is UTF-8 by now, whatever the declaration says.
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	p := newCertDataParser()
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

// element is one that counts.
type element int

const (
	elementNone  element = iota // outside of the root
	elementOther                // any that does not count
	elementRoot
	elementHeader
	elementSender
	elementRecipient
	elementReplyTo
	elementSubject
	elementData
	elementProvider
	elementTime
	elementDay
	elementHour
	elementCertID
	elementMessageID
	elementReceipt
	elementDelivered
	elementReceived
	elementErrorText
	elementCount
)

// elements are those that count. The ones with text are read with all text inside
// them: a provider's error text may hold markup.
var elements = [elementCount]struct {
	parent     element
	name       string
	once, text bool
}{
	elementRoot:      {parent: elementNone, name: "postacert"},
	elementHeader:    {elementRoot, "intestazione", true, false},
	elementSender:    {elementHeader, "mittente", true, true},
	elementRecipient: {elementHeader, "destinatari", false, true},
	elementReplyTo:   {elementHeader, "risposte", true, true},
	elementSubject:   {elementHeader, "oggetto", true, true},
	elementData:      {elementRoot, "dati", true, false},
	elementProvider:  {elementData, "gestore-emittente", true, true},
	elementTime:      {elementData, "data", true, false},
	elementDay:       {elementTime, "giorno", true, true},
	elementHour:      {elementTime, "ora", true, true},
	elementCertID:    {elementData, "identificativo", true, true},
	elementMessageID: {elementData, "msgid", true, true},
	elementReceipt:   {elementData, "ricevuta", true, false},
	elementDelivered: {elementData, "consegna", true, true},
	elementReceived:  {elementData, "ricezione", false, true},
	elementErrorText: {elementData, "errore-esteso", true, true},
}

// child is the element of that name, in lower case, inside another.
func (parent element) child(name string) element {
	for e := elementRoot; e < elementCount; e++ {
		if elements[e].parent == parent && elements[e].name == name {
			return e
		}
	}
	return elementOther
}

// attribute is one of an element, by its local name.
type attribute struct{ name, value string }

// certDataParser collects the elements by their place.
type certDataParser struct {
	open  [maxElementDepth + 1]element // elementNone, and the open ones inside
	depth int                          // how many are open
	inner int                          // depth of the open element whose text is collected, 0 for none
	text  string                       // of that element
	more  []byte                       // of it, after what is in text
	class string                       // tipo of the open destinatari
	seen  [elementCount]bool
	data  *CertData

	day, hour, zone string
}

func newCertDataParser() *certDataParser { return &certDataParser{data: new(CertData)} }

func (p *certDataParser) next(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		attrs := make([]attribute, 0, len(t.Attr))
		for _, a := range t.Attr {
			attrs = append(attrs, attribute{a.Name.Local, a.Value})
		}
		return p.start(t.Name.Local, attrs)
	case xml.EndElement:
		p.end()
	case xml.CharData:
		if p.depth == 0 && len(bytes.Trim(t, xmlSpace)) > 0 {
			return errors.New("daticert.xml: text outside of the root") // XML 1.0, 2.1
		}
		p.characters(string(t))
	case xml.Directive:
		// Real files have no DOCTYPE. One that only names the DTD is harmless; an
		// internal subset could define entities.
		if bytes.ContainsRune(t, '[') {
			return errors.New("daticert.xml: a DTD")
		}
	}
	return nil
}

func (p *certDataParser) start(name string, attrs []attribute) error {
	name = strings.ToLower(name)
	if p.depth == maxElementDepth {
		return errors.New("daticert.xml: nested too deep")
	}
	found := elementOther // markup inside a text
	if p.inner == 0 {
		found = p.open[p.depth].child(name)
	}
	switch {
	case p.depth == 0 && p.seen[elementRoot]:
		return errors.New("daticert.xml: more than one root")
	case p.depth == 0 && found != elementRoot:
		return fmt.Errorf("daticert.xml: the root is %q", name)
	case elements[found].once && p.seen[found]:
		return fmt.Errorf("daticert.xml: more than one %s", name)
	}
	p.seen[found] = true
	p.depth++
	p.open[p.depth] = found
	if p.inner > 0 {
		return nil
	}
	if elements[found].text {
		p.inner = p.depth
	}
	if err := checkRepeated(attrs); err != nil {
		return err
	}
	switch found {
	case elementRoot:
		p.data.Token, p.data.Error = value(attrs, "tipo"), value(attrs, "errore")
		p.data.Kind = tokenKind(p.data.Token)
	case elementRecipient:
		p.class = value(attrs, "tipo")
	case elementTime:
		p.zone = value(attrs, "zona")
	case elementReceipt:
		p.data.Receipt = value(attrs, "tipo")
	}
	return nil
}

// checkRepeated refuses attributes of one name, of which readers choose different ones.
func checkRepeated(attrs []attribute) error {
	if len(attrs) < 2 {
		return nil
	}
	seen := make(map[string]bool, len(attrs))
	for _, a := range attrs {
		name := strings.ToLower(a.name)
		if seen[name] {
			return fmt.Errorf("daticert.xml: attribute %s repeated", name)
		}
		seen[name] = true
	}
	return nil
}

func value(attrs []attribute, name string) string {
	for _, a := range attrs {
		if strings.ToLower(a.name) == name {
			return strings.TrimSpace(a.value)
		}
	}
	return ""
}

func (p *certDataParser) characters(text string) {
	switch {
	case p.inner == 0:
	case p.text == "":
		p.text = text
	default:
		p.more = append(p.more, text...)
	}
}

func (p *certDataParser) end() {
	if p.inner == p.depth {
		p.take(p.open[p.depth], strings.TrimSpace(p.text+string(p.more)))
		p.inner, p.text, p.more = 0, "", p.more[:0]
	}
	p.depth--
}

// take keeps the text of the element that ends.
func (p *certDataParser) take(e element, text string) {
	d := p.data
	switch e {
	case elementSender:
		d.Sender = text
	case elementRecipient:
		d.Recipients = append(d.Recipients, Recipient{
			Address:   text,
			Certified: p.class == "" || sameToken(p.class, "certificato"),
			Token:     p.class,
		})
	case elementReplyTo:
		d.ReplyTo = text
	case elementSubject:
		d.Subject = text
	case elementProvider:
		d.Provider = text
	case elementDay:
		p.day = text
	case elementHour:
		p.hour = text
	case elementCertID:
		d.CertID = NormalizeMessageID(text)
	case elementMessageID:
		d.MessageID = NormalizeMessageID(text)
	case elementDelivered:
		d.Recipient = text
	case elementReceived:
		d.TakenInCharge = append(d.TakenInCharge, text)
	case elementErrorText:
		d.ErrorText = text
	}
}

// finish checks the whole. Where it fails, what was read is given beside the
// error: a failed check keeps the facts.
func (p *certDataParser) finish() (*CertData, error) {
	if !p.seen[elementRoot] {
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

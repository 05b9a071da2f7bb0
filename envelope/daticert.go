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

// parseCertData reads daticert.xml (RFC 6109, 4.4) by element name, in any order. An
// element that occurs twice where the rules allow one is an error: the data would be
// ambiguous.
func parseCertData(b []byte) (*CertData, error) {
	if !isCertData(b) {
		return nil, fmt.Errorf("daticert.xml: the root element is not postacert, or does not begin in the first %d bytes", maxProlog)
	}
	if p := newCertDataParser(); readPlainXML(b, p) {
		return p.finish()
	}
	return parseAnyCertData(b)
}

// parseAnyCertData is parseCertData for a file that readPlainXML does not read.
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

// element is an element of daticert.xml that is read.
type element int

const (
	elementNone  element = iota // outside the root
	elementOther                // any element that is not read
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

// elements lists the elements that are read. An element with text is read with all
// text inside it, because a provider's error text may hold markup.
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

// child returns the element of the given name, in lower case, inside parent.
func (parent element) child(name string) element {
	for e := elementRoot; e < elementCount; e++ {
		if elements[e].parent == parent && elements[e].name == name {
			return e
		}
	}
	return elementOther
}

// attribute is an attribute of an element; name is its local name.
type attribute struct{ name, value string }

// certDataParser fills a CertData from the elements of a file.
type certDataParser struct {
	open  [maxElementDepth + 1]element // elementNone, then the open elements
	depth int                          // how many elements are open
	inner int                          // depth of the open element whose text is collected, 0 for none
	text  string                       // the text of that element, or its first piece
	more  []byte                       // the pieces after the first
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
			return errors.New("daticert.xml: text outside the root element") // XML 1.0, 2.1
		}
		p.characters(string(t))
	case xml.Directive:
		// Real files have no DOCTYPE. One that only names the DTD is harmless. One with
		// an internal subset is refused: it could define entities.
		if bytes.ContainsRune(t, '[') {
			return errors.New("daticert.xml: DOCTYPE with an internal subset")
		}
	}
	return nil
}

func (p *certDataParser) start(name string, attrs []attribute) error {
	name = strings.ToLower(name)
	if p.depth == maxElementDepth {
		return fmt.Errorf("daticert.xml: elements nested more than %d deep", maxElementDepth)
	}
	found := elementOther // markup inside a text
	if p.inner == 0 {
		found = p.open[p.depth].child(name)
	}
	switch {
	case p.depth == 0 && p.seen[elementRoot]:
		return errors.New("daticert.xml: more than one root element")
	case p.depth == 0 && found != elementRoot:
		return fmt.Errorf("daticert.xml: the root element is %q, not postacert", name)
	case elements[found].once && p.seen[found]:
		return fmt.Errorf("daticert.xml: element %s repeated", name)
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
		p.data.Token, p.data.ErrorToken = value(attrs, "tipo"), value(attrs, "errore")
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

// checkRepeated refuses duplicate attributes: parsers disagree on which one wins.
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

// take stores the text of an element that has ended.
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

// finish checks the data as a whole. It returns the data with the error too, where
// there are any: a failed check keeps what was found.
func (p *certDataParser) finish() (*CertData, error) {
	if !p.seen[elementRoot] {
		return nil, errors.New("daticert.xml: no root element")
	}
	var timeErr error
	p.data.Time, timeErr = parseTime(p.day, p.hour, p.zone)
	if missing := p.data.incomplete(); missing != "" {
		return p.data, fmt.Errorf("daticert.xml: %s is missing, empty or malformed", missing)
	}
	if timeErr != nil {
		return p.data, timeErr
	}
	if p.data.contradictory() {
		return p.data, fmt.Errorf("daticert.xml: %s reports a success, but errore is %q", p.data.Token, p.data.ErrorToken)
	}
	return p.data, nil
}

// parseTime reads giorno, ora and zona. The result keeps the offset that the provider
// certifies: legal Italian time has two a year.
func parseTime(day, hour, zone string) (time.Time, error) {
	zone = strings.Map(func(r rune) rune {
		if strings.ContainsRune("(): ", r) {
			return -1 // RFC 6109, 4.2: texts have (+hh:mm), the XML has +hhmm
		}
		return r
	}, zone)
	t, err := time.Parse("02/01/2006 15:04:05 -0700", day+" "+hour+" "+zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("daticert.xml: data: %w", err)
	}
	_, offset := t.Zone()
	if offset <= -24*60*60 || offset >= 24*60*60 {
		// Package time parses +2400, but cannot marshal it.
		return time.Time{}, fmt.Errorf("daticert.xml: data: zona %q is 24 hours or more", zone)
	}
	return t.In(time.FixedZone("", offset)), nil
}

// toUTF8 returns the text of an XML file as UTF-8. A file that declares a known encoding
// other than UTF-8 is decoded from that. Any other file is taken as UTF-8 if it is valid
// UTF-8, and as Windows-1252 if not: some providers copy subjects into the file without
// converting them, and Windows-1252 is a superset of Latin-1. Characters that XML forbids
// become U+FFFD.
func toUTF8(b []byte) (string, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	var chosen encoding.Encoding
	if m := xmlEncoding.FindSubmatch(b); m != nil {
		chosen, _ = htmlindex.Get(string(m[1])) // nil when unknown
	}
	if chosen == nil || chosen == unicode.UTF8 {
		chosen = charmap.Windows1252
		if utf8.Valid(b) {
			chosen = unicode.UTF8
		}
	}
	text, err := chosen.NewDecoder().String(string(b))
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

package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
)

// signedAt is the signing time of an ordinary scenario. It is the time in its daticert.xml.
var signedAt = time.Date(2025, 3, 10, 9, 30, 0, 0, time.UTC)

// original is the message that the user sent, as postacert.eml contains it.
const original = "Received: from client.sender.example by smtp.vector.example; Mon, 10 Mar 2025 10:29:58 +0100\r\n" +
	"From: Mario Rossi <mario.rossi@pec.sender.example>\r\n" +
	"To: ufficio@pec.recipient.example\r\n" +
	"Subject: Offerta n. 42\r\n" +
	"Date: Mon, 10 Mar 2025 10:29:57 +0100\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: text/plain; charset=us-ascii\r\n" +
	"Message-ID: <" + certID + ">\r\n" +
	"X-Riferimento-Message-ID: <" + messageID + ">\r\n" +
	"\r\n" +
	"Si trasmette l'offerta.\r\n"

// part is a MIME body part: its header lines without line ends, and its encoded body.
type part struct {
	head []string
	body string
}

func (p part) bytes() []byte {
	return []byte(strings.Join(p.head, "\r\n") + "\r\n\r\n" + p.body)
}

// post is a PEC message under construction. Its functions run in the order of the fields. Each may be nil.
type post struct {
	data     certData
	head     []string // header lines other than those of MIME
	original string   // the content of postacert.eml; "" for none
	text     part

	editXML    func(xml string) string
	editParts  func([]part) []part
	editSigned func(signed []byte) []byte // before the signature is made
	sig        *signature
	editCMS    func(der []byte) []byte
	tamper     func(signed []byte) []byte // after the signature was made
	p7s        part                       // its body is filled in when empty
	editOuter  func(parts [][]byte) [][]byte
	mime       []string // Content-Type and MIME-Version of the top level
	preamble   string
	closing    string // what follows the last part
	outer      string // boundaries
	inner      string
	editWire   func(wire []byte) []byte

	xmlBytes []byte // after message
}

func newPost(leaf *identity, tipo string) *post {
	p := &post{
		data:     newCertData(tipo),
		outer:    "----3F9E2CA54F9E0819",
		inner:    "----------=_1741599000-1234-56",
		preamble: "This is an S/MIME signed message\r\n\r\n",
		sig:      &signature{signer: leaf, time: signedAt},
		text: part{head: []string{
			`Content-Type: text/plain; charset="iso-8859-1"`,
			`Content-Disposition: inline`,
			`Content-Transfer-Encoding: quoted-printable`,
		}, body: titleOf(tipo) + "\r\n\r\nIl messaggio \"Offerta n. 42\" =E8 stato trattato.\r\n"},
		p7s: part{head: []string{
			`Content-Type: application/x-pkcs7-signature; name="smime.p7s"`,
			`Content-Transfer-Encoding: base64`,
			`Content-Disposition: attachment; filename="smime.p7s"`,
		}},
	}
	p.setOuter(p.outer)
	p.closing = "\r\n--" + p.outer + "--\r\n"
	p.head = []string{
		"Return-Path: <" + address + ">",
		"Date: Mon, 10 Mar 2025 10:30:00 +0100",
		"Message-ID: <opec300.20250310103000.04321.9@pec.vector.example>",
		"To: " + sender,
	}
	switch tipo {
	case trasporto, anomalia:
		p.original = original
		p.add("From: \"Per conto di: " + sender + "\" <" + address + ">")
		p.set("To", recipient)
		if tipo == anomalia {
			p.add("Subject: ANOMALIA MESSAGGIO: " + subject)
			p.add("X-Trasporto: errore")
			return p
		}
		p.add("Subject: POSTA CERTIFICATA: " + subject)
		p.add("X-Trasporto: posta-certificata")
	default:
		p.add("From: " + address)
		p.add("Subject: " + strings.ToUpper(tipo) + ": " + subject)
		p.add("X-Ricevuta: " + tipo)
	}
	p.add("X-Riferimento-Message-ID: <" + messageID + ">")
	if tipo == consegna {
		p.original = original
	}
	return p
}

// titleOf returns the first line of the text of a kind, in the words of the Italian rules.
func titleOf(tipo string) string {
	switch tipo {
	case accettazione:
		return "Ricevuta di accettazione"
	case nonAccettaz:
		return "Errore nell'accettazione del messaggio"
	case presaInCarico:
		return "Ricevuta di presa in carico"
	case consegna:
		return "Ricevuta di avvenuta consegna"
	case erroreConsegna, preavviso:
		return "Avviso di mancata consegna"
	case virus:
		return "Avviso di rilevazione virus informatico"
	case trasporto:
		return "Messaggio di posta certificata"
	case anomalia:
		return "Anomalia nel messaggio"
	default:
		return "Ricevuta futura"
	}
}

// setOuter writes the top-level MIME fields for a boundary.
func (p *post) setOuter(boundary string) {
	p.outer = boundary
	p.closing = "\r\n--" + boundary + "--\r\n"
	p.mime = []string{
		"MIME-Version: 1.0",
		`Content-Type: multipart/signed; protocol="application/x-pkcs7-signature"; micalg="sha-256"; boundary="` + boundary + `"`,
	}
}

func (p *post) add(line string) *post {
	p.head = append(p.head, line)
	return p
}

func named(name string) func(string) bool {
	return func(line string) bool {
		return strings.HasPrefix(strings.ToLower(line), strings.ToLower(name)+":")
	}
}

// del removes each field of that name.
func (p *post) del(name string) *post {
	p.head = slices.DeleteFunc(p.head, named(name))
	return p
}

// set replaces the first field of that name.
func (p *post) set(name, value string) *post {
	i := slices.IndexFunc(p.head, named(name))
	if i < 0 {
		panic("no field " + name)
	}
	p.head[i] = name + ": " + value
	return p
}

// replace changes the XML, which must hold old.
func (p *post) replace(old, new string) *post {
	previous := p.editXML
	p.editXML = func(xml string) string {
		if previous != nil {
			xml = previous(xml)
		}
		return mustReplace(xml, old, new)
	}
	return p
}

func mustReplace(s, old, new string) string {
	if !strings.Contains(s, old) {
		panic(fmt.Sprintf("%q does not occur", old))
	}
	return strings.Replace(s, old, new, 1)
}

// swap returns mustReplace as a function that edits bytes.
func swap(old, new string) func([]byte) []byte {
	return func(b []byte) []byte { return []byte(mustReplace(string(b), old, new)) }
}

// base64Lines encodes in base64, in lines of 64 characters.
func base64Lines(b []byte) string {
	var lines strings.Builder
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(b)), 64) {
		lines.Write(line)
		lines.WriteString("\r\n")
	}
	return lines.String()
}

func certPart(xml string) part {
	return part{head: []string{
		`Content-Type: application/xml; name="daticert.xml"`,
		`Content-Disposition: inline; filename="daticert.xml"`,
		`Content-Transfer-Encoding: base64`,
	}, body: base64Lines([]byte(xml))}
}

func originalPart(message string) part {
	return part{head: []string{
		`Content-Type: message/rfc822; name="postacert.eml"`,
		`Content-Disposition: inline; filename="postacert.eml"`,
		`Content-Transfer-Encoding: 7bit`,
	}, body: message}
}

func textPart(text string) part {
	return part{head: []string{"Content-Type: text/plain; charset=us-ascii"}, body: text}
}

// multipart renders a multipart entity with its own header.
func multipart(subtype, boundary string, parts ...[]byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Content-Type: multipart/%s; boundary=\"%s\"\r\nContent-Transfer-Encoding: binary\r\nMIME-Version: 1.0\r\n", subtype, boundary)
	for _, content := range parts {
		fmt.Fprintf(&b, "\r\n--%s\r\n", boundary)
		b.Write(content)
	}
	fmt.Fprintf(&b, "\r\n--%s--\r\n", boundary)
	return b.Bytes()
}

// message renders the whole message.
func (p *post) message() []byte {
	parts := []part{p.text}
	if p.data.tipo != anomalia {
		xml := p.data.xml()
		if p.editXML != nil {
			xml = p.editXML(xml)
		}
		p.xmlBytes = []byte(xml)
		parts = append(parts, certPart(xml))
	}
	if p.original != "" {
		parts = append(parts, originalPart(p.original))
	}
	if p.editParts != nil {
		parts = p.editParts(parts)
	}
	var encoded [][]byte
	for _, one := range parts {
		encoded = append(encoded, one.bytes())
	}
	signed := multipart("mixed", p.inner, encoded...)
	if p.editSigned != nil {
		signed = p.editSigned(signed)
	}
	der := p.sig.sign(signed)
	if p.editCMS != nil {
		der = p.editCMS(der)
	}
	if p.tamper != nil {
		signed = p.tamper(signed)
	}
	if p.p7s.body == "" {
		p.p7s.body = base64Lines(der)
	}
	outer := [][]byte{signed, p.p7s.bytes()}
	if p.editOuter != nil {
		outer = p.editOuter(outer)
	}
	var wire bytes.Buffer
	for _, line := range slices.Concat(p.head, p.mime) {
		wire.WriteString(line + "\r\n")
	}
	wire.WriteString("\r\n" + p.preamble)
	for i, content := range outer {
		if i > 0 {
			wire.WriteString("\r\n")
		}
		wire.WriteString("--" + p.outer + "\r\n")
		wire.Write(content)
	}
	wire.WriteString(p.closing)
	if p.editWire != nil {
		return p.editWire(wire.Bytes())
	}
	return wire.Bytes()
}

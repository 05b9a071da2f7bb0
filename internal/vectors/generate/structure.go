package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// structure are messages whose top level is not a multipart/signed with two parts (RFC 6109 4.3; RFC 1847 2.1).
func structure(s *suite) {
	head := func(contentType string) string {
		p := s.post(consegna)
		return strings.Join(p.head, "\r\n") + "\r\nMIME-Version: 1.0\r\nContent-Type: " + contentType + "\r\n"
	}
	unsigned := func(name, comment, contentType string, body []byte) *scenario {
		wire := slices.Concat([]byte(head(contentType)), []byte("\r\n"), body)
		return s.refused("unsigned-"+name, comment, "unsigned", wire).ssl("unreadable", "")
	}
	genuine := s.enclosed()
	receipt := genuine.message()

	unsigned("text", "ordinary mail with X-Ricevuta", "text/plain; charset=us-ascii", []byte("Consegnato.\r\n"))

	xml := newCertData(consegna)
	unsigned("mixed", "the parts of a receipt without the signature", "multipart/mixed; boundary=\"m\"",
		mimeBody("m", textPart("Consegnato.\r\n").bytes(), certPart(xml.xml()).bytes()))
	unsigned("signature-inside", "multipart/mixed with a genuine signed part and its signature as its parts", "multipart/mixed; boundary=\"m\"",
		mimeBody("m", certPart(xml.xml()).bytes(), genuine.signedPart(), genuine.p7s.bytes()))
	unsigned("nested", "a genuine receipt nested as a part below a forged text", "multipart/mixed; boundary=\"m\"",
		mimeBody("m", textPart("Consegnato.\r\n").bytes(), entity(receipt)))
	unsigned("related", "a genuine receipt hidden in multipart/related", "multipart/related; boundary=\"m\"",
		mimeBody("m", part{head: []string{"Content-Type: text/html"}, body: "<p>Consegnato.</p>\r\n"}.bytes(), entity(receipt)))
	unsigned("forwarded", "a genuine receipt forwarded as message/rfc822 beside text", "multipart/mixed; boundary=\"m\"",
		mimeBody("m", textPart("Inoltro.\r\n").bytes(), part{head: []string{"Content-Type: message/rfc822"}, body: string(receipt)}.bytes()))
	unsigned("forwarded-alone", "a genuine receipt as the message/rfc822 body of another", "message/rfc822", receipt)

	opaque := *genuine.sig
	opaque.encapsulated = genuine.signedPart()
	unsigned("opaque", "application/pkcs7-mime: signed content inside the object, which PEC does not use",
		"application/pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"\r\nContent-Transfer-Encoding: base64",
		[]byte(base64Lines(opaque.sign(nil)))).
		ssl("fail", "")
	unsigned("signed-in-parameter", "multipart/mixed that names multipart/signed in a parameter only",
		"multipart/mixed; x=\"multipart/signed\"; boundary=\"m\"", mimeBody("m", genuine.signedPart(), genuine.p7s.bytes()))

	malformed := func(name, comment string, edit func(*post)) *scenario {
		p := s.post(consegna)
		edit(p)
		return s.invalid("malformed-"+name, comment, "malformed", p).ssl("unreadable", "")
	}
	malformed("content-type-twice", "a second Content-Type, text/plain, after the right one", func(p *post) {
		p.mime = append(p.mime, "Content-Type: text/plain")
	}).ssl("ok", "OpenSSL takes one of the two and does not see the contradiction")
	malformed("content-type-twice-first", "a Content-Type text/plain before the right one", func(p *post) {
		p.mime = slices.Insert(p.mime, 1, "Content-Type: text/plain")
	})
	malformed("third-part", "a third part after the signature", func(p *post) {
		p.editOuter = func(parts [][]byte) [][]byte { return append(parts, textPart("Consegnato a vittima.\r\n").bytes()) }
	})
	malformed("third-part-first", "a part before the signed one", func(p *post) {
		p.editOuter = func(parts [][]byte) [][]byte { return slices.Insert(parts, 0, textPart("Consegnato.\r\n").bytes()) }
	})
	malformed("one-part", "the signature part is missing", func(p *post) {
		p.editOuter = func(parts [][]byte) [][]byte { return parts[:1] }
	})
	malformed("order", "the signature first, the signed part second", func(p *post) {
		p.editOuter = func(parts [][]byte) [][]byte { slices.Reverse(parts); return parts }
	})
	malformed("no-boundary", "multipart/signed without a boundary", func(p *post) {
		p.mime[1] = `Content-Type: multipart/signed; protocol="application/x-pkcs7-signature"; micalg="sha-256"`
	})
	malformed("pgp", "an OpenPGP signature as the second part", func(p *post) {
		p.p7s = part{head: []string{"Content-Type: application/pgp-signature"}, body: "-----BEGIN PGP SIGNATURE-----\r\n"}
	})
	malformed("pkcs7-mime", "the right signature, as application/pkcs7-mime", func(p *post) {
		p.p7s.head[0] = `Content-Type: application/pkcs7-mime; name="smime.p7s"`
	})
}

// enclosed returns a genuine delivery receipt with boundaries of its own, for use inside another message.
func (s *suite) enclosed() *post {
	p := s.post(consegna)
	p.setOuter("----A1B2C3D4E5F60718")
	p.inner = "----------=_1741599007-9876-54"
	return p
}

// entity returns the MIME entity of a message: its Content-Type and body.
func entity(message []byte) []byte {
	return message[bytes.Index(message, []byte("Content-Type: ")):]
}

// mimeBody renders parts between delimiters.
func mimeBody(boundary string, parts ...[]byte) []byte {
	var b bytes.Buffer
	for _, content := range parts {
		fmt.Fprintf(&b, "\r\n--%s\r\n", boundary)
		b.Write(content)
	}
	fmt.Fprintf(&b, "\r\n--%s--\r\n", boundary)
	return b.Bytes()
}

// nesting are messages in which signature or certification data are nested deeper than where they count.
func nesting(s *suite) {
	receipt := s.enclosed().message()

	p := s.post(consegna)
	p.sig.signer = selfSigned(leafTemplateNumber(31), s.foreign)
	p.editSigned = func([]byte) []byte { return entity(receipt) }
	s.invalid("nested-signed-stranger", "a genuine receipt as the signed part of a stranger's signature", "untrusted", p)

	p = s.post(consegna)
	p.editSigned = func([]byte) []byte { return entity(receipt) }
	s.invalid("nested-signed", "the signed part is itself multipart/signed, both by the provider", "no-certdata", p)

	p = s.post(consegna)
	p.editSigned = func([]byte) []byte {
		return part{head: []string{"Content-Type: message/rfc822"}, body: string(receipt)}.bytes()
	}
	s.invalid("nested-rfc822", "the signed part is a whole receipt as message/rfc822", "no-certdata", p)

	p = s.post(consegna)
	p.editSigned = func(signed []byte) []byte { return multipart("mixed", "around", signed) }
	s.invalid("nested-mixed", "daticert.xml stands one multipart/mixed deeper than it must", "no-certdata", p)

	p = s.post(consegna)
	p.editSigned = func(signed []byte) []byte {
		for i := range 40 {
			signed = multipart("mixed", fmt.Sprintf("level%02d", i), signed)
		}
		return signed
	}
	s.invalid("nested-deep", "forty multiparts around the content: a verifier need not go down", "no-certdata", p)

	p = s.post(anomalia).del("X-Trasporto").add("X-Ricevuta: avvenuta-consegna")
	p.original = string(receipt)
	s.invalid("nested-anomaly-relabelled", "an anomaly around a genuine receipt, its header changed to a receipt's", "no-certdata", p)

	p = s.post(trasporto)
	p.original = userAttachment("daticert.xml", "application/xml", base64Lines([]byte(newXML(consegna))))
	s.valid("nested-user-certdata", "the user attached a daticert.xml of a delivery: only the provider's counts", p)

	p = s.post(trasporto)
	p.original = userAttachment("postacert.eml", "application/octet-stream", base64Lines([]byte(original)))
	s.valid("nested-user-postacert", "the user attached a postacert.eml", p)

	p = s.post(trasporto)
	p.original = string(receipt)
	s.valid("nested-user-receipt", "the user sent a whole genuine receipt as the message", p)
}

func newXML(tipo string) string {
	d := newCertData(tipo)
	return d.xml()
}

// userAttachment returns a user's message with one attachment.
func userAttachment(name, mediaType, body string) string {
	attachment := part{head: []string{
		fmt.Sprintf("Content-Type: %s; name=\"%s\"", mediaType, name),
		fmt.Sprintf("Content-Disposition: attachment; filename=\"%s\"", name),
		"Content-Transfer-Encoding: base64",
	}, body: body}
	head := strings.Replace(original, "text/plain; charset=us-ascii", "multipart/mixed; boundary=\"user\"", 1)
	head, _, _ = strings.Cut(head, "\r\n\r\n")
	return head + "\r\n\r\n" + string(mimeBody("user", textPart("In allegato.\r\n").bytes(), attachment.bytes()))
}

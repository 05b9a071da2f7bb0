package main

import (
	"bytes"
	"crypto"
	"slices"
	"strings"
)

// tolerantMIME are deviations of real messages in the signed part and the container (RFC 6109 4.3).
func tolerantMIME(s *suite) {
	with := func(name, comment string, edit func(*post), warnings ...string) *scenario {
		p := s.post(consegna)
		edit(p)
		return s.tolerated("mime-"+name, comment, p, warnings...)
	}
	with("part-order", "postacert.eml before daticert.xml", func(p *post) {
		p.editParts = func(parts []part) []part { parts[1], parts[2] = parts[2], parts[1]; return parts }
	})
	with("unquoted-names", "file names without quotes", func(p *post) {
		p.editParts = func(parts []part) []part {
			for _, one := range parts[1:] {
				for i := range one.head {
					one.head[i] = strings.ReplaceAll(one.head[i], `"`, "")
				}
			}
			return parts
		}
	})
	with("name-only", "daticert.xml named in Content-Type only", func(p *post) {
		p.editParts = func(parts []part) []part { parts[1].head = slices.Delete(parts[1].head, 1, 2); return parts }
	})
	with("filename-only", "daticert.xml named in Content-Disposition only", func(p *post) {
		p.editParts = func(parts []part) []part { parts[1].head[0] = "Content-Type: application/xml"; return parts }
	})
	with("unnamed-certdata", "daticert.xml without a name: its root element tells it", func(p *post) {
		p.editParts = func(parts []part) []part {
			parts[1].head = []string{"Content-Type: application/xml", "Content-Transfer-Encoding: base64"}
			return parts
		}
	})
	with("certdata-quoted-printable", "daticert.xml in quoted-printable", func(p *post) {
		p.editParts = func(parts []part) []part {
			parts[1].head[2] = "Content-Transfer-Encoding: quoted-printable"
			parts[1].body = strings.NewReplacer("=", "=3D", "\n", "\r\n").Replace(newXML(consegna))
			return parts
		}
	})
	with("base64-original", "message/rfc822 labelled and sent as base64, against RFC 2046 5.2.1", func(p *post) {
		p.editParts = func(parts []part) []part {
			parts[2].head[2] = "Content-Transfer-Encoding: base64"
			parts[2].body = base64Lines([]byte(original))
			return parts
		}
	})
	with("octet-stream-original", "postacert.eml as application/octet-stream in base64", func(p *post) {
		p.editParts = func(parts []part) []part {
			parts[2].head = []string{
				`Content-Type: application/octet-stream; name="postacert.eml"`,
				`Content-Disposition: attachment; filename="postacert.eml"`,
				`Content-Transfer-Encoding: base64`,
			}
			parts[2].body = base64Lines([]byte(original))
			return parts
		}
	})
	with("html", "the readable text as text/plain and text/html alternatives", func(p *post) {
		p.text = part{head: []string{`Content-Type: multipart/alternative; boundary="alternative"`},
			body: string(mimeBody("alternative", p.text.bytes(), part{
				head: []string{"Content-Type: text/html; charset=iso-8859-1"},
				body: "<html><head><STYLE>p { color: black }</STYLE></head><body><p>Consegnato.</p></body></html>\r\n",
			}.bytes()))}
	})
	with("further-parts", "parts of the provider's own after the known ones", func(p *post) {
		p.editParts = func(parts []part) []part {
			return append(parts,
				part{head: []string{`Content-Type: image/png; name="logo.png"`, "Content-Transfer-Encoding: base64"}, body: "iVBORw0KGgo=\r\n"},
				part{head: []string{`Content-Type: application/xml; name="segnatura.xml"`}, body: "<segnatura/>\r\n"})
		}
	}, "further-parts")
	with("pkcs7-signature", "application/pkcs7-signature without the x-", func(p *post) {
		p.p7s.head[0] = `Content-Type: application/pkcs7-signature; name=smime.p7s`
		p.mime[1] = strings.Replace(p.mime[1], "x-pkcs7", "pkcs7", 1)
	})
	with("micalg-other", "micalg names another hash than the signature does", func(p *post) {
		p.mime[1] = strings.Replace(p.mime[1], "sha-256", "sha1", 1)
	})
	with("no-micalg", "neither micalg nor protocol, boundary unquoted", func(p *post) {
		p.mime[1] = "Content-Type: Multipart/Signed;\r\n boundary=" + p.outer
	})
	oneLine := with("signature-one-line", "the signature's base64 in one line", func(p *post) {
		p.editOuter = func(parts [][]byte) [][]byte {
			head, body, _ := bytes.Cut(parts[1], []byte("\r\n\r\n"))
			parts[1] = slices.Concat(head, []byte("\r\n\r\n"), bytes.ReplaceAll(body, []byte("\r\n"), nil), []byte("\r\n"))
			return parts
		}
	})
	oneLine.ssl("unreadable", "OpenSSL decodes base64 in lines of at most 76 characters or so")
	lf := func(wire []byte) []byte { return bytes.ReplaceAll(wire, []byte("\r\n"), []byte("\n")) }
	with("lf-storage", "line ends stored as LF: what was signed had CRLF", func(p *post) { p.editWire = lf }, "lf-storage")
	with("lf-storage-ber", "line ends stored as LF, BER and SHA-1: an archived message of 2018", func(p *post) {
		p.editWire, p.sig.berOuter, p.sig.hash = lf, true, crypto.SHA1
	}, "sha1-digest", "ber", "lf-storage")
}

// tolerantXML are deviations of real messages in daticert.xml (RFC 6109 4.4).
func tolerantXML(s *suite) {
	with := func(tipo, name, comment string, edit func(*post)) *scenario {
		p := s.post(tipo)
		edit(p)
		return s.tolerated("xml-"+name, comment, p)
	}
	latin1 := func(xml string) string { return strings.ReplaceAll(xml, "à", "\xe0") }
	with(consegna, "utf8", "accents in the subject, UTF-8", func(p *post) { p.data.oggetto = "Novità e società" })
	with(consegna, "bom", "a byte order mark before the declaration", func(p *post) {
		p.editXML = func(xml string) string { return "\ufeff" + xml }
	})
	with(consegna, "latin1-declared", "encoding ISO-8859-1, declared", func(p *post) {
		p.data.oggetto = "Novità e società"
		p.editXML = func(xml string) string { return latin1(mustReplace(xml, "UTF-8", "ISO-8859-1")) }
	})
	with(consegna, "latin1-undeclared", "Latin-1 octets, UTF-8 declared", func(p *post) {
		p.data.oggetto = "Novità e società"
		p.editXML = latin1
	})
	with(consegna, "control-characters", "control characters from the user's subject", func(p *post) {
		p.replace(subject, "Offerta\x01 n.\x0b 42\x1f")
	}).want("subject", "")
	with(consegna, "no-oggetto", "no subject", func(p *post) { p.data.oggetto = "" })
	with(consegna, "no-risposte", "no reply address", func(p *post) { p.data.risposte = "" })
	with(consegna, "no-msgid", "the client gave no Message-ID: neither msgid nor reference", func(p *post) {
		p.data.msgid = ""
		p.del("X-Riferimento-Message-ID")
	})
	with(consegna, "no-errore", "no attribute errore: the DTD's default is nessuno", func(p *post) { p.replace(` errore="nessuno"`, "") }).
		want("errorToken", "")
	with(consegna, "no-class", "destinatari without tipo: the DTD's default is certificato", func(p *post) { p.data.destinatari[0][1] = "" })
	with(consegna, "tipo-case", "tipo in upper case", func(p *post) { p.replace(`tipo="avvenuta-consegna"`, `tipo="AVVENUTA-CONSEGNA"`) })
	with(consegna, "names-case", "names of elements in upper case", func(p *post) {
		p.editXML = func(xml string) string {
			for _, name := range []string{"postacert", "intestazione", "mittente", "identificativo", "consegna"} {
				xml = strings.NewReplacer("<"+name, "<"+strings.ToUpper(name), "</"+name, "</"+strings.ToUpper(name)).Replace(xml)
			}
			return xml
		}
	})
	with(consegna, "blanks", "blanks and line ends round the values", func(p *post) {
		p.editXML = func(xml string) string {
			for _, value := range []string{sender, recipient, certID, "10/03/2025", "10:30:00", "Vector PEC S.p.A."} {
				xml = strings.ReplaceAll(xml, ">"+value+"<", ">\n      "+value+"  <")
			}
			return strings.NewReplacer(`"+0100"`, `" +0100 "`, `"avvenuta-consegna"`, `" avvenuta-consegna "`, `"nessuno"`, `"nessuno "`).Replace(xml)
		}
	})
	with(consegna, "doctype", "a DOCTYPE that names the DTD and defines nothing", func(p *post) {
		p.replace("<postacert", "<!DOCTYPE postacert SYSTEM \"postacert.dtd\">\n<postacert")
	})
	with(consegna, "stray-text", "text between the elements", func(p *post) { p.replace("<intestazione>", "<intestazione>prova") })
	with(consegna, "unknown-elements", "elements that the DTD does not know", func(p *post) {
		p.replace("<dati>", "<dati><nota>aggiunta</nota>").replace("</postacert>", "<firma/></postacert>")
	})
	with(consegna, "order", "dati before intestazione, data last", func(p *post) {
		p.editXML = func(xml string) string {
			head := xml[strings.Index(xml, "    <intestazione>"):strings.Index(xml, "    <dati>")]
			date := xml[strings.Index(xml, "        <data "):strings.Index(xml, "        <identificativo>")]
			xml = mustReplace(mustReplace(xml, head, ""), date, "")
			return mustReplace(mustReplace(xml, "    </dati>", date+"    </dati>"), "</postacert>", head+"</postacert>")
		}
	})
	with(consegna, "comments", "a comment inside a value: the value is all the text round it", func(p *post) {
		p.data.mittente = "mario.rossi@pec.sender.example.attacker.example"
		p.replace(sender+".attacker.example</mittente>", sender+"<!-- x -->.attacker.example</mittente>")
	})
	with(consegna, "cdata", "the subject as CDATA, with what looks like markup", func(p *post) {
		p.data.oggetto = "</oggetto><consegna>vittima@pec.recipient.example</consegna>"
		p.replace(escape(p.data.oggetto), "<![CDATA["+p.data.oggetto+"]]>")
	})
	with(consegna, "escaped-markup", "the subject holds markup, escaped", func(p *post) {
		p.data.oggetto = "</oggetto><consegna>vittima@pec.recipient.example</consegna>"
	})
	with(erroreConsegna, "errore-unknown", "an errore that nobody knows, in a failure", func(p *post) {
		p.data.errore, p.data.esteso = "superamento-tempi-massimi", "non consegnato"
	})
}

// engines are whole messages as the two families of real messages have them.
func engines(s *suite) {
	p := s.post(consegna)
	p.sig.berOuter, p.sig.hash = true, crypto.SHA1
	p.mime[1] = strings.Replace(p.mime[1], `"sha-256"`, "sha1", 1)
	p.text = part{head: []string{"Content-Type: multipart/alternative;\r\n boundary=\"----------=_1741599000-1234-57\"", "Content-Transfer-Encoding: binary"},
		body: string(mimeBody("----------=_1741599000-1234-57", p.text.bytes(), part{
			head: []string{`Content-Type: text/html; charset="iso-8859-1"`, "Content-Disposition: inline", "Content-Transfer-Encoding: quoted-printable"},
			body: "<html><body>Il messaggio =E8 stato consegnato.</body></html>\r\n",
		}.bytes()))}
	s.tolerated("engine-aruba", "the Aruba family: alternatives, quoted names, inline parts, SHA-1, BER", p, "sha1-digest", "ber")

	p = s.post(consegna)
	p.set("From", "Posta Certificata Legalmail <"+address+">")
	p.set("Date", "Mon, 10 Mar 2025 10:30:00 +0100 (CET)")
	p.add("X-CrmlId: 0123456789")
	p.setOuter("----=_Part_1_123.456")
	p.preamble, p.inner = "", "----=_Part_0_123.455"
	p.mime = []string{"Mime-Version: 1.0", "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; \r\n\tboundary=\"" + p.outer + "\""}
	p.text = part{head: []string{"Content-Type: text/plain; charset=ISO-8859-1", "Content-Transfer-Encoding: 7bit"},
		body: "Ricevuta di avvenuta consegna\r\n\r\nIl messaggio e' stato consegnato.\r\n\r\nDelivery receipt\r\n"}
	p.editXML = func(xml string) string {
		return mustReplace(strings.ReplaceAll(xml, "    ", " "), `<ricevuta tipo="completa" />`, `<ricevuta tipo="completa"></ricevuta>`)
	}
	p.editParts = func(parts []part) []part {
		parts[1].head = []string{
			"Content-Type: application/xml; charset=UTF-8; name=daticert.xml",
			"Content-Transfer-Encoding: 7bit",
			"Content-Disposition: attachment; filename=daticert.xml",
		}
		parts[1].body = strings.ReplaceAll(string(p.xmlBytes), "\n", "\r\n")
		parts[2].head = []string{"Content-Type: message/rfc822; name=postacert.eml", "Content-Disposition: inline; filename=postacert.eml"}
		return parts
	}
	p.p7s.head = []string{
		"Content-Type: application/pkcs7-signature; name=smime.p7s; smime-type=signed-data",
		"Content-Transfer-Encoding: base64",
		"Content-Disposition: attachment; filename=\"smime.p7s\"",
		"Content-Description: S/MIME Cryptographic Signature",
	}
	s.tolerated("engine-infocert", "the InfoCert family: unquoted names, 7bit XML as an attachment, display name, dated comment", p)
}

package main

import (
	"fmt"
	"slices"
	"strings"
)

// family is how the software of a group of providers delimits and orders the signed parts, as genuine messages show.
type family struct {
	name, boundary string
	originalFirst  bool // postacert.eml before daticert.xml
}

var families = []family{
	{"a", "----------=_1741599000-1234-56", false},
	{"a2", "----------=_1741599000-1234-56", true},
	{"b", "----=_Part_195957_533368640.1741599000123", true},
	{"b2", "----=_Part_195957_533368640.1741599000123", false},
	{"c", "=-kJ8dPq2LmZx0RtVw5YbN", true},
}

// layOut sets the boundary and the order of parts of a family.
func (f family) layOut(p *post) *post {
	p.inner = f.boundary
	p.editParts = func(parts []part) []part {
		if f.originalFirst && len(parts) == 3 {
			parts[1], parts[2] = parts[2], parts[1]
		}
		return parts
	}
	return p
}

// edit adds a change to the changes that p makes to the parts.
func (p *post) edit(change func([]part) []part) *post {
	previous := p.editParts
	p.editParts = func(parts []part) []part {
		if previous != nil {
			parts = previous(parts)
		}
		return change(parts)
	}
	return p
}

// inject writes parts into the body of part i, as an author who knows the boundary can. The rest of the body becomes a
// part of its own, or the epilogue if the injected text closes the multipart.
func (p *post) inject(i int, closed bool, parts ...part) *post {
	return p.edit(func(all []part) []part {
		text := &all[i].body
		for _, one := range parts {
			*text += "\r\n--" + p.inner + "\r\n" + string(one.bytes())
		}
		if closed {
			*text += "\r\n--" + p.inner + "--\r\n" + "il resto\r\n"
		} else {
			*text += "\r\n--" + p.inner + "\r\nContent-Type: text/plain\r\n\r\nil resto\r\n"
		}
		return all
	})
}

// relabel changes the unsigned headers to those of another kind.
func (p *post) relabel(tipo string) *post {
	p.del("X-Trasporto").del("X-Ricevuta").del("X-Riferimento-Message-ID")
	if tipo == trasporto {
		p.add("X-Trasporto: posta-certificata")
	} else {
		p.add("X-Ricevuta: " + tipo)
	}
	return p.add("X-Riferimento-Message-ID: <" + messageID + ">")
}

func withData() []string {
	return []string{accettazione, nonAccettaz, presaInCarico, consegna, erroreConsegna, preavviso, virus, trasporto}
}

// guesses are signed parts as each family of providers lays them out, and what an author who has guessed the boundary
// can do to them.
func guesses(s *suite) {
	for _, f := range families {
		for _, tipo := range append(withData(), anomalia) {
			guessesIn(s, f, tipo)
		}
		for _, tipo := range withData() {
			forgedInAnomaly(s, f, tipo)
		}
		p := f.layOut(s.post(consegna))
		p.data.ricevuta, p.original = "breve", briefOriginal
		s.valid("guess-"+f.name+"-delivery-brief", "brief delivery receipt in the order of family "+f.name, p).want("content", "brief")
		p = f.layOut(s.post(consegna))
		p.data.ricevuta, p.original = "breve", briefOriginal
		original := 2
		if f.originalFirst {
			original = 1
		}
		p.inject(original, false, certPart(newXML(consegna)))
		s.invalid("guess-"+f.name+"-delivery-brief-second", "the sender writes certification data into a brief receipt", "no-certdata", p)
	}
}

func guessesIn(s *suite, f family, tipo string) {
	name := "guess-" + f.name + "-" + kindOf(tipo)
	post := func() *post { return f.layOut(s.post(tipo)) }
	s.valid(name, kindOf(tipo)+" with the boundary and the order of family "+f.name, post())

	p := post()
	p.text.body = strings.Replace(p.text.body, titleOf(tipo), "Comunicazione del gestore", 1)
	if f.originalFirst && (tipo == consegna || tipo == trasporto) {
		s.invalid(name+"-untitled", "certification data after the original, without a title that tells them from a forgery", "no-certdata", p)
	} else {
		s.valid(name+"-untitled", "the title is none that is known, and nothing of others stands in front", p)
	}

	other := consegna
	if tipo == consegna {
		other = erroreConsegna
	}
	p = post()
	p.text.body = strings.Replace(p.text.body, titleOf(tipo), titleOf(other), 1)
	s.invalid(name+"-mistitled", "the title names another kind than the rest", "no-certdata", p)

	if tipo == anomalia {
		return
	}
	p = post()
	p.text.body = strings.Replace(p.text.body, titleOf(tipo), titleOf(anomalia), 1)
	s.invalid(name+"-titled-anomaly", "certification data under the title of an anomaly", "no-certdata", p)

	// An author can write into the original, or, with a raw line break in the subject, into the text.
	for _, at := range []struct {
		name string
		part int
	}{{"text", 0}, {"original", 2}} {
		i := at.part
		if i > 0 && p.original == "" {
			continue
		}
		if i > 0 && f.originalFirst {
			i = 1
		}
		forged := certPart(newXML(consegna))
		s.invalid(name+"-second-in-"+at.name, "a second daticert.xml, written by who guessed the boundary", "no-certdata",
			post().inject(i, false, forged))
		s.invalid(name+"-end-in-"+at.name, "the end written by who guessed the boundary, after a daticert.xml of theirs", "malformed",
			post().inject(i, true, forged)).ssl("ok", "OpenSSL does not look into the signed part")
		if p.original != "" {
			s.invalid(name+"-message-in-"+at.name, "a second original message, written by who guessed the boundary", "bad-certdata",
				post().inject(i, false, originalPart(original)))
		}
	}
}

// forgedInAnomaly are attempts to turn an anomaly envelope into a notice. It has no certification data that would conflict.
func forgedInAnomaly(s *suite, f family, tipo string) {
	name := "guess-" + f.name + "-anomaly-as-" + kindOf(tipo)
	forged := certPart(newXML(tipo))
	anomaly := func() *post { return f.layOut(s.post(anomalia)).relabel(tipo) }
	untitled := func(p *post) *post {
		p.text.body = strings.Replace(p.text.body, titleOf(anomalia), "Comunicazione del gestore", 1)
		return p
	}
	s.invalid(name, "certification data written into the message of an anomaly", "no-certdata", anomaly().inject(1, false, forged))
	if tipo != consegna && tipo != trasporto {
		return
	}
	s.invalid(name+"-in-text", "certification data written into the text of an anomaly by a raw line break in the subject", "no-certdata",
		anomaly().inject(0, false, forged))
	s.invalid(name+"-untitled", "certification data written into the message of an anomaly whose title is not known", "no-certdata",
		untitled(anomaly().inject(1, false, forged)))
	s.invalid(name+"-in-text-untitled", "certification data written into the text of an anomaly whose title is not known", "no-certdata",
		untitled(anomaly().inject(0, false, forged)))
	s.invalid(name+"-end", "certification data and the end written into the message of an anomaly", "malformed",
		anomaly().inject(1, true, forged)).ssl("ok", "OpenSSL does not look into the signed part")
}

// guessesApart are attempts that work alike in every family.
func guessesApart(s *suite) {
	refused := func(name, comment, code string, p *post) {
		sc := s.invalid("guess-"+name, comment, code, p)
		if code == "malformed" {
			sc.ssl("ok", "OpenSSL does not look into the signed part")
		}
	}
	forged := func() part { return certPart(newXML(consegna)) }
	anomaly := func() *post { return s.post(anomalia).relabel(consegna) }

	// One copy of the parts serves many guesses if a parser skips header lines that are not fields.
	many := forged()
	many.head = append([]string{"----------=_1741599000-1234-57", "----------=_1741599000-1234-58"}, many.head...)
	refused("header-lines", "lines that are no fields, further guesses, in the header of a part", "malformed", anomaly().inject(1, false, many))
	many = forged()
	many.head = append([]string{"--=_a:b", "--=_a:c"}, many.head...)
	refused("header-colons", "further guesses that have colons in the header of a part", "malformed", anomaly().inject(1, false, many))
	many = forged()
	many.head = append([]string{" ----------=_1741599000-1234-57"}, many.head...)
	refused("header-continuation", "the header of a part begins with a continuation", "malformed", anomaly().inject(1, false, many))

	// Further guesses can also stand inside the XML document.
	plain := func(xml string) part { return part{head: []string{"Content-Type: application/xml"}, body: xml} }
	next := "\r\n----------=_1741599000-1234-57\r\n\r\n"
	xml := strings.ReplaceAll(newXML(consegna), "\n", "\r\n")
	_, root, _ := strings.Cut(xml, "\r\n")
	for name, body := range map[string]string{
		"instruction": "<?guess " + next + "?>" + root,
		"doctype":     "<!DOCTYPE postacert SYSTEM \"" + next + "\">" + root,
		"cdata":       strings.Replace(xml, "<dati>", "<x><![CDATA["+next+"]]></x><dati>", 1),
		"text":        strings.Replace(xml, "<dati>", next+"<dati>", 1),
		"attribute":   strings.Replace(xml, "<dati>", "<dati x='"+next+"'>", 1),
	} {
		p := s.post(consegna).edit(func(parts []part) []part {
			parts[1] = plain(body)
			return parts
		})
		refused("shared-"+name, "certification data that hold a line like a delimiter, in "+name, "bad-certdata", p)
	}

	twice := forged()
	twice.head = append(twice.head, "Content-Type: text/plain")
	refused("type-twice", "a part with two types", "malformed", s.post(consegna).edit(func(parts []part) []part { return append(parts, twice) }))
	params := forged()
	params.head[0] = `Content-Type: application/octet-stream; name="daticert.xml"; name="altro.xml"`
	refused("name-twice", "a part with two names", "malformed", s.post(consegna).edit(func(parts []part) []part { return append(parts, params) }))

	crowd := make([]part, 20)
	for i := range crowd {
		crowd[i] = part{head: []string{fmt.Sprintf("Content-Type: application/xml; name=\"%d.xml\"", i)}, body: "<x/>\r\n"}
	}
	refused("crowd", "more parts than any provider writes", "malformed", s.post(consegna).edit(func(parts []part) []part { return append(parts, crowd...) }))
	refused("end-alone", "the end written into the original, so that the provider's parts vanish", "malformed", families[2].layOut(s.post(trasporto)).inject(1, true))
	refused("anomaly-extra", "an anomaly with a part more than text and message", "no-certdata", s.post(anomalia).inject(1, false))
	refused("trasporto-errore", "a transport envelope without its data, relabelled as an anomaly", "no-certdata",
		s.post(trasporto).set("X-Trasporto", "errore").edit(func(parts []part) []part { return slices.Delete(parts, 1, 2) }))
	p := s.post(trasporto)
	p.text = part{head: []string{`Content-Type: multipart/alternative; boundary="alt"`}, body: string(mimeBody("alt", p.text.bytes()))}
	s.valid("guess-alternative", "the title in the first of the alternatives, data last", families[2].layOut(p))
	p = s.post(trasporto)
	html := part{head: []string{"Content-Type: text/html"}, body: "<p>Comunicazione</p>\r\n"}
	p.text = part{head: []string{`Content-Type: multipart/alternative; boundary="alt"`}, body: string(mimeBody("alt", html.bytes(), p.text.bytes()))}
	refused("alternative-second", "the title in the second of the alternatives, which may be a guess too", "no-certdata", families[2].layOut(p))
}

// shadows are further postacert documents beside the provider's, under several names and types.
func shadows(s *suite) {
	xml := strings.ReplaceAll(newXML(consegna), "\n", "\r\n")
	_, root, _ := strings.Cut(xml, "\r\n")
	typed := func(contentType string) part {
		return part{head: []string{"Content-Type: " + contentType, "Content-Transfer-Encoding: base64"}, body: base64Lines([]byte(xml))}
	}
	document := func(xml string) part {
		return part{head: []string{"Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64"}, body: base64Lines([]byte(xml))}
	}
	named := func(name string) part {
		return part{head: []string{"Content-Type: application/octet-stream", "Content-Disposition: attachment; " + name}, body: "x\r\n"}
	}
	for name, shadow := range map[string]part{
		"xml":               typed("application/xml"),
		"text-xml":          typed("text/xml; name=altro.xml"),
		"text-plain":        typed("text/plain; charset=utf-8"),
		"octet-stream":      typed("application/octet-stream; name=documento.bin"),
		"image":             typed("image/png; name=logo.png"),
		"multipart":         {head: []string{"Content-Type: multipart/mixed; boundary=none"}, body: xml},
		"untyped":           {head: []string{"X-Empty: 1"}, body: xml},
		"quoted-printable":  {head: []string{"Content-Type: text/html", "Content-Transfer-Encoding: quoted-printable"}, body: "=\r\n" + strings.NewReplacer("=", "=3D", "<", "=3C").Replace(xml)},
		"bom":               document("\ufeff" + xml),
		"blanks":            document(" \t\r\n" + root),
		"comment":           document("<!-- x --><?y?>\n<!-- <x> -->" + root),
		"doctype":           document("<!DOCTYPE postacert SYSTEM \"postacert.dtd\">" + root),
		"latin1":            document(strings.Replace(xml, "UTF-8", "ISO-8859-1", 1)),
		"iso-2022":          document("<?xml version=\"1.0\" encoding=\"iso-2022-jp\"?>\x1b(B<posta\x1b(Bcert" + strings.TrimPrefix(root, "<postacert")),
		"namespace":         document(strings.NewReplacer("<postacert", "<p:postacert xmlns:p=\"urn:p\"", "</postacert", "</p:postacert").Replace(root)),
		"upper-case":        document(strings.ReplaceAll(root, "postacert", "POSTACERT")),
		"broken":            document("<postacert tipo=\"avvenuta-consegna\">"),
		"name-2047":         named("filename=\"=?utf-8?b?ZGF0aWNlcnQueG1s?=\""),
		"name-2231":         named("filename*=utf-8''dati%63ert.xml"),
		"name-pieces":       named("filename*0=dati; filename*1=cert.xml"),
		"name-folder":       named("filename=\"../DatiCert.xml\""),
		"name-drive":        named("filename=\"C:\\\\daticert.xml\""),
		"name-blanks":       named("filename=\" daticert.xml \""),
		"name-dot":          named("filename=\"daticert.xml.\""),
		"name-nul":          named("filename=\"daticert.xml\x00.txt\""),
		"name-content-type": {head: []string{"Content-Type: text/plain; name=daticert.xml", "Content-Disposition: attachment; filename=altro.txt"}, body: "x\r\n"},
	} {
		for _, tipo := range []string{trasporto, accettazione} {
			for at, place := range []string{"first", "second"} {
				if tipo == accettazione && at == 1 {
					continue
				}
				p := s.post(tipo).edit(func(parts []part) []part { return slices.Insert(parts, 1+at, shadow) })
				s.invalid("shadow-"+name+"-"+kindOf(tipo)+"-"+place, "a second document or name of certification data", "no-certdata", p)
			}
		}
		if name != "broken" && !strings.HasPrefix(name, "name-") && name != "multipart" {
			p := s.post(consegna).edit(func(parts []part) []part { parts[1] = shadow; return parts })
			s.tolerated("shadow-"+name+"-alone", "the one document, known by its root", p)
		}
	}
}

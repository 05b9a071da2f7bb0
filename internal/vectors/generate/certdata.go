package main

import (
	"fmt"
	"slices"
	"strings"
)

// certDataPlace are messages whose signed part does not have exactly one daticert.xml among its direct children.
func certDataPlace(s *suite) {
	bad := func(name, comment string, edit func([]part) []part) *scenario {
		p := s.post(consegna)
		p.editParts = edit
		return s.invalid("place-"+name, comment, "no-certdata", p)
	}
	drop := func(parts []part) []part { return slices.Delete(parts, 1, 2) }
	bad("none", "no daticert.xml", drop)
	bad("in-original", "daticert.xml only as an attachment of the user's message", func(parts []part) []part {
		parts[2].body = userAttachment("daticert.xml", "application/xml", base64Lines([]byte(newXML(consegna))))
		return drop(parts)
	})
	bad("in-alternative", "daticert.xml as one of the alternatives of the text", func(parts []part) []part {
		parts[0] = part{head: []string{`Content-Type: multipart/alternative; boundary="alternative"`},
			body: string(mimeBody("alternative", parts[0].bytes(), parts[1].bytes()))}
		return drop(parts)
	})
	bad("twice-differs", "two daticert.xml, a refusal first and a delivery second", func(parts []part) []part {
		return slices.Insert(parts, 1, certPart(newXML(nonAccettaz)))
	})
	bad("twice-case", "a second one is named DATICERT.XML", func(parts []part) []part {
		second := certPart(newXML(nonAccettaz))
		for i := range second.head {
			second.head[i] = strings.ReplaceAll(second.head[i], "daticert.xml", "DATICERT.XML")
		}
		return append(parts, second)
	})

	p := s.post(consegna)
	p.editSigned = swap("multipart/mixed", "multipart/alternative")
	s.invalid("place-multipart-alternative", "the signed part is multipart/alternative", "no-certdata", p)

	p = s.post(consegna)
	p.editSigned = func([]byte) []byte { return certPart(newXML(consegna)).bytes() }
	s.invalid("place-alone", "the signed part is daticert.xml itself", "no-certdata", p)

	s.invalid("place-anomaly-unmarked", "an anomaly without its X-Trasporto is nothing", "no-certdata", s.post(anomalia).del("X-Trasporto"))

	p = s.post(anomalia)
	p.editParts = func(parts []part) []part { return append(parts, parts[1]) }
	s.invalid("place-anomaly-two", "an anomaly with two messages", "no-certdata", p)
}

// certDataContent are files that cannot be read as a daticert.xml (RFC 6109 4.4).
func certDataContent(s *suite) {
	bad := func(name, comment string, edit func(xml string) string) *scenario {
		p := s.post(consegna)
		p.editXML = edit
		return s.invalid("certdata-"+name, comment, "bad-certdata", p)
	}
	bad("truncated", "the second half is missing", func(xml string) string { return xml[:len(xml)/2] })
	bad("other-root", "the root is not postacert", func(xml string) string { return strings.ReplaceAll(xml, "postacert", "ricevuta") })
	bad("two-roots", "a second document after the first", func(xml string) string {
		_, body, _ := strings.Cut(newXML(accettazione), "\n")
		return xml + body
	})
	bad("nested-deep", "elements nested twenty deep", func(xml string) string {
		return mustReplace(xml, "</intestazione>", strings.Repeat("<a>", 20)+strings.Repeat("</a>", 20)+"</intestazione>")
	})
	bad("entity-bomb", "entities that multiply (billion laughs)", func(xml string) string {
		var dtd strings.Builder
		dtd.WriteString("<!DOCTYPE postacert [<!ENTITY e0 \"ha\">")
		for i := range 9 {
			fmt.Fprintf(&dtd, "<!ENTITY e%d \"%s\">", i+1, strings.Repeat(fmt.Sprintf("&e%d;", i), 10))
		}
		return mustReplace(mustReplace(xml, "<postacert", dtd.String()+"]>\n<postacert"), subject, "&e9;")
	})
	bad("external-entity", "an entity that names a local file", func(xml string) string {
		return mustReplace(mustReplace(xml, "<postacert", "<!DOCTYPE postacert [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n<postacert"), subject, "&x;")
	})
	bad("internal-subset", "an internal subset, though nothing uses it", func(xml string) string {
		return mustReplace(xml, "<postacert", "<!DOCTYPE postacert [<!ELEMENT postacert ANY>]>\n<postacert")
	})
	bad("tipo-twice", "the attribute tipo twice in one tag", func(xml string) string {
		return mustReplace(xml, `tipo="avvenuta-consegna"`, `tipo="errore-consegna" tipo="avvenuta-consegna"`)
	})

	p := s.post(consegna)
	p.editParts = func(parts []part) []part { parts[1].body = "PD94!!!!\r\n"; return parts }
	s.invalid("certdata-not-base64", "the transfer encoding says base64, the body is not", "bad-certdata", p)
}

// certDataRules are daticert.xml files that say too little, too much or contradict themselves (RFC 6109 4.4).
func certDataRules(s *suite) {
	lacks := func(tipo, name, old, new string) *scenario {
		p := s.post(tipo).replace(old, new)
		return s.invalid("certdata-no-"+name, kindOf(tipo)+" without "+name, "bad-certdata", p)
	}
	element := func(name, value string) string { return "<" + name + ">" + value + "</" + name + ">" }
	lacks(consegna, "tipo", ` tipo="avvenuta-consegna"`, "")
	lacks(consegna, "mittente", element("mittente", sender), "")
	lacks(consegna, "destinatari", `<destinatari tipo="certificato">`+recipient+"</destinatari>", "")
	lacks(consegna, "gestore", element("gestore-emittente", "Vector PEC S.p.A."), "")
	lacks(consegna, "ora", element("ora", "10:30:00"), "")
	lacks(consegna, "zona", ` zona="+0100"`, "")
	lacks(consegna, "identificativo", element("identificativo", certID), "")
	lacks(consegna, "consegna", element("consegna", recipient), "")
	lacks(erroreConsegna, "consegna-in-failure", element("consegna", recipient), "")
	lacks(presaInCarico, "ricezione", element("ricezione", recipient), "")

	bad := func(tipo, name, comment, old, new string) *scenario {
		return s.invalid("certdata-"+name, comment, "bad-certdata", s.post(tipo).replace(old, new))
	}
	given := element("consegna", recipient)
	bad(consegna, "consegna-blank", "consegna holds only blanks", given, "<consegna>  \n </consegna>")
	bad(consegna, "consegna-twice", "consegna twice, with two addresses", given, given+element("consegna", "vittima@pec.recipient.example"))
	s.invalid("certdata-consegna-in-oggetto", "consegna only inside the subject, where a user's markup would stand", "bad-certdata",
		s.post(consegna).replace(given, "").replace(subject, "Offerta"+given))
	bad(consegna, "msgid-twice", "msgid twice", "<msgid>", "<msgid>&lt;x@evil.example&gt;</msgid><msgid>")
	bad(consegna, "giorno-impossible", "the thirty-first of February", "10/03/2025", "31/02/2025")

	// A notice of success that states an error is not a success.
	for _, tipo := range []string{accettazione, presaInCarico, consegna, trasporto} {
		bad(tipo, "errore-in-"+kindOf(tipo), kindOf(tipo)+" with errore no-dest", `errore="nessuno"`, `errore="no-dest"`)
	}
}

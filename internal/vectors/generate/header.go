package main

import "strings"

// markers are outer header fields that contradict the certification data (RFC 6109 8.1).
func markers(s *suite) {
	bad := func(name, comment string, p *post) *scenario {
		return s.invalid("header-"+name, comment, "header-mismatch", p)
	}
	bad("ricevuta-twice", "X-Ricevuta twice, the same", s.post(consegna).add("X-Ricevuta: avvenuta-consegna"))
	bad("ricevuta-twice-case", "X-Ricevuta twice, once in lower case", s.post(erroreConsegna).add("x-ricevuta: avvenuta-consegna"))
	bad("ricevuta-other", "a refusal relabelled as an acceptance", s.post(nonAccettaz).set("X-Ricevuta", accettazione))
	bad("ricevuta-failure-as-delivery", "a failure relabelled as a delivery", s.post(erroreConsegna).set("X-Ricevuta", consegna))
	bad("ricevuta-delay-as-failure", "a delay relabelled as a failure: one token ends like the other", s.post(preavviso).set("X-Ricevuta", erroreConsegna))
	bad("ricevuta-empty", "X-Ricevuta without a value", s.post(consegna).set("X-Ricevuta", ""))
	bad("ricevuta-nul", "the right value with a NUL after it", s.post(consegna).set("X-Ricevuta", consegna+"\x00"))
	bad("ricevuta-bare-cr", "the right value with a bare CR and another value after it",
		s.post(consegna).set("X-Ricevuta", consegna+"\rX-Ricevuta: "+accettazione))
	bad("ricevuta-on-transport", "an envelope with X-Ricevuta", s.post(trasporto).add("X-Ricevuta: avvenuta-consegna"))
	bad("trasporto-on-receipt", "a receipt with X-Trasporto", s.post(consegna).add("X-Trasporto: posta-certificata"))
	bad("trasporto-twice", "X-Trasporto twice", s.post(trasporto).add("X-Trasporto: posta-certificata"))
	bad("trasporto-errore", "a transport envelope relabelled as an anomaly", s.post(trasporto).set("X-Trasporto", "errore"))

	reference := "X-Riferimento-Message-ID"
	bad("reference-twice", "X-Riferimento-Message-ID twice, the same", s.post(consegna).add(reference+": <"+messageID+">"))
	bad("reference-other", "a genuine receipt made to refer to another message", s.post(consegna).set(reference, "<other@client.sender.example>"))
	bad("reference-empty", "X-Riferimento-Message-ID without a value", s.post(consegna).set(reference, ""))
	p := s.post(consegna)
	p.data.msgid = ""
	bad("reference-without-msgid", "a reference although the certification data have no msgid", p)

	p = s.post("ricevuta-futura").set("X-Ricevuta", consegna)
	bad("unknown-as-delivery", "a tipo that nobody knows relabelled as a delivery", p)
}

// tolerantHeader are headers of real messages that the rules do not provide for.
func tolerantHeader(s *suite) {
	s.tolerated("header-no-ricevuta", "no X-Ricevuta: the kind is the XML's", s.post(consegna).del("X-Ricevuta"), "header-absent")
	s.tolerated("header-no-trasporto", "no X-Trasporto: the kind is the XML's", s.post(trasporto).del("X-Trasporto"), "header-absent")
	s.tolerated("header-no-reference", "no X-Riferimento-Message-ID", s.post(consegna).del("X-Riferimento-Message-ID"), "header-absent")

	p := s.post(trasporto).add("X-Tiporicevuta: completa")
	for i, line := range p.head {
		name, value, _ := strings.Cut(line, ":")
		p.head[i] = strings.ToLower(name) + ":" + value
	}
	for i, line := range p.mime {
		name, value, _ := strings.Cut(line, ":")
		p.mime[i] = strings.ToUpper(name) + ":" + value
	}
	s.tolerated("header-name-case", "field names in other cases", p)

	s.tolerated("header-ricevuta-case", "X-Ricevuta in upper case with blanks round it",
		s.post(consegna).set("X-Ricevuta", "  AVVENUTA-CONSEGNA \t"))

	long := strings.Repeat("0123456789abcdef", 5) + "@client.sender.example"
	p = s.post(consegna)
	p.data.msgid = long
	p.set("X-Riferimento-Message-ID", "\r\n\t<"+long+">")
	s.tolerated("header-reference-folded", "a long identifier folded onto the next line", p)

	p = s.post(consegna)
	p.replace("&lt;"+messageID+"&gt;", "\n            &lt;"+messageID+"&gt;\n        ")
	p.set("X-Riferimento-Message-ID", "<"+messageID+"> ")
	s.tolerated("header-reference-blanks", "line ends and blanks round the identifier on either side", p)

	p = s.post(consegna)
	p.data.withoutBrackets = true
	s.tolerated("header-reference-brackets", "brackets in the header, none in the XML", p)

	s.tolerated("header-reference-case", "the header's identifier in another case",
		s.post(consegna).set("X-Riferimento-Message-ID", "<"+strings.ToUpper(messageID)+">"))

	s.tolerated("header-unrelated", "fields of engines and filters that mean nothing here",
		s.post(consegna).add("X-Namirial-Details: x").add("X-CrmlId: 1").add("DKIM-Signature: v=1; a=rsa-sha256; d=evil.example; b=AAAA").
			add("X-Ricevuta-Originale: accettazione").add("Received: from a by b; Mon, 10 Mar 2025 10:30:01 +0100"))
}

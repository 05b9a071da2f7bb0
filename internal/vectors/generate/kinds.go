package main

import (
	"crypto"
	"strings"
	"time"
)

// kinds are the eight notices and two envelopes as the rules require them (RFC 6109 3).
func kinds(s *suite) {
	s.valid("acceptance", "acceptance for one certified and one ordinary recipient", s.post(accettazione))

	s.valid("non-acceptance", "formal refusal at submission", s.post(nonAccettaz))

	p := s.post(nonAccettaz).add("X-VerificaSicurezza: errore")
	p.data.errore, p.data.esteso = "virus", "EICAR-Test-File"
	s.valid("non-acceptance-virus", "refusal at submission for a virus", p)

	p = s.post(presaInCarico)
	p.data.destinatari = append(p.data.destinatari, [2]string{"protocollo@pec.recipient.example", "certificato"})
	p.data.ricezione = []string{recipient, "protocollo@pec.recipient.example"}
	s.valid("take-in-charge", "take-in-charge for two recipients of one provider", p)

	s.valid("delivery-full", "complete delivery receipt with the original message", s.post(consegna))

	p = s.post(consegna)
	p.data.ricevuta = "breve"
	p.original = briefOriginal
	s.valid("delivery-brief", "brief delivery receipt: the attachment is replaced by its SHA-1", p).want("content", "brief")

	p = s.post(consegna)
	p.data.ricevuta, p.original = "sintetica", ""
	s.valid("delivery-concise", "concise delivery receipt: no original message", p)

	p = s.post(consegna)
	p.original = ""
	s.valid("delivery-concise-full-requested", "recipient in Cc: ricevuta repeats the request, the receipt is concise all the same", p)

	s.valid("non-delivery", "unknown mailbox, errore no-dest with code 5.1.1", s.post(erroreConsegna))

	p = s.post(erroreConsegna)
	p.data.errore = "altro"
	s.valid("non-delivery-altro", "unknown mailbox told by the code alone, errore says altro", p)

	p = s.post(erroreConsegna)
	p.data.errore, p.data.esteso = "altro", "errore 5.2.2 - Vector PEC S.p.A. - casella piena"
	s.valid("non-delivery-full", "mailbox full: the code is not the first word", p)

	p = s.post(erroreConsegna)
	p.data.errore, p.data.esteso = "no-dominio", "dominio inesistente"
	s.valid("non-delivery-domain", "no such domain, no code", p)

	p = s.post(erroreConsegna).add("X-VerificaSicurezza: errore")
	p.data.errore, p.data.esteso = "virus", "5.5.1, Vector PEC S.p.A., presenza di un virus nel messaggio"
	s.valid("non-delivery-virus", "not delivered for a virus", p)

	s.valid("delivery-delay", "notice after twelve hours, no code", s.post(preavviso))

	p = s.post(preavviso)
	p.data.esteso = "5.4.1 - Vector PEC S.p.A. - il messaggio non e' stato consegnato nelle ventiquattro ore successive"
	s.valid("delivery-delay-final", "notice after twenty-four hours", p)

	s.valid("virus-detection", "virus found at the recipient's provider", s.post(virus).add("X-Mittente: "+sender))

	s.valid("transport", "transport envelope", s.post(trasporto).add("X-TipoRicevuta: completa"))

	s.valid("anomaly", "anomaly envelope around ordinary mail", s.post(anomalia))

	p = s.post(anomalia)
	p.original = string(s.enclosed().message())
	s.valid("anomaly-wraps-receipt", "a genuine delivery receipt inside an anomaly does not make the anomaly one", p)

	p = s.post("ricevuta-futura")
	s.valid("unknown-kind", "a tipo that nobody knows, repeated by X-Ricevuta: verified, and never a success", p)

	p = s.post(accettazione)
	p.data.giorno, p.data.zona = "10/06/2025", "+0200"
	p.data.ora = "00:15:00"
	p.sig.time = time.Date(2025, 6, 9, 22, 15, 0, 0, time.UTC)
	s.valid("acceptance-summer-time", "summer time: the instant falls on the day before in UTC", p).at(reference.AddDate(0, 1, 0))
}

// briefOriginal has the hash of its attachment in place of the attachment (RFC 6109 3.3.2.2).
var briefOriginal = strings.Replace(original,
	"Content-Type: text/plain; charset=us-ascii\r\n", "Content-Type: multipart/mixed; boundary=\"user\"\r\n", 1) +
	"--user\r\nContent-Type: text/plain\r\n\r\nSi trasmette l'offerta.\r\n" +
	"--user\r\nContent-Type: text/plain; name=\"offerta.pdf.hash\"\r\n" +
	"Content-Disposition: attachment; filename=\"offerta.pdf.hash\"\r\n\r\n" +
	"2fd4e1c67a2d28fced849ee1bb76e7391b93eb12\r\n--user--\r\n"

// algorithms are the signature schemes that verify without a warning.
func algorithms(s *suite) {
	for name, hash := range map[string]crypto.Hash{"sha384": crypto.SHA384, "sha512": crypto.SHA512} {
		p := s.post(accettazione)
		p.sig.hash = hash
		s.valid("cms-"+name, "RSA PKCS #1 v1.5 with "+hash.String(), p)

	}
	p := s.post(accettazione)
	p.sig.pss = true
	s.valid("cms-pss-sha256", "RSASSA-PSS with SHA-256", p)

	p = s.post(accettazione)
	p.sig.hash, p.sig.pss = crypto.SHA512, true
	s.valid("cms-pss-sha512", "RSASSA-PSS with SHA-512", p)

	p = s.post(accettazione)
	p.sig.signer = s.issueFor(s.p256, nil)
	s.valid("cms-ecdsa-p256", "ECDSA on P-256", p)

	p = s.post(accettazione)
	p.sig.signer, p.sig.hash = s.issueFor(s.p384, nil), crypto.SHA384
	s.valid("cms-ecdsa-p384", "ECDSA on P-384 with SHA-384", p)

	p = s.post(accettazione)
	p.sig.signatureAlg = algorithm(oidRSASHA256, null())
	s.valid("cms-sha256-with-rsa", "the signature algorithm names its hash", p)

	p = s.post(accettazione)
	p.sig.digestAlg = algorithm(digestOID(crypto.SHA256))
	s.valid("cms-digest-without-null", "digest algorithm without parameters (RFC 5754 2)", p)

	p = s.post(accettazione)
	p.sig.hash = crypto.SHA1
	s.tolerated("cms-sha1", "message digest SHA-1, as most genuine messages until 2024", p, "sha1-digest")

	p = s.post(accettazione)
	p.sig.byKeyID = true
	s.valid("cms-key-identifier", "signer named by subjectKeyIdentifier", p)

	p = s.post(accettazione)
	p.sig.certificates = [][]byte{s.ca.der(), selfSigned(leafTemplateNumber(9), s.foreign).der(), s.leaf.der()}
	s.valid("cms-extra-certificates", "the signer's certificate comes after the CA's and a stranger's", p)

	p = s.post(accettazione)
	p.sig.attributes = func(list []attribute) []attribute {
		return append(list,
			attribute{id: oidCapabilities, values: [][]byte{tlv(tagSequence, algorithm(oid(1, 2, 840, 113549, 3, 7)))}},
			attribute{id: oidPrivate, values: [][]byte{smallInteger(1), smallInteger(2)}})
	}
	s.valid("cms-further-attributes", "signed attributes beyond the required, one with two values", p)

	p = s.post(accettazione)
	p.sig.unsignedAttrs = attribute{id: oidPrivate, values: [][]byte{nested(40)}}.encode()
	s.valid("cms-unsigned-attribute", "an unsigned attribute, 40 levels deep, has no say", p)
}

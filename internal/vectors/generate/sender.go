package main

import "crypto/x509"

// fromAddress are messages whose From is not the one address of the leaf (RFC 6109 2.1).
func fromAddress(s *suite) {
	bad := func(name, comment, from string) *scenario {
		return s.invalid("from-"+name, comment, "address-mismatch", s.post(consegna).set("From", from))
	}
	s.invalid("from-absent", "no From", "address-mismatch", s.post(consegna).del("From"))
	s.invalid("from-twice", "two From fields, the first right", "address-mismatch",
		s.post(consegna).add("From: attacker@evil.example"))
	bad("two-addresses", "two addresses, the right one first", address+", attacker@evil.example")
	bad("group", "a group that holds the right address", "Gestori: "+address+";")
	bad("unparsable", "angle brackets that do not close", "Posta Certificata <"+address)
	bad("other-domain", "the same local part at another provider", "posta-certificata@pec.other.example")
	bad("host-suffix", "a host that begins like the right one", address+".evil.example")
	bad("display-name", "the right address as the display name of another", "\""+address+"\" <attacker@evil.example>")
	bad("encoded-word", "the right address as an encoded word before another", "=?utf-8?q?posta-certificata=40pec.vector.example?= <attacker@evil.example>")
	bad("nul", "a NUL after the right address", address+"\x00@evil.example")
	bad("bare-cr", "a bare CR after the right address", address+"\r <attacker@evil.example>")
	s.invalid("from-sender-right", "Sender is right, From is not", "address-mismatch",
		s.post(consegna).set("From", "attacker@evil.example").add("Sender: "+address))

	p := s.post(consegna)
	p.sig.signer = s.issue(func(t *x509.Certificate) { t.EmailAddresses = []string{address + "\x00.evil.example"} })
	s.invalid("from-nul-in-certificate", "the certificate's address goes on after a NUL", "address-mismatch", p)

	s.tolerated("from-name", "a display name before the address, as InfoCert writes",
		s.post(consegna).set("From", "Posta Certificata Legalmail <"+address+">"))
	s.tolerated("from-folded", "From folded before the address",
		s.post(consegna).set("From", "\"Per conto di: "+sender+"\"\r\n <"+address+">"))
	s.tolerated("from-name-with-comma", "a quoted display name with a comma and an at sign",
		s.post(trasporto).set("From", "\"Per conto di: Rossi, Mario @ Studio\" <"+address+">"))
	s.tolerated("from-host-case", "the host in upper case: hosts have no case",
		s.post(consegna).set("From", "posta-certificata@PEC.Vector.Example")).
		want("from", "posta-certificata@PEC.Vector.Example")
	s.tolerated("from-sender", "a Sender field equal to From, as RFC 6109 2.1 wants and nobody writes",
		s.post(consegna).add("Sender: "+address))
}

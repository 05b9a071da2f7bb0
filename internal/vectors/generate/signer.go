package main

import "encoding/asn1"

// signers are messages with no signer or several, or without the signer's certificate.
func signers(s *suite) {
	p := s.post(consegna)
	p.sig.withoutSigner = true
	s.invalid("signers-none", "a SignedData with certificates and no signer: a loop over its signers finds no error", "signer-count", p)

	p = s.post(consegna)
	p.sig.others = []*signature{{signer: s.leaf, time: signedAt.AddDate(0, 0, 1)}}
	s.invalid("signers-two", "two right signatures of the same provider", "signer-count", p).
		ssl("ok", "both signatures are right; which of the two counts is not defined, so we take none")

	stranger := selfSigned(leafTemplateNumber(77), s.foreign)
	p = s.post(consegna)
	p.sig.others = []*signature{{signer: stranger, time: signedAt}}
	p.sig.certificates = [][]byte{s.leaf.der(), stranger.der()}
	s.invalid("signers-stranger-second", "a stranger's signature beside the provider's", "signer-count", p)

	p = s.post(consegna)
	genuine := p.sig
	p.sig = &signature{signer: stranger, time: signedAt, others: []*signature{genuine}}
	p.sig.certificates = [][]byte{s.leaf.der(), stranger.der()}
	s.invalid("signers-stranger-first", "a stranger's signature before the provider's", "signer-count", p)

	p = s.post(consegna)
	p.sig.certificates = [][]byte{s.ca.der()}
	s.invalid("certificate-ca-only", "only the CA's certificate is in the message", "no-signer-certificate", p)

	p = s.post(consegna)
	p.sig.withoutCerts = true
	s.invalid("certificate-none", "the signer's certificate is not in the message", "no-signer-certificate", p)

	p = s.post(consegna)
	p.sig.sid = tlv(tagSequence, s.leaf.certificate.RawIssuer, smallInteger(7))
	s.invalid("certificate-other-serial", "the signer is named by a serial number that no certificate has", "no-signer-certificate", p)

	p = s.post(consegna)
	p.sig.sid = tlv(tagSequence, s.leaf.certificate.RawSubject, must(asn1.Marshal(s.leaf.certificate.SerialNumber)))
	s.invalid("certificate-other-issuer", "the serial number fits, the issuer does not", "no-signer-certificate", p)

	p = s.post(consegna)
	p.sig.sid = tlv(0x80, make([]byte, 20))
	s.invalid("certificate-other-key-id", "the signer is named by a key identifier that no certificate has", "no-signer-certificate", p)

}

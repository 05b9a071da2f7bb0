package main

import (
	"bytes"
	"crypto"
	"slices"
)

// encodings are CMS objects that are not in DER, or are not CMS signatures.
func encodings(s *suite) {
	ber := func(name, comment string, edit func(*signature)) *scenario {
		p := s.post(accettazione)
		edit(p.sig)
		return s.tolerated("ber-"+name, comment, p, "ber")
	}
	ber("outer", "indefinite length down to encapContentInfo, as current engines write", func(c *signature) { c.berOuter = true })
	ber("inner", "indefinite length in certificates, signerInfos and SignerInfo", func(c *signature) { c.berInner = true })
	ber("everywhere", "indefinite length everywhere outside the certificate and the attributes' values", func(c *signature) {
		c.berOuter, c.berInner, c.berAttributes, c.berSignature = true, true, true, true
	})
	ber("attributes", "signed attributes of indefinite length: what is signed is their DER form (RFC 5652 5.4)", func(c *signature) {
		c.berAttributes = true
	})
	ber("long-length", "a length in more octets than needed", func(c *signature) { c.nonMinimalLength = true })

	p := s.post(accettazione)
	p.sig.asTransmitted = true
	s.tolerated("attributes-unsorted", "signed attributes out of DER order, signed as they are transmitted", p)

	p = s.post(accettazione)
	p.sig.sortedThenMixed = true
	s.tolerated("attributes-sorted-when-signed", "signed attributes signed in DER order, transmitted in another", p).
		ssl("fail", "OpenSSL verifies the attributes in the order received only; the signer signed their DER form, as RFC 5652 5.4 tells it to")

	bad := func(name, comment string, edit func(der []byte) []byte) *scenario {
		p := s.post(consegna)
		p.editCMS = edit
		return s.invalid("cms-"+name, comment, "bad-cms", p).ssl("unreadable", "")
	}
	bad("empty", "the signature part is empty", func([]byte) []byte { return nil })
	bad("truncated", "the last 40 octets are missing", func(der []byte) []byte { return der[:len(der)-40] })
	bad("length-beyond-end", "a length of nearly four GiB", func(der []byte) []byte {
		return slices.Concat([]byte{tagSequence, 0x84, 0xff, 0xff, 0xff, 0xf0}, der[4:])
	})
	bad("unterminated", "indefinite length without its end", func(der []byte) []byte {
		return slices.Concat([]byte{tagSequence, 0x80}, der[4:])
	})
	bad("trailing-bytes", "octets after the object", func(der []byte) []byte { return append(der, 0x05, 0x00) }).
		ssl("ok", "OpenSSL reads the first object of the stream and leaves the rest unread")

	p = s.post(consegna)
	p.p7s.body = "!!!! this is not base64 !!!!\r\n"
	s.invalid("cms-not-base64", "the transfer encoding says base64, the body is not", "bad-cms", p).ssl("unreadable", "")

	p = s.post(consegna)
	p.editCMS = func([]byte) []byte { return slices.Repeat([]byte{tagSequence, 0x80}, 10000) }
	s.invalid("cms-depth-bomb", "ten thousand sequences opened inside each other", "too-large", p).ssl("unreadable", "")

	p = s.post(consegna)
	p.sig.unsignedAttrs = attribute{id: oidPrivate, values: [][]byte{nested(100)}}.encode()
	s.invalid("cms-too-deep", "a hundred levels in an unsigned attribute of an otherwise right signature", "too-large", p).
		ssl("ok", "a limit of ours: nothing genuine comes near it")

	p = s.post(consegna)
	p.sig.contentType = oidData
	s.invalid("cms-not-signed-data", "ContentInfo of type data", "bad-cms", p).ssl("unreadable", "")

	p = s.post(consegna)
	forged := []byte("Content-Type: text/plain\r\n\r\nConsegnato.\r\n")
	p.sig.encapsulated = forged
	s.invalid("cms-encapsulated-differs", "the detached signature carries other content of its own", "bad-cms", p).
		ssl("ok", "OpenSSL takes the part beside the object for the content and ignores what is inside")

	// The signature is right for the content inside the object, and does not cover the signed part.
	p = s.post(consegna)
	inside := p.signedPart()
	p.sig.encapsulated = inside
	p.tamper = swap("Content-Disposition: inline", "Content-Disposition: inline; x=y")
	s.invalid("cms-encapsulated-signed", "signed content inside the object, another message beside it", "bad-cms", p)

	p = s.post(consegna)
	p.sig.encapsulated = p.signedPart()
	s.invalid("cms-encapsulated-same", "a detached signature that also carries its content, unchanged", "bad-cms", p).
		ssl("ok", "the content is what was signed; we refuse two places for one thing")
}

// signedPart returns the signed part as it will be rendered.
func (p *post) signedPart() []byte {
	copied, cms := *p, *p.sig
	copied.sig = &cms
	var signed []byte
	copied.tamper = func(b []byte) []byte { signed = b; return b }
	copied.message()
	return signed
}

// attributes are the ways in which signed attributes can be missing or ambiguous (RFC 5652 5.3, 11.1 to 11.3).
func attributes(s *suite) {
	bad := func(name, comment string, edit func([]attribute) []attribute) *scenario {
		p := s.post(consegna)
		p.sig.attributes = edit
		return s.invalid("attributes-"+name, comment, "attributes", p)
	}
	p := s.post(consegna)
	p.sig.noAttributes = true
	s.invalid("attributes-none", "no signed attributes: the signature is over the content itself", "attributes", p).
		ssl("ok", "RFC 5652 5.3 allows their absence for type data; we do not")

	// Without attributes, octets that were signed as attributes elsewhere can be presented as content. Here the same
	// octets are the content, and the signature is right.
	p = s.post(consegna)
	p.sig.noAttributes = true
	p.editSigned = func(signed []byte) []byte {
		sum := p.sig.digest(signed)
		for bytes.ContainsAny(sum, "\r\n") { // OpenSSL would turn either into CRLF
			sum = p.sig.digest(sum)
		}
		return tlv(tagSet,
			attribute{id: oidContentType, values: [][]byte{oidData}}.encode(),
			attribute{id: oidMessageDigest, values: [][]byte{tlv(tagOctets, sum)}}.encode())
	}
	s.invalid("attributes-as-content", "the signed octets are the DER form of a set of attributes", "attributes", p).
		ssl("ok", "the signature is right for these octets; the absence of attributes is what allows the confusion")

	bad("no-content-type", "contentType is missing", without(oidContentType))
	bad("no-message-digest", "messageDigest is missing", without(oidMessageDigest))
	bad("content-type-twice", "contentType occurs twice", twice(oidContentType))
	bad("message-digest-twice", "messageDigest occurs twice, the second with another value", func(list []attribute) []attribute {
		return append(list, attribute{id: oidMessageDigest, values: [][]byte{tlv(tagOctets, make([]byte, 32))}})
	})
	bad("message-digest-values", "messageDigest has two values", withValues(oidMessageDigest, func(v [][]byte) [][]byte {
		return append(v, tlv(tagOctets, make([]byte, 32)))
	}))
	bad("content-type-other", "contentType differs from the type of the content", withValues(oidContentType, func([][]byte) [][]byte {
		return [][]byte{oidSignedData}
	})).ssl("ok", "OpenSSL asks for the attribute and does not compare it (RFC 5652 11.1)")
	bad("signing-time-twice", "signingTime occurs twice with different values", func(list []attribute) []attribute {
		return append(list, attribute{id: oidSigningTime, values: [][]byte{utcTime(signedAt.AddDate(1, 0, 0))}})
	})
	bad("signing-time-malformed", "signingTime in the thirteenth month", withValues(oidSigningTime, func([][]byte) [][]byte {
		return [][]byte{tlv(0x17, []byte("251310093000Z"))}
	})).ssl("ok", "OpenSSL does not read signingTime")
}

// weakness are the algorithms that are not accepted.
func weakness(s *suite) {
	weak := func(name, comment string, edit func(*signature)) *scenario {
		p := s.post(consegna)
		edit(p.sig)
		return s.invalid("weak-"+name, comment, "weak-algorithm", p)
	}
	weak("md5", "message digest MD5", func(c *signature) { c.hash = crypto.MD5 }).
		ssl("ok", "OpenSSL's default provider still verifies MD5")
	weak("digest-unknown", "a digest algorithm that does not exist", func(c *signature) { c.digestAlg = algorithm(oidPrivate, null()) })
	weak("signature-unknown", "a signature algorithm that does not exist", func(c *signature) { c.signatureAlg = algorithm(oidPrivate, null()) })
	weak("hash-disagrees", "digest SHA-256, signature algorithm sha1WithRSAEncryption", func(c *signature) {
		c.signatureAlg = algorithm(oidRSASHA1, null())
	}).ssl("ok", "OpenSSL takes the hash from the digest algorithm alone")
	weak("hash-disagrees-pss", "digest SHA-256, PSS parameters for SHA-512", func(c *signature) {
		c.signatureAlg = pssAlgorithm(crypto.SHA512)
	})
	weak("hash-disagrees-ecdsa", "digest SHA-256, signature algorithm ecdsa-with-SHA384", func(c *signature) {
		c.signer, c.signatureAlg = s.issueFor(s.p256, nil), algorithm(oidECDSASHA384)
	}).ssl("ok", "OpenSSL takes the hash from the digest algorithm alone")
	weak("rsa-512", "RSA key of 512 bits", func(c *signature) { c.signer = s.issueFor(rsaKey(512), nil) }).
		ssl("ok", "OpenSSL verifies at security level 0 here")
	weak("rsa-8208", "RSA key of 8208 bits: verification is slow enough to be an attack", func(c *signature) {
		c.signer = s.issueFor(rsaKey(8208), nil)
	}).ssl("ok", "a limit of ours; OpenSSL's is 16384 bits")
	weak("ed25519", "Ed25519, which is not in the list of accepted schemes", func(c *signature) {
		c.signer, c.hash = s.issueFor(edKey(), nil), crypto.SHA512
	})
}

// tampering are changes that were made after signing.
func tampering(s *suite) {
	digest := func(name, comment string, tamper func([]byte) []byte) *scenario {
		p := s.post(consegna)
		p.tamper = tamper
		return s.invalid("digest-"+name, comment, "digest-mismatch", p)
	}
	digest("text-changed", "one word of the readable text was changed", swap("stato trattato", "stato consegnato"))
	forged := newCertData(consegna)
	forged.consegna = "vittima@pec.recipient.example"
	digest("certdata-replaced", "daticert.xml was exchanged for one about another recipient", func(signed []byte) []byte {
		genuine := newCertData(consegna)
		return swap(base64Lines([]byte(genuine.xml())), base64Lines([]byte(forged.xml())))(signed)
	})
	digest("part-appended", "a part was appended inside the signed multipart", func(signed []byte) []byte {
		end := "\r\n--" + s.post(consegna).inner + "--\r\n"
		return swap(end, "\r\n--"+s.post(consegna).inner+"\r\n"+string(certPart(forged.xml()).bytes())+end)(signed)
	})

	p := s.post(consegna)
	p.text.body = "Il messaggio  \r\n=E8 stato consegnato.\r\n"
	p.tamper = swap("messaggio  \r\n", "messaggio\r\n")
	s.invalid("digest-blanks-stripped", "trailing blanks were lost in storage", "digest-mismatch", p)

	p = s.post(consegna)
	p.sig.attributes = withValues(oidMessageDigest, func(v [][]byte) [][]byte {
		return [][]byte{tlv(tagOctets, v[0][2:18])}
	})
	s.invalid("digest-short", "messageDigest holds only the first half of the digest", "digest-mismatch", p)

	broken := func(name, comment string, edit func(*signature)) *scenario {
		p := s.post(consegna)
		edit(p.sig)
		return s.invalid("signature-"+name, comment, "bad-signature", p)
	}
	broken("flipped", "one bit of the signature value was changed", func(c *signature) {
		c.signatureValue = func(v []byte) []byte { v[20] ^= 1; return v }
	})
	broken("zero", "an ECDSA signature of two zeros", func(c *signature) {
		c.signer = s.issueFor(s.p256, nil)
		c.signatureValue = func([]byte) []byte { return tlv(tagSequence, smallInteger(0), smallInteger(0)) }
	})
	broken("other-key", "made with a key that is not the certificate's", func(c *signature) {
		c.signer = &identity{certificate: s.leaf.certificate, key: s.foreign}
	})
	broken("pss-as-pkcs1", "a PSS signature presented as PKCS #1 v1.5", func(c *signature) {
		c.pss, c.signatureAlg = true, algorithm(oidRSA, null())
	})
	broken("time-changed", "signingTime was changed afterwards", func(c *signature) {
		c.afterSigning = func(b []byte) []byte { return bytes.Replace(b, []byte("250310"), []byte("250311"), 1) }
	})

	// The signature of one receipt on the content of another. Both are genuine.
	other := s.post(nonAccettaz)
	p = s.post(accettazione)
	p.editCMS = func([]byte) []byte { return other.sig.sign(other.signedPart()) }
	s.invalid("digest-transplanted", "the signature of a refusal under an acceptance", "digest-mismatch", p)
}

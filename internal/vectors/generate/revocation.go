package main

import (
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"time"
)

// revocation are messages that are verified with a revocation list (RFC 5280 5), and lists that say nothing about their
// signers.
func revocation(s *suite) {
	leaf := s.leaf.certificate.SerialNumber
	list := func(issuer *identity, issued time.Time, serial *big.Int, revoked time.Time) []byte {
		template := &x509.RevocationList{
			Number: big.NewInt(1), ThisUpdate: issued, NextUpdate: issued.AddDate(0, 0, 1),
			RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: serial, RevocationTime: revoked}},
		}
		return must(x509.CreateRevocationList(rand.Reader, template, issuer.certificate, issuer.key))
	}
	const notGiven = "OpenSSL is not given the list"
	other, later := big.NewInt(4711), signedAt.AddDate(0, 0, 7)

	s.invalid("revoked-before", "revoked an hour before signing", "revoked", s.post(consegna)).
		ssl("ok", notGiven).crl = list(s.ca, later, leaf, signedAt.Add(-time.Hour))
	s.invalid("revoked-at", "revoked at the second of signing", "revoked", s.post(consegna)).
		ssl("ok", notGiven).crl = list(s.ca, later, leaf, signedAt)
	s.invalid("revoked-before-old-list", "revoked before signing, by a list issued before signing", "revoked", s.post(consegna)).
		ssl("ok", notGiven).crl = list(s.ca, signedAt.Add(-time.Hour), leaf, signedAt.Add(-2*time.Hour))

	s.valid("crl-good", "a list issued after signing does not name the certificate", s.post(consegna)).
		crl = list(s.ca, later, other, signedAt)
	s.tolerated("revoked-after", "revoked a day after signing", s.post(consegna), "revoked-later").
		crl = list(s.ca, later, leaf, signedAt.AddDate(0, 0, 1))
	s.tolerated("crl-before-signing", "a list issued before signing says nothing of what came after it", s.post(consegna), "revocation-unknown").
		crl = list(s.ca, signedAt.Add(-time.Hour), other, signedAt.Add(-2*time.Hour))
	s.tolerated("crl-after-expiry", "a list issued after the certificate expired no longer names it", s.post(consegna), "revocation-unknown", "expired-now").
		at(date(2027, 3, 1)).crl = list(s.ca, date(2027, 2, 1), other, signedAt)

	foreign := selfSigned(caTemplate("Vector CA"), s.foreign)
	s.tolerated("crl-same-name", "a list that names the certificate, by another CA of the same name", s.post(consegna), "revocation-unknown").
		crl = list(foreign, later, leaf, signedAt.Add(-time.Hour))
	elsewhere := selfSigned(caTemplate("Other CA"), s.foreign)
	s.tolerated("crl-other-issuer", "a list of another CA that names the same serial number", s.post(consegna), "revocation-unknown").
		crl = list(elsewhere, later, leaf, signedAt.Add(-time.Hour))
}

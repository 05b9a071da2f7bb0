package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"time"
)

// trust are signers whose certificates the anchor did not issue itself (RFC 6109 5.5).
func trust(s *suite) {
	by := func(name, comment string, signer *identity, certificates ...[]byte) *scenario {
		p := s.post(consegna)
		p.sig.signer, p.sig.certificates = signer, append([][]byte{signer.der()}, certificates...)
		return s.invalid("trust-"+name, comment, "untrusted", p)
	}
	foreign := selfSigned(caTemplate("Vector CA"), s.foreign)
	by("same-name", "another CA of the same name, with its certificate in the message",
		certify(foreign, leafTemplateNumber(1), s.leafKey), foreign.der())

	other := selfSigned(caTemplate("Other CA"), s.foreign)

	by("self-signed", "a self-signed certificate with the provider's name and address", selfSigned(leafTemplateNumber(3), s.foreign))

	sub := s.issueFor(s.foreign, func(t *x509.Certificate) {
		*t = *caTemplate("Vector Sub CA")
		t.SerialNumber = big.NewInt(20)
	})
	by("sub-ca", "a certificate of a CA below the anchor, with the chain in the message",
		certify(sub, leafTemplateNumber(4), s.leafKey), sub.der()).
		ssl("ok", "OpenSSL builds a path; the provider's certificate must be issued by the anchor itself")

	by("leaf-as-issuer", "a certificate issued with a provider's leaf key",
		certify(s.leaf, leafTemplateNumber(5), s.foreign), s.leaf.der())

	// It also repeats the anchor's key identifier, and the genuine CA certificate lies beside it.
	impostor := *foreign.certificate
	impostor.SubjectKeyId = s.ca.certificate.SubjectKeyId
	by("issuer-claimed", "the anchor's name and key identifier as the issuer's, the signature by another key",
		certify(&identity{certificate: &impostor, key: s.foreign}, leafTemplateNumber(6), s.leafKey), s.ca.der())

	// The attacker certifies the anchor's public key under another name, and makes a certificate "issued" under that
	// name. The key must not become an anchor by itself.
	renamed := caTemplate("Renamed CA")
	renamed.SerialNumber = big.NewInt(21)
	wrapped := certify(other, renamed, s.ca.key)
	by("renamed-anchor", "the anchor's key wrapped in a CA certificate of another name, which issues the leaf",
		certify(wrapped, leafTemplateNumber(7), s.leafKey), wrapped.der())

	p := s.post(consegna)
	narrowed := caTemplate("Vector CA")
	narrowed.SerialNumber, narrowed.NotAfter = big.NewInt(22), date(2021, 1, 1)
	narrowed.PermittedEmailAddresses = []string{"pec.elsewhere.example"}
	embedded := certify(other, narrowed, s.ca.key)
	p.sig.certificates = [][]byte{s.leaf.der(), embedded.der()}
	s.valid("trust-embedded-ca-ignored", "the anchor's key wrapped in a certificate with other dates and constraints is not consulted", p)

	p = s.post(consegna)
	copied := *s.leaf.certificate
	copied.Raw = slices.Clone(copied.Raw)
	copied.Raw[len(copied.Raw)-5] ^= 1
	p.sig.signer = &identity{certificate: &copied, key: s.leafKey}
	s.invalid("trust-certificate-altered", "one bit of the certificate's signature was changed", "untrusted", p)
}

// usage are certificates that the anchor issued for other uses than a provider's service (RFC 6109 5.5.1, 5.5.2).
func usage(s *suite) {
	bad := func(name, comment string, edit func(*x509.Certificate)) *scenario {
		p := s.post(consegna)
		p.sig.signer = s.issue(edit)
		return s.invalid("usage-"+name, comment, "wrong-usage", p).
			ssl("ok", "-purpose any looks at neither usage nor names")
	}
	bad("ca-as-signer", "a CA certificate issued by the anchor, right in all else, signs by itself", func(t *x509.Certificate) {
		t.IsCA, t.BasicConstraintsValid = true, true
		t.KeyUsage |= x509.KeyUsageCertSign
	})
	bad("no-digital-signature", "key usage keyEncipherment only", func(t *x509.Certificate) { t.KeyUsage = x509.KeyUsageKeyEncipherment })
	bad("no-key-usage", "no key usage extension", func(t *x509.Certificate) { t.KeyUsage = 0 })
	bad("server-auth", "extended key usage serverAuth", func(t *x509.Certificate) {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	bad("any", "extended key usage anyExtendedKeyUsage", func(t *x509.Certificate) {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	})
	bad("two-addresses", "two addresses, the provider's first", func(t *x509.Certificate) {
		t.EmailAddresses = append(t.EmailAddresses, "posta-certificata@pec.other.example")
	})
	bad("no-address", "no subjectAltName", func(t *x509.Certificate) { t.EmailAddresses = nil })
	bad("local-part-prefix", "an address that ends like the service's", func(t *x509.Certificate) {
		t.EmailAddresses = []string{"x-" + address}
	})
	bad("critical-extension", "a critical extension that nobody knows", func(t *x509.Certificate) {
		t.ExtraExtensions = []pkix.Extension{{Id: []int{1, 3, 6, 1, 4, 1, 99999, 7}, Critical: true, Value: null()}}
	}).ssl("fail", "")

	const person = "mario.rossi@pec.vector.example"
	p := s.post(consegna).set("From", person)
	p.sig.signer = s.issue(func(t *x509.Certificate) {
		t.Subject = pkix.Name{CommonName: "Mario Rossi"}
		t.EmailAddresses = []string{person}
	})
	s.invalid("usage-person", "a person's certificate of the same CA, with the person's own From", "wrong-usage", p).
		ssl("ok", "-purpose any looks at neither usage nor names")

	p = s.post(consegna)
	p.sig.signer = s.issue(func(t *x509.Certificate) {
		t.ExtraExtensions = []pkix.Extension{{Id: []int{1, 3, 6, 1, 4, 1, 99999, 7}, Value: null()}}
	})
	s.valid("usage-unknown-extension", "an extension that nobody knows, not critical", p)

	p = s.post(consegna)
	p.sig.signer = s.issue(func(t *x509.Certificate) { t.BasicConstraintsValid = true })
	s.valid("usage-basic-constraints", "basicConstraints says that it is no CA, as leaves of 2014 do", p)

}

// times are messages that were signed inside or outside the validity of the certificate, with different sources of the
// signing time.
func times(s *suite) {
	expired := func(name, comment string, p *post) *scenario {
		return s.invalid("time-"+name, comment, "expired", p)
	}
	lived := s.issue(func(t *x509.Certificate) { t.NotBefore, t.NotAfter = date(2022, 1, 1), date(2025, 1, 1) })
	p := s.post(consegna)
	p.sig.signer = lived
	expired("after-expiry", "signed two months after the certificate's end", p)

	future := s.issue(func(t *x509.Certificate) { t.NotBefore = date(2025, 4, 1) })
	p = s.post(consegna)
	p.sig.signer = future
	expired("before-start", "signed before the certificate's start", p)

	p = s.post(consegna)
	p.sig.time = reference.AddDate(0, 0, 1)
	s.invalid("time-future", "signing time a day ahead of the clock", "future", p).
		ssl("ok", "OpenSSL is asked about the signing time itself and knows no other clock")

	p = s.post(anomalia)
	p.sig.time = time.Time{}
	expired("absent-anomaly", "no signing time, and an anomaly has no certification data to take it from", p).
		ssl("ok", "OpenSSL is told a time; the message has none")

	p = s.post(consegna).replace("<giorno>10/03/2025</giorno>", "<giorno>marzo</giorno>")
	p.sig.time = time.Time{}
	expired("absent-unreadable", "no signing time, and the date in the certification data cannot be read", p).
		ssl("ok", "OpenSSL is told a time; the message has none")

	p = s.post(consegna)
	p.sig.time, p.sig.signer = time.Time{}, lived
	expired("absent-after-expiry", "no signing time; the certification data say a day after the certificate's end", p)

	p = s.post(consegna)
	p.sig.time = time.Time{}
	s.valid("time-from-certdata", "no signing time: the certification data tell it", p)

	p = s.post(consegna)
	s.valid("time-expired-now", "read in 2031, years after the certificate's end", p).at(date(2031, 1, 1)).warn("expired-now")

	// Nine minutes ahead of the clock, and an hour after the instant in the certification data.
	p = s.post(consegna)
	p.data.giorno, p.data.ora, p.data.zona = "01/06/2025", "13:09:00", "+0200"
	p.sig.time = reference.Add(9 * time.Minute)
	s.tolerated("time-skew", "signing time nine minutes ahead of the clock and an hour after the event", p, "time-skew")
}

// legacyLeaves are certificates that only the legacy policy accepts, with that policy and without it.
func legacyLeaves(s *suite) {
	small := rsaKey(1024)
	for _, leaf := range []struct {
		name, comment string
		signer        *identity
	}{
		{"sha1", "certificate signed with SHA-1", s.issue(func(t *x509.Certificate) { t.SignatureAlgorithm = x509.SHA1WithRSA })},
		{"no-usage", "certificate without extended key usage", s.issue(func(t *x509.Certificate) { t.ExtKeyUsage = nil })},
		{"rsa-1024", "RSA key of 1024 bits", s.issueFor(small, nil)},
		{"all", "all of it at once, as in the DigitPA era", s.issueFor(small, func(t *x509.Certificate) {
			t.SignatureAlgorithm, t.ExtKeyUsage, t.BasicConstraintsValid = x509.SHA1WithRSA, nil, true
		})},
	} {
		p := s.post(consegna)
		p.sig.signer = leaf.signer
		s.invalid("legacy-"+leaf.name, leaf.comment+", legacy policy off", "legacy", p).
			ssl("ok", "OpenSSL at security level 0 has no objection; the policy is ours")

		p = s.post(consegna)
		p.sig.signer = leaf.signer
		s.tolerated("legacy-"+leaf.name+"-allowed", leaf.comment+", legacy policy on", p).legacy()
	}
	p := s.post(consegna)
	p.sig.signer = s.issue(func(t *x509.Certificate) {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	s.invalid("legacy-does-not-widen", "the legacy policy accepts no extended key usage, not another one", "wrong-usage", p).legacy().
		ssl("ok", "-purpose any looks at neither usage nor names")
}

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"
)

// address is the one rfc822Name of the provider's certificate and the From address of its messages.
const address = "posta-certificata@pec.vector.example"

// identity is a certificate with its private key.
type identity struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// der returns the certificate's encoding.
func (id *identity) der() []byte { return id.certificate.Raw }

// authority issues the certificates of the scenarios.
type authority struct {
	ca       *identity
	leafKey  *rsa.PrivateKey
	leaf     *identity
	foreign  *rsa.PrivateKey
	p256     *ecdsa.PrivateKey
	p384     *ecdsa.PrivateKey
	nextLeaf int64
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func newAuthority() *authority {
	a := &authority{
		leafKey:  rsaKey(2048),
		foreign:  rsaKey(2048),
		p256:     ecKey(elliptic.P256()),
		p384:     ecKey(elliptic.P384()),
		nextLeaf: 1000,
	}
	a.ca = selfSigned(caTemplate("Vector CA"), rsaKey(2048))
	a.leaf = a.issue(nil)
	return a
}

func rsaKey(bits int) *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, bits)) }

func ecKey(curve elliptic.Curve) *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(curve, rand.Reader))
}

func edKey() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return must(key, err)
}

// keyID derives a subjectKeyIdentifier as RFC 5280 4.2.1.2 (1) suggests.
func keyID(public crypto.PublicKey) []byte {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	must(asn1.Unmarshal(must(x509.MarshalPKIXPublicKey(public)), &info))
	sum := sha1.Sum(info.Key.Bytes)
	return sum[:]
}

func caTemplate(commonName string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{Country: []string{"IT"}, Organization: []string{"Vector Authority"}, CommonName: commonName},
		NotBefore:             date(2020, 1, 1),
		NotAfter:              date(2040, 1, 1),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		SignatureAlgorithm:    x509.SHA256WithRSA,
	}
}

// leafTemplate is a provider's certificate as AgID's CA issues it.
func leafTemplate() *x509.Certificate {
	return &x509.Certificate{
		Subject:            pkix.Name{Country: []string{"IT"}, Organization: []string{"Vector PEC S.p.A."}, CommonName: "Posta Certificata Vector PEC"},
		NotBefore:          date(2024, 1, 1),
		NotAfter:           date(2027, 1, 1),
		KeyUsage:           x509.KeyUsageDigitalSignature,
		ExtKeyUsage:        []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		EmailAddresses:     []string{address},
		Policies:           []x509.OID{must(x509.OIDFromInts([]uint64{1, 3, 76, 16, 3, 1, 1}))},
		SignatureAlgorithm: x509.SHA256WithRSA,
	}
}

func leafTemplateNumber(serial int64) *x509.Certificate {
	template := leafTemplate()
	template.SerialNumber = big.NewInt(serial)
	return template
}

func selfSigned(template *x509.Certificate, key crypto.Signer) *identity {
	template.SubjectKeyId = keyID(key.Public())
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return &identity{certificate: must(x509.ParseCertificate(der)), key: key}
}

// certify signs template for key with issuer's key.
func certify(issuer *identity, template *x509.Certificate, key crypto.Signer) *identity {
	template.SubjectKeyId = keyID(key.Public())
	der := must(x509.CreateCertificate(rand.Reader, template, issuer.certificate, key.Public(), issuer.key))
	return &identity{certificate: must(x509.ParseCertificate(der)), key: key}
}

// issue makes a certificate of the vector CA for the usual leaf key. edit may change the usual template before that.
func (a *authority) issue(edit func(*x509.Certificate)) *identity {
	return a.issueFor(a.leafKey, edit)
}

// issueFor is like issue, for another key.
func (a *authority) issueFor(key crypto.Signer, edit func(*x509.Certificate)) *identity {
	template := leafTemplate()
	a.nextLeaf++
	template.SerialNumber = big.NewInt(a.nextLeaf)
	if edit != nil {
		edit(template)
	}
	return certify(a.ca, template, key)
}

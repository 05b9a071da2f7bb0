// Package cms reads and checks the detached signature of a PEC message: a CMS SignedData
// (RFC 5652) with one signer. It checks only that the signature was made with the key of
// the enclosed certificate. The caller decides whether to trust that certificate.
package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Signature is a parsed SignedData with one signer. Parse does not verify it: call
// MatchesDigest and Verify.
type Signature struct {
	Certificate *x509.Certificate // the signer's certificate
	SigningTime time.Time         // attribute signingTime (RFC 5652, 11.3); zero when absent
	Digest      crypto.Hash       // the hash that the content was digested with
	BER         bool              // the object was not in DER

	messageDigest []byte
	attributes    []byte // signed attributes as transmitted, an IMPLICIT [0]
	algorithm     algorithm
	value         []byte
	check         func(signed []byte) bool // reports whether value is the signature over signed
}

// maxName is the longest issuer or subject of a signer's certificate that is accepted, in
// bytes. Turning a name into text takes time quadratic in its length.
const maxName = 4 << 10

// signerInfo is a SignerInfo (RFC 5652, 5.3), as transmitted.
type signerInfo struct {
	issuer, serial cryptobyte.String // either these identify the certificate
	keyID          []byte            // or this does; nil if not
	digest         algorithm
	attributes     []byte
	algorithm      algorithm
	value          []byte
}

// Parse reads a detached SignedData in BER or DER. Its errors are *Error. certificate
// parses the signer's certificate: x509.ParseCertificate, or a function that caches.
func Parse(b []byte, certificate func(der []byte) (*x509.Certificate, error)) (*Signature, error) {
	der, wasBER, err := normalize(b)
	if err != nil {
		return nil, err
	}
	certificates, signers, err := readSignedData(der)
	if err != nil {
		return nil, err
	}
	si, err := onlySigner(signers)
	if err != nil {
		return nil, err
	}
	cert, err := findCertificate(certificates, si, certificate)
	if err != nil {
		return nil, err
	}
	sig := &Signature{
		Certificate: cert,
		BER:         wasBER,
		attributes:  si.attributes,
		algorithm:   si.algorithm,
		value:       si.value,
	}
	if err := sig.readAttributes(); err != nil {
		return nil, err
	}
	if sig.Digest, err = digestHash(si.digest.id); err != nil {
		return nil, err
	}
	if sig.check, err = sig.verifier(); err != nil {
		return nil, err
	}
	return sig, nil
}

// readSignedData returns the certificates and the signerInfos of a SignedData
// (RFC 5652, 5.1).
func readSignedData(der []byte) (certificates, signers cryptobyte.String, err error) {
	input := cryptobyte.String(der)
	var contentInfo, content, sd, skip, encap, eContent cryptobyte.String
	var contentType, eContentType oid
	var hasContent bool
	var version int
	if !input.ReadASN1(&contentInfo, cbasn1.SEQUENCE) ||
		!contentType.read(&contentInfo) ||
		!contentType.is(oidSignedData) ||
		!contentInfo.ReadASN1(&content, explicit(0)) ||
		!content.ReadASN1(&sd, cbasn1.SEQUENCE) ||
		!sd.ReadASN1Integer(&version) ||
		!sd.ReadASN1(&skip, cbasn1.SET) ||
		!sd.ReadASN1(&encap, cbasn1.SEQUENCE) ||
		!eContentType.read(&encap) ||
		!encap.ReadOptionalASN1(&eContent, &hasContent, explicit(0)) {
		return nil, nil, fail(BadCMS, "not a SignedData")
	}
	// RFC 8551, 3.5.3.2: in multipart/signed the content is not repeated here. A copy that
	// differs from the message would be signed content that nobody sees.
	if hasContent {
		return nil, nil, fail(BadCMS, "the signature encloses content, so it is not detached")
	}
	if !eContentType.is(oidData) {
		return nil, nil, fail(BadCMS, "the content type is "+eContentType.String()+", not id-data")
	}
	if !sd.ReadOptionalASN1(&certificates, nil, explicit(0)) ||
		!sd.SkipOptionalASN1(explicit(1)) ||
		!sd.ReadASN1(&signers, cbasn1.SET) ||
		!sd.Empty() {
		return nil, nil, fail(BadCMS, "not a SignedData")
	}
	return certificates, signers, nil
}

// onlySigner returns the one signerInfo. Any other number is an error.
func onlySigner(signers cryptobyte.String) (*signerInfo, error) {
	var one cryptobyte.String
	if signers.Empty() {
		return nil, fail(SignerCount, "no signer")
	}
	if !signers.ReadASN1(&one, cbasn1.SEQUENCE) {
		return nil, fail(BadCMS, "not a SignerInfo")
	}
	if !signers.Empty() {
		return nil, fail(SignerCount, "more than one signer")
	}
	si, ok := readSignerInfo(one)
	if !ok {
		return nil, fail(BadCMS, "not a SignerInfo")
	}
	return si, nil
}

func readSignerInfo(s cryptobyte.String) (*signerInfo, bool) {
	si := new(signerInfo)
	var version int
	if !s.ReadASN1Integer(&version) {
		return nil, false
	}
	var id cryptobyte.String
	switch {
	case s.PeekASN1Tag(cbasn1.SEQUENCE):
		if !s.ReadASN1(&id, cbasn1.SEQUENCE) ||
			!id.ReadASN1Element(&si.issuer, cbasn1.SEQUENCE) ||
			!id.ReadASN1(&si.serial, cbasn1.INTEGER) {
			return nil, false
		}
	default:
		if !s.ReadASN1(&id, cbasn1.Tag(0).ContextSpecific()) || len(id) == 0 {
			return nil, false
		}
		si.keyID = id
	}
	var attributes, value cryptobyte.String
	if !si.digest.read(&s) {
		return nil, false
	}
	if s.PeekASN1Tag(explicit(0)) && !s.ReadASN1Element(&attributes, explicit(0)) {
		return nil, false
	}
	if !si.algorithm.read(&s) ||
		!s.ReadASN1(&value, cbasn1.OCTET_STRING) ||
		!s.SkipOptionalASN1(explicit(1)) ||
		!s.Empty() {
		return nil, false
	}
	si.attributes, si.value = attributes, value
	return si, true
}

// findCertificate returns the signer's certificate. Other enclosed certificates are not
// used, so those that cannot be parsed are skipped.
func findCertificate(certificates cryptobyte.String, si *signerInfo, read func([]byte) (*x509.Certificate, error)) (*x509.Certificate, error) {
	for !certificates.Empty() {
		var element cryptobyte.String
		var tag cbasn1.Tag
		if !certificates.ReadAnyASN1Element(&element, &tag) {
			return nil, fail(BadCMS, "the enclosed certificates cannot be parsed")
		}
		if tag != cbasn1.SEQUENCE {
			continue // an attribute certificate or another format (RFC 5652, 10.2.2)
		}
		if !si.mayName(element) {
			continue
		}
		cert, err := read(element)
		if err != nil || !si.names(cert) {
			continue
		}
		if len(cert.RawIssuer) > maxName || len(cert.RawSubject) > maxName {
			return nil, fail(TooLarge, "the issuer or subject of the signer's certificate is longer than 4 KiB")
		}
		return cert, nil
	}
	return nil, fail(NoSignerCertificate, "the signer's certificate is not enclosed")
}

// mayName reports whether a certificate may be the signer's. It is quick: certificates
// with another issuer or serial number need not be parsed.
func (si *signerInfo) mayName(certificate cryptobyte.String) bool {
	if si.keyID != nil {
		return true
	}
	var tbs, serial, issuer cryptobyte.String
	return certificate.ReadASN1(&certificate, cbasn1.SEQUENCE) &&
		certificate.ReadASN1(&tbs, cbasn1.SEQUENCE) &&
		tbs.SkipOptionalASN1(explicit(0)) && // version
		tbs.ReadASN1(&serial, cbasn1.INTEGER) &&
		tbs.SkipASN1(cbasn1.SEQUENCE) && // signature algorithm
		tbs.ReadASN1Element(&issuer, cbasn1.SEQUENCE) &&
		bytes.Equal(issuer, si.issuer) &&
		bytes.Equal(bytes.TrimLeft(serial, "\x00"), bytes.TrimLeft(si.serial, "\x00"))
}

// names reports whether a certificate is the signer's.
func (si *signerInfo) names(cert *x509.Certificate) bool {
	if si.keyID != nil {
		return bytes.Equal(si.keyID, cert.SubjectKeyId)
	}
	serial := new(big.Int).SetBytes(si.serial)
	return bytes.Equal(si.issuer, cert.RawIssuer) && serial.Cmp(cert.SerialNumber) == 0
}

// readAttributes reads the digest and the signing time from the signed attributes. The
// attributes are mandatory here, although RFC 5652, 5.3 makes them optional for id-data.
// Without them the signature is over the content itself, so somebody who obtained a
// signature over attributes could present the attributes as content.
func (sig *Signature) readAttributes() error {
	if sig.attributes == nil {
		return fail(Attributes, "the signature has no signed attributes")
	}
	var set cryptobyte.String
	all := cryptobyte.String(sig.attributes)
	if !all.ReadASN1(&set, explicit(0)) {
		return fail(BadCMS, "the signed attributes cannot be parsed")
	}
	// RFC 5652, 11: each of these occurs at most once, with one value.
	var contentTypes, digests, times int
	for !set.Empty() {
		var attribute, values cryptobyte.String
		var name oid
		if !set.ReadASN1(&attribute, cbasn1.SEQUENCE) ||
			!name.read(&attribute) ||
			!attribute.ReadASN1(&values, cbasn1.SET) || !attribute.Empty() {
			return fail(BadCMS, "the signed attributes cannot be parsed")
		}
		var ok bool
		switch {
		case name.is(oidContentType):
			contentTypes++
			var value oid
			ok = value.read(&values) && value.is(oidData)
		case name.is(oidMessageDigest):
			digests++
			var value cryptobyte.String
			ok = values.ReadASN1(&value, cbasn1.OCTET_STRING)
			sig.messageDigest = value
		case name.is(oidSigningTime):
			times++
			if values.PeekASN1Tag(cbasn1.UTCTime) {
				ok = values.ReadASN1UTCTime(&sig.SigningTime)
			} else {
				ok = values.ReadASN1GeneralizedTime(&sig.SigningTime)
			}
		default:
			var other x509.OID
			if other.UnmarshalBinary(name) != nil {
				return fail(BadCMS, "the signed attributes cannot be parsed")
			}
			continue
		}
		if !ok || !values.Empty() {
			return fail(Attributes, "attribute "+name.String()+" has a wrong type, a wrong value or several values")
		}
	}
	if contentTypes != 1 || digests != 1 || times > 1 {
		return fail(Attributes, "contentType or messageDigest is absent, or one of them or signingTime is repeated")
	}
	return nil
}

// explicit returns the constructed context-specific tag n, which EXPLICIT types and
// IMPLICIT sets have.
func explicit(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }

package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	_ "crypto/md5" // registers the hash
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/asn1"
	"slices"
	"time"
)

// Object identifiers of CMS (RFC 5652, RFC 4055, RFC 5758, RFC 8410).
var (
	oidData          = oid(1, 2, 840, 113549, 1, 7, 1)
	oidSignedData    = oid(1, 2, 840, 113549, 1, 7, 2)
	oidContentType   = oid(1, 2, 840, 113549, 1, 9, 3)
	oidMessageDigest = oid(1, 2, 840, 113549, 1, 9, 4)
	oidSigningTime   = oid(1, 2, 840, 113549, 1, 9, 5)
	oidCapabilities  = oid(1, 2, 840, 113549, 1, 9, 15)
	oidPrivate       = oid(1, 3, 6, 1, 4, 1, 99999, 1)
	oidRSA           = oid(1, 2, 840, 113549, 1, 1, 1)
	oidRSASHA1       = oid(1, 2, 840, 113549, 1, 1, 5)
	oidRSASHA256     = oid(1, 2, 840, 113549, 1, 1, 11)
	oidPSS           = oid(1, 2, 840, 113549, 1, 1, 10)
	oidMGF1          = oid(1, 2, 840, 113549, 1, 1, 8)
	oidECDSASHA256   = oid(1, 2, 840, 10045, 4, 3, 2)
	oidECDSASHA384   = oid(1, 2, 840, 10045, 4, 3, 3)
	oidEd25519       = oid(1, 3, 101, 112)
)

// digestOID returns the identifier of a hash.
func digestOID(hash crypto.Hash) []byte {
	switch hash {
	case crypto.MD5:
		return oid(1, 2, 840, 113549, 2, 5)
	case crypto.SHA1:
		return oid(1, 3, 14, 3, 2, 26)
	case crypto.SHA384:
		return oid(2, 16, 840, 1, 101, 3, 4, 2, 2)
	case crypto.SHA512:
		return oid(2, 16, 840, 1, 101, 3, 4, 2, 3)
	default:
		return oid(2, 16, 840, 1, 101, 3, 4, 2, 1)
	}
}

// signature is a detached CMS signature. Each field is something that a scenario changes; its zero value is the ordinary
// choice: SHA-256, RSA PKCS #1 v1.5 named rsaEncryption, signer by issuer and serial, sorted attributes.
type signature struct {
	signer *identity
	hash   crypto.Hash
	time   time.Time // signingTime; zero leaves the attribute out

	pss          bool
	digestAlg    []byte // AlgorithmIdentifier in place of the one that fits
	signatureAlg []byte // the same
	sid          []byte // SignerIdentifier in place of the one that fits
	byKeyID      bool

	noAttributes     bool
	attributes       func([]attribute) []attribute // edits the list before it is sorted
	asTransmitted    bool                          // attributes unsorted, signed in that order
	sortedThenMixed  bool                          // attributes signed sorted, transmitted in another order
	afterSigning     func(attributes []byte) []byte
	signatureValue   func([]byte) []byte
	unsignedAttrs    []byte // content of the [1] element
	certificates     [][]byte
	withoutCerts     bool
	revocation       []byte // content of the [1] element of SignedData
	contentType      []byte // OID of ContentInfo
	encapsulated     []byte // eContent, which a detached signature does not have
	withoutSigner    bool
	others           []*signature // further SignerInfos
	berOuter         bool         // ContentInfo, SignedData and encapContentInfo of indefinite length
	berInner         bool         // certificates, signerInfos and SignerInfo too
	berAttributes    bool         // the [0] of the signed attributes
	berSignature     bool         // the signature in a constructed octet string
	nonMinimalLength bool
}

type attribute struct {
	id     []byte
	values [][]byte
}

func (a attribute) encode() []byte {
	return tlv(tagSequence, a.id, tlv(tagSet, a.values...))
}

// sign returns the ContentInfo for content.
func (s *signature) sign(content []byte) []byte {
	encap := [][]byte{oidData}
	if s.encapsulated != nil {
		encap = append(encap, wrap(s.berOuter, 0xa0, tlv(tagOctets, s.encapsulated)))
	}
	var infos [][]byte
	if !s.withoutSigner {
		infos = append(infos, s.signerInfo(content))
	}
	for _, other := range s.others {
		infos = append(infos, other.signerInfo(content))
	}
	fields := [][]byte{
		smallInteger(1),
		tlv(tagSet, s.digestAlgorithm()),
		wrap(s.berOuter, tagSequence, encap...),
	}
	if !s.withoutCerts {
		certificates := s.certificates
		if certificates == nil {
			certificates = [][]byte{s.signer.der()}
		}
		fields = append(fields, wrap(s.berInner, 0xa0, certificates...))
	}
	if s.revocation != nil {
		fields = append(fields, tlv(0xa1, s.revocation))
	}
	fields = append(fields, wrap(s.berInner, tagSet, infos...))
	contentType := s.contentType
	if contentType == nil {
		contentType = oidSignedData
	}
	signedData := wrap(s.berOuter, tagSequence, fields...)
	if s.nonMinimalLength {
		signedData = longLength(tagSequence, slices.Concat(fields...))
	}
	return wrap(s.berOuter, tagSequence, contentType, wrap(s.berOuter, 0xa0, signedData))
}

func (s *signature) hashFunc() crypto.Hash {
	if s.hash == 0 {
		return crypto.SHA256
	}
	return s.hash
}

func (s *signature) digest(data []byte) []byte {
	h := s.hashFunc().New()
	h.Write(data)
	return h.Sum(nil)
}

func (s *signature) digestAlgorithm() []byte {
	if s.digestAlg != nil {
		return s.digestAlg
	}
	return algorithm(digestOID(s.hashFunc()), null())
}

// signerInfo returns the SignerInfo (RFC 5652 5.3).
func (s *signature) signerInfo(content []byte) []byte {
	version, sid := smallInteger(1), s.sid
	switch {
	case sid != nil:
	case s.byKeyID:
		version, sid = smallInteger(3), tlv(0x80, s.signer.certificate.SubjectKeyId)
	default:
		sid = issuerAndSerial(s.signer)
	}
	fields := [][]byte{version, sid, s.digestAlgorithm()}
	signed := content
	if !s.noAttributes {
		transmitted, toSign := s.signedAttributes(content)
		signed = tlv(tagSet, toSign)
		if s.afterSigning != nil {
			transmitted = s.afterSigning(transmitted)
		}
		fields = append(fields, wrap(s.berAttributes, 0xa0, transmitted))
	}
	algorithm, value := s.signBytes(signed)
	if s.signatureAlg != nil {
		algorithm = s.signatureAlg
	}
	if s.signatureValue != nil {
		value = s.signatureValue(value)
	}
	encoded := tlv(tagOctets, value)
	if s.berSignature {
		encoded = chunked(value, 100)
	}
	fields = append(fields, algorithm, encoded)
	if s.unsignedAttrs != nil {
		fields = append(fields, tlv(0xa1, s.unsignedAttrs))
	}
	return wrap(s.berInner, tagSequence, fields...)
}

func issuerAndSerial(id *identity) []byte {
	return tlv(tagSequence, id.certificate.RawIssuer, must(asn1.Marshal(id.certificate.SerialNumber)))
}

// signedAttributes returns the content of the set of attributes, as it is transmitted and as it is signed.
func (s *signature) signedAttributes(content []byte) (transmitted, signed []byte) {
	list := []attribute{
		{id: oidContentType, values: [][]byte{oidData}},
		{id: oidMessageDigest, values: [][]byte{tlv(tagOctets, s.digest(content))}},
	}
	if !s.time.IsZero() {
		list = append(list, attribute{id: oidSigningTime, values: [][]byte{utcTime(s.time)}})
	}
	if s.attributes != nil {
		list = s.attributes(list)
	}
	var encoded [][]byte
	for _, a := range list {
		encoded = append(encoded, a.encode())
	}
	slices.SortFunc(encoded, bytes.Compare)
	sorted := slices.Concat(encoded...)
	slices.Reverse(encoded)
	mixed := slices.Concat(encoded...)
	switch {
	case s.asTransmitted:
		return mixed, mixed
	case s.sortedThenMixed:
		return mixed, sorted
	default:
		return sorted, sorted
	}
}

func (s *signature) signBytes(data []byte) (algorithmID, value []byte) {
	hash, sum := s.hashFunc(), s.digest(data)
	switch key := s.signer.key.(type) {
	case *ecdsa.PrivateKey:
		id := oidECDSASHA256
		if hash == crypto.SHA384 {
			id = oidECDSASHA384
		}
		return algorithm(id), must(ecdsa.SignASN1(rand.Reader, key, sum))
	case ed25519.PrivateKey:
		return algorithm(oidEd25519), ed25519.Sign(key, data)
	case *rsa.PrivateKey:
		if s.pss {
			options := &rsa.PSSOptions{SaltLength: hash.Size(), Hash: hash}
			return pssAlgorithm(hash), must(rsa.SignPSS(rand.Reader, key, hash, sum, options))
		}
		return algorithm(oidRSA, null()), must(rsa.SignPKCS1v15(rand.Reader, key, hash, sum))
	default:
		panic("unknown kind of key")
	}
}

// pssAlgorithm returns the identifier of RSASSA-PSS with one hash for all its uses and a salt of its size (RFC 4055 3.1).
func pssAlgorithm(hash crypto.Hash) []byte {
	inner := algorithm(digestOID(hash), null())
	return algorithm(oidPSS, tlv(tagSequence,
		tlv(0xa0, inner),
		tlv(0xa1, algorithm(oidMGF1, inner)),
		tlv(0xa2, smallInteger(byte(hash.Size()))),
	))
}

// without returns an edit that drops the attributes of one type.
func without(id []byte) func([]attribute) []attribute {
	return func(list []attribute) []attribute {
		return slices.DeleteFunc(list, func(a attribute) bool { return bytes.Equal(a.id, id) })
	}
}

// twice returns an edit that repeats the attributes of one type.
func twice(id []byte) func([]attribute) []attribute {
	return func(list []attribute) []attribute {
		for _, a := range slices.Clone(list) {
			if bytes.Equal(a.id, id) {
				list = append(list, a)
			}
		}
		return list
	}
}

// withValues returns an edit that gives the attribute of one type other values.
func withValues(id []byte, edit func([][]byte) [][]byte) func([]attribute) []attribute {
	return func(list []attribute) []attribute {
		for i := range list {
			if bytes.Equal(list[i].id, id) {
				list[i].values = edit(list[i].values)
			}
		}
		return list
	}
}

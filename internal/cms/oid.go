package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// oid is an encoded object identifier (X.690, 8.19). Two can be compared without decoding.
type oid cryptobyte.String

var (
	oidData          = newOID(1, 2, 840, 113549, 1, 7, 1)
	oidSignedData    = newOID(1, 2, 840, 113549, 1, 7, 2)
	oidContentType   = newOID(1, 2, 840, 113549, 1, 9, 3)
	oidMessageDigest = newOID(1, 2, 840, 113549, 1, 9, 4)
	oidSigningTime   = newOID(1, 2, 840, 113549, 1, 9, 5)

	oidRSA = newOID(1, 2, 840, 113549, 1, 1, 1)
	oidPSS = newOID(1, 2, 840, 113549, 1, 1, 10)
	oidMGF = newOID(1, 2, 840, 113549, 1, 1, 8)
)

// algorithms are the supported algorithms, by hash. A signature algorithm that names a
// hash must name that of the digest.
var algorithms = []struct {
	hash               crypto.Hash
	digest, rsa, ecdsa oid
}{
	{crypto.SHA1, newOID(1, 3, 14, 3, 2, 26), newOID(1, 2, 840, 113549, 1, 1, 5), newOID(1, 2, 840, 10045, 4, 1)},
	{crypto.SHA256, newOID(2, 16, 840, 1, 101, 3, 4, 2, 1), newOID(1, 2, 840, 113549, 1, 1, 11), newOID(1, 2, 840, 10045, 4, 3, 2)},
	{crypto.SHA384, newOID(2, 16, 840, 1, 101, 3, 4, 2, 2), newOID(1, 2, 840, 113549, 1, 1, 12), newOID(1, 2, 840, 10045, 4, 3, 3)},
	{crypto.SHA512, newOID(2, 16, 840, 1, 101, 3, 4, 2, 3), newOID(1, 2, 840, 113549, 1, 1, 13), newOID(1, 2, 840, 10045, 4, 3, 4)},
}

func newOID(arcs ...uint64) oid {
	id, err := x509.OIDFromInts(arcs)
	if err != nil {
		panic(err) // a constant of this package is wrong
	}
	encoded, _ := id.MarshalBinary() // never fails
	return encoded
}

func (id *oid) read(s *cryptobyte.String) bool {
	return s.ReadASN1((*cryptobyte.String)(id), cbasn1.OBJECT_IDENTIFIER)
}

func (id oid) is(other oid) bool { return bytes.Equal(id, other) }

// String returns the dotted form, or "malformed".
func (id oid) String() string {
	var decoded x509.OID
	if decoded.UnmarshalBinary(id) != nil {
		return "malformed"
	}
	return decoded.String()
}

// algorithm is an AlgorithmIdentifier (RFC 5280, 4.1.1.2).
type algorithm struct {
	id         oid
	parameters cryptobyte.String
}

func (a *algorithm) read(s *cryptobyte.String) bool {
	return s.ReadASN1(&a.parameters, cbasn1.SEQUENCE) && a.id.read(&a.parameters)
}

func digestHash(id oid) (crypto.Hash, error) {
	for _, a := range algorithms {
		if id.is(a.digest) {
			return a.hash, nil
		}
	}
	return 0, fail(WeakAlgorithm, "the digest algorithm is "+id.String()+", not SHA-1, SHA-256, SHA-384 or SHA-512")
}

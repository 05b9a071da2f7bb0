package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha1" // the digest of most genuine messages until 2024
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The lengths of RSA keys looked at. Below, a signature proves nothing; above,
// one made-up key would keep us busy for seconds.
const (
	minRSABits = 1024
	maxRSABits = 8192
)

var (
	oidRSA = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidPSS = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidMGF = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
)

// A signature algorithm that names its hash must name the one of the digest.
var algorithms = []struct {
	hash               crypto.Hash
	digest, rsa, ecdsa asn1.ObjectIdentifier
}{
	{crypto.SHA1, asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26},
		asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}},
	{crypto.SHA256, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1},
		asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}},
	{crypto.SHA384, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2},
		asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}},
	{crypto.SHA512, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3},
		asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}},
}

func digestHash(id pkix.AlgorithmIdentifier) (crypto.Hash, error) {
	for _, a := range algorithms {
		if id.Algorithm.Equal(a.digest) {
			return a.hash, nil
		}
	}
	return 0, fail(WeakAlgorithm, "digest algorithm "+id.Algorithm.String())
}

// MatchesDigest tells whether digest, made with sig.Digest, is the one signed.
func (sig *Signature) MatchesDigest(digest []byte) bool {
	return bytes.Equal(digest, sig.messageDigest)
}

// Verify checks the signature over the signed attributes with the key of the
// enclosed certificate (RFC 5652, 5.4 and 5.6). Its errors are *Error.
func (sig *Signature) Verify() error {
	// The signature is over the SET OF in DER. Signers exist that sign the order
	// they transmit and signers that sort and transmit unsorted; both kinds of
	// signature bind the same attributes.
	transmitted := slices.Clone(sig.attributes)
	transmitted[0] = byte(cbasn1.SET)
	if sig.check(transmitted) {
		return nil
	}
	if sorted := sortSet(transmitted); !bytes.Equal(sorted, transmitted) && sig.check(sorted) {
		return nil
	}
	return fail(BadSignature, "the signature is not that of the enclosed certificate")
}

// verifier gives the check for the signature algorithm, over what was signed.
func (sig *Signature) verifier() (func(signed []byte) bool, error) {
	id := sig.algorithm.Algorithm
	digest := func(b []byte) []byte {
		h := sig.Digest.New()
		h.Write(b)
		return h.Sum(nil)
	}
	switch key := sig.Certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < minRSABits || n > maxRSABits {
			return nil, fail(WeakAlgorithm, "RSA key of less than 1024 or more than 8192 bits")
		}
		if id.Equal(oidPSS) {
			salt, err := sig.pssSaltLength()
			if err != nil {
				return nil, err
			}
			return func(b []byte) bool {
				return rsa.VerifyPSS(key, sig.Digest, digest(b), sig.value, &rsa.PSSOptions{SaltLength: salt}) == nil
			}, nil
		}
		for _, a := range algorithms {
			if a.hash == sig.Digest && (id.Equal(oidRSA) || id.Equal(a.rsa)) {
				return func(b []byte) bool {
					return rsa.VerifyPKCS1v15(key, sig.Digest, digest(b), sig.value) == nil
				}, nil
			}
		}
	case *ecdsa.PublicKey:
		for _, a := range algorithms {
			if a.hash == sig.Digest && id.Equal(a.ecdsa) {
				return func(b []byte) bool { return ecdsa.VerifyASN1(key, digest(b), sig.value) }, nil
			}
		}
	}
	return nil, fail(WeakAlgorithm, "signature algorithm "+id.String())
}

// pssSaltLength reads RSASSA-PSS-params (RFC 4055, 3.1). Both hashes must be
// the one of the digest.
func (sig *Signature) pssSaltLength() (int, error) {
	bad := fail(WeakAlgorithm, "RSASSA-PSS parameters")
	input := cryptobyte.String(sig.algorithm.Parameters.FullBytes)
	var params, hash, mgf, saltField, trailerField cryptobyte.String
	var hasHash, hasMGF, hasSalt, hasTrailer bool
	if !input.ReadASN1(&params, cbasn1.SEQUENCE) ||
		!params.ReadOptionalASN1(&hash, &hasHash, explicit(0)) ||
		!params.ReadOptionalASN1(&mgf, &hasMGF, explicit(1)) ||
		!params.ReadOptionalASN1(&saltField, &hasSalt, explicit(2)) ||
		!params.ReadOptionalASN1(&trailerField, &hasTrailer, explicit(3)) || !params.Empty() {
		return 0, bad
	}
	salt, trailer := 20, 1
	hashOf := func(s cryptobyte.String, present bool) crypto.Hash {
		if !present {
			return crypto.SHA1
		}
		var id pkix.AlgorithmIdentifier
		if !readAlgorithm(&s, &id) {
			return 0
		}
		h, _ := digestHash(id)
		return h
	}
	mgfHash := crypto.SHA1
	if hasMGF {
		var id pkix.AlgorithmIdentifier
		if !readAlgorithm(&mgf, &id) || !id.Algorithm.Equal(oidMGF) {
			return 0, bad
		}
		mgfHash = hashOf(cryptobyte.String(id.Parameters.FullBytes), true)
	}
	if hasSalt && !saltField.ReadASN1Integer(&salt) || hasTrailer && !trailerField.ReadASN1Integer(&trailer) {
		return 0, bad
	}
	if hashOf(hash, hasHash) != sig.Digest || mgfHash != sig.Digest || trailer != 1 || salt < 0 || salt > 512 {
		return 0, bad
	}
	if salt == 0 {
		// rsa.PSSOptions reads a zero as "any length"; no signer of this field salts with nothing.
		return 0, bad
	}
	return salt, nil
}

// sortSet gives a DER SET with its elements in the order of X.690, 11.6.
func sortSet(set []byte) []byte {
	input := cryptobyte.String(set)
	var content cryptobyte.String
	if !input.ReadASN1(&content, cbasn1.SET) {
		return set
	}
	header := len(set) - len(content)
	var elements [][]byte
	for !content.Empty() {
		var element cryptobyte.String
		var tag cbasn1.Tag
		if !content.ReadAnyASN1Element(&element, &tag) {
			return set
		}
		elements = append(elements, element)
	}
	slices.SortFunc(elements, bytes.Compare)
	return slices.Concat(set[:header], slices.Concat(elements...))
}

package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha1" // the digest of most genuine messages until 2024
	_ "crypto/sha256"
	_ "crypto/sha512"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The lengths of RSA keys that are accepted, in bits. A shorter key proves nothing. A
// longer one, made up by an attacker, would take seconds to use.
const (
	minRSABits = 1024
	maxRSABits = 8192
)

// MatchesDigest reports whether digest, computed with sig.Digest, is the signed one.
func (sig *Signature) MatchesDigest(digest []byte) bool {
	return bytes.Equal(digest, sig.messageDigest)
}

// Verify checks the signature over the signed attributes with the key of the
// enclosed certificate (RFC 5652, 5.4 and 5.6). Its errors are *Error.
func (sig *Signature) Verify() error {
	// The signature is over the SET OF in DER, which is sorted. Some signers sign the
	// order that they transmit; others sign the sorted set and transmit another order.
	// Either way the signature binds the same attributes.
	transmitted := slices.Clone(sig.attributes)
	transmitted[0] = byte(cbasn1.SET)
	if sig.check(transmitted) {
		return nil
	}
	if sorted := sortSet(transmitted); !bytes.Equal(sorted, transmitted) && sig.check(sorted) {
		return nil
	}
	return fail(BadSignature, "the signature was not made with the key of the enclosed certificate")
}

// verifier returns a function that verifies the signature over the given bytes.
func (sig *Signature) verifier() (func(signed []byte) bool, error) {
	id := sig.algorithm.id
	digest := func(b []byte) []byte {
		h := sig.Digest.New()
		h.Write(b)
		return h.Sum(nil)
	}
	switch key := sig.Certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < minRSABits || n > maxRSABits {
			return nil, fail(WeakAlgorithm, fmt.Sprintf("the RSA key has %d bits, not %d to %d", n, minRSABits, maxRSABits))
		}
		if id.is(oidPSS) {
			salt, err := sig.pssSaltLength()
			if err != nil {
				return nil, err
			}
			return func(b []byte) bool {
				return rsa.VerifyPSS(key, sig.Digest, digest(b), sig.value, &rsa.PSSOptions{SaltLength: salt}) == nil
			}, nil
		}
		for _, a := range algorithms {
			if a.hash == sig.Digest && (id.is(oidRSA) || id.is(a.rsa)) {
				return func(b []byte) bool {
					return rsa.VerifyPKCS1v15(key, sig.Digest, digest(b), sig.value) == nil
				}, nil
			}
		}
	case *ecdsa.PublicKey:
		for _, a := range algorithms {
			if a.hash == sig.Digest && id.is(a.ecdsa) {
				return func(b []byte) bool { return ecdsa.VerifyASN1(key, digest(b), sig.value) }, nil
			}
		}
	}
	return nil, fail(WeakAlgorithm, "the signature algorithm is "+id.String()+", which is not supported for this key and digest")
}

// pssSaltLength reads RSASSA-PSS-params (RFC 4055, 3.1) and returns the length of the
// salt. Both hashes must be that of the digest.
func (sig *Signature) pssSaltLength() (int, error) {
	bad := fail(WeakAlgorithm, "the RSASSA-PSS parameters are malformed, or do not fit the digest")
	input := sig.algorithm.parameters
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
		var digest algorithm
		if !digest.read(&s) {
			return 0
		}
		h, _ := digestHash(digest.id)
		return h
	}
	mgfHash := crypto.SHA1
	if hasMGF {
		var generator algorithm
		if !generator.read(&mgf) || !generator.id.is(oidMGF) {
			return 0, bad
		}
		mgfHash = hashOf(generator.parameters, true)
	}
	if hasSalt && !saltField.ReadASN1Integer(&salt) || hasTrailer && !trailerField.ReadASN1Integer(&trailer) {
		return 0, bad
	}
	if hashOf(hash, hasHash) != sig.Digest || mgfHash != sig.Digest || trailer != 1 || salt < 0 || salt > 512 {
		return 0, bad
	}
	if salt == 0 {
		// For rsa.PSSOptions zero means any length. No known signer uses an empty salt.
		return 0, bad
	}
	return salt, nil
}

// sortSet returns a DER SET with its elements in the order of X.690, 11.6.
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

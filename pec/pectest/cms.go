package pectest

import (
	"crypto"
	"crypto/rand"
	_ "crypto/sha1"   // the digest of most genuine messages until 2024
	_ "crypto/sha256" // the default digest
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"
)

// The identifiers of CMS (RFC 5652) and of the algorithms in use (RFC 5754).
var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidRSA           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidSHA1          = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
)

// contentInfo, signedData and the types after them are those of RFC 5652, sections 3 to 5.
// The signing library cannot be used here, because it dates every signature by the
// machine's clock.
type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"optional"`
}

type signedData struct {
	Version      int
	Algorithms   []pkix.AlgorithmIdentifier `asn1:"set"`
	Content      contentInfo
	Certificates asn1.RawValue
	Signers      []signerInfo `asn1:"set"`
}

type signerInfo struct {
	Version   int
	Signer    issuerAndSerial
	Digest    pkix.AlgorithmIdentifier
	Signed    asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Signature []byte
}

type issuerAndSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values []any `asn1:"set"`
}

// signer makes detached CMS signatures.
type signer struct {
	key    crypto.Signer
	leaf   *x509.Certificate
	issuer *x509.Certificate
	hash   crypto.Hash // SHA1 or SHA256
	ber    bool
}

// sign returns a detached SignedData with the signed attributes that RFC 6109 requires
// through S/MIME: content type, signing time and digest.
func (s signer) sign(content []byte, at time.Time) ([]byte, error) {
	digest := pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.NullRawValue}
	if s.hash == crypto.SHA1 {
		digest.Algorithm = oidSHA1
	}
	attributes, err := asn1.MarshalWithParams([]attribute{
		{oidContentType, []any{oidData}},
		{oidSigningTime, []any{at.UTC()}},
		{oidMessageDigest, []any{sum(s.hash, content)}},
	}, "set")
	if err != nil {
		return nil, fmt.Errorf("pectest: signed attributes: %w", err)
	}
	signature, err := s.key.Sign(rand.Reader, sum(s.hash, attributes), s.hash)
	if err != nil {
		return nil, fmt.Errorf("pectest: sign: %w", err)
	}
	// The signature is over the SET; the message holds the same bytes under tag [0]
	// (RFC 5652, 5.4).
	attributes[0] = 0xa0
	data, err := asn1.Marshal(signedData{
		Version:      1,
		Algorithms:   []pkix.AlgorithmIdentifier{digest},
		Content:      contentInfo{Type: oidData},
		Certificates: asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: append(s.leaf.Raw[:len(s.leaf.Raw):len(s.leaf.Raw)], s.issuer.Raw...)},
		Signers: []signerInfo{{
			Version:   1,
			Signer:    issuerAndSerial{asn1.RawValue{FullBytes: s.leaf.RawIssuer}, s.leaf.SerialNumber},
			Digest:    digest,
			Signed:    asn1.RawValue{FullBytes: attributes},
			Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidRSA, Parameters: asn1.NullRawValue},
			Signature: signature,
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("pectest: signed data: %w", err)
	}
	if s.ber {
		return indefinite(data)
	}
	der, err := asn1.Marshal(contentInfo{Type: oidSignedData, Content: asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: data}})
	if err != nil {
		return nil, fmt.Errorf("pectest: content info: %w", err)
	}
	return der, nil
}

// indefinite wraps a SignedData as streaming software does, in BER with indefinite lengths
// on the outer levels. The signed attributes stay in DER.
func indefinite(signedData []byte) ([]byte, error) {
	var sequence asn1.RawValue
	if _, err := asn1.Unmarshal(signedData, &sequence); err != nil {
		return nil, fmt.Errorf("pectest: signed data: %w", err)
	}
	oid, err := asn1.Marshal(oidSignedData)
	if err != nil {
		return nil, fmt.Errorf("pectest: content info: %w", err)
	}
	out := append([]byte{0x30, 0x80}, oid...)
	out = append(out, 0xa0, 0x80, 0x30, 0x80)
	out = append(out, sequence.Bytes...)
	return append(out, 0, 0, 0, 0, 0, 0), nil
}

func sum(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}

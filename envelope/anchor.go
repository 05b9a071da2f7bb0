package envelope

import (
	"crypto"
	"crypto/x509"
	_ "embed"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
)

// Anchor is a trust anchor (RFC 5280, 6.1.1 d): a name and a public key that
// issue the signing certificates of PEC providers. It is not a certificate: the
// keys of the national CA were certified several times, with different dates. Of
// several anchors with one key and a fitting Issuer the first counts.
type Anchor struct {
	// Name is for people, and is told in every verdict.
	Name string
	// Issuer is the issuer name a leaf must carry, in the form of
	// pkix.Name.String (RFC 2253). "" asks for none: the key alone decides.
	Issuer string
	// PublicKey must have signed the leaf. An *rsa.PublicKey or *ecdsa.PublicKey.
	PublicKey crypto.PublicKey
	// Policy is a certificate policy the leaf must carry; nil asks for none.
	Policy asn1.ObjectIdentifier
	// Hosts are the only mail hosts for which the anchor may vouch, as in
	// "pec.aruba.it"; they are compared exactly, without regard to case. Nil admits all.
	Hosts []string
}

// policyPEC is the certificate policy of PEC providers' signing certificates,
// as every genuine one since 2014 carries it.
var policyPEC = asn1.ObjectIdentifier{1, 3, 76, 16, 3, 1, 1}

//go:embed anchors.pem
var builtinKeys []byte

// BuiltinAnchors gives the CAs of Italian PEC: AgID CA1, which has issued all
// providers' signing certificates since about 2017, and its predecessor DigitPA
// CA1, whose certificates need the legacy policy (VerifierOptions.AllowLegacy).
func BuiltinAnchors() []Anchor {
	agid, rest := pem.Decode(builtinKeys)
	digitpa, _ := pem.Decode(rest)
	return []Anchor{
		{
			Name:      "AgID CA1",
			Issuer:    "CN=AgID CA1,OU=Area Soluzioni per la Pubblica Amministrazione,O=Agenzia per l'Italia Digitale,L=Roma,C=IT",
			PublicKey: mustKey(agid),
			Policy:    policyPEC,
		},
		{
			Name:      "DigitPA CA1",
			Issuer:    "CN=DigitPA CA1,OU=Ufficio interoperabilita' e cooperazione,O=DigitPA,C=IT",
			PublicKey: mustKey(digitpa),
			Policy:    policyPEC,
		},
	}
}

// mustKey reads a key that is part of this package.
func mustKey(block *pem.Block) crypto.PublicKey {
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	return key
}

// AnchorFromCertificate makes an anchor of a CA certificate: its subject and its
// key. Dates and constraints of the certificate are not kept.
func AnchorFromCertificate(ca *x509.Certificate) Anchor {
	return Anchor{
		Name:      ca.Subject.CommonName,
		Issuer:    ca.Subject.String(),
		PublicKey: ca.PublicKey,
	}
}

// ParseAnchors reads anchors from PEM: CERTIFICATE blocks with CA certificates
// and PUBLIC KEY blocks, in any mix. Anything else is an error, and so is no
// anchor at all: ErrNoAnchors.
func ParseAnchors(pemBytes []byte) ([]Anchor, error) {
	var anchors []Anchor
	for block, rest := pem.Decode(pemBytes); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("envelope: anchor: %w", err)
			}
			if !cert.IsCA {
				return nil, errors.New("envelope: anchor: the certificate is not that of a CA")
			}
			anchors = append(anchors, AnchorFromCertificate(cert))
		case "PUBLIC KEY":
			key, err := x509.ParsePKIXPublicKey(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("envelope: anchor: %w", err)
			}
			anchors = append(anchors, Anchor{Name: fmt.Sprintf("public key %d", len(anchors)+1), PublicKey: key})
		default:
			return nil, fmt.Errorf("envelope: anchor: a PEM block of type %q", block.Type)
		}
	}
	if len(anchors) == 0 {
		return nil, ErrNoAnchors
	}
	return anchors, nil
}

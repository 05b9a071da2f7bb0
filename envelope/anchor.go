package envelope

import (
	"crypto"
	"crypto/x509"
	_ "embed"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
)

// Anchor is a trust anchor (RFC 5280, 6.1.1 d): the name and public key of a CA that
// issues the signing certificates (leaves) of PEC providers. It is not a certificate,
// because the national CA's keys were certified several times with different dates.
// Where several anchors match a leaf, the first one counts.
type Anchor struct {
	// Name is for people. It appears in Findings.Anchor.
	Name string
	// Issuer is the issuer name that a leaf must have, in the form of
	// pkix.Name.String (RFC 2253). "" accepts any name: the key alone decides.
	Issuer string
	// PublicKey is the key that must have signed the leaf: an *rsa.PublicKey or an
	// *ecdsa.PublicKey.
	PublicKey crypto.PublicKey
	// Policy is a certificate policy that a leaf must have; nil requires none.
	Policy asn1.ObjectIdentifier
	// Hosts are the only mail hosts whose leaves are accepted, such as
	// "pec.aruba.it". A leaf's host must equal one of them, ignoring case; a subdomain
	// does not match. Nil accepts all hosts, an empty list none.
	Hosts []string
}

// policyPEC is the certificate policy of PEC providers' signing certificates. Every
// genuine one since 2014 has it.
var policyPEC = asn1.ObjectIdentifier{1, 3, 76, 16, 3, 1, 1}

//go:embed anchors.pem
var builtinKeys []byte

// BuiltinAnchors returns the CAs of Italian PEC. AgID CA1 has issued all providers'
// signing certificates since about 2017. Its predecessor is DigitPA CA1; leaves of
// that one also need VerifierOptions.AllowLegacy.
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

// mustKey parses a key that is embedded in this package.
func mustKey(block *pem.Block) crypto.PublicKey {
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	return key
}

// AnchorFromCertificate returns an anchor with the subject and the key of a CA
// certificate. The certificate's dates and constraints are ignored.
func AnchorFromCertificate(ca *x509.Certificate) Anchor {
	return Anchor{
		Name:      ca.Subject.CommonName,
		Issuer:    ca.Subject.String(),
		PublicKey: ca.PublicKey,
	}
}

// ParseAnchors reads anchors from PEM: CERTIFICATE blocks with CA certificates
// and PUBLIC KEY blocks, in any mix. A block of another type is an error. Without any
// block the error is ErrNoAnchors.
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
				return nil, fmt.Errorf("envelope: anchor: the certificate of %q is not a CA certificate; use that of its issuer", cert.Subject)
			}
			anchors = append(anchors, AnchorFromCertificate(cert))
		case "PUBLIC KEY":
			key, err := x509.ParsePKIXPublicKey(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("envelope: anchor: %w", err)
			}
			anchors = append(anchors, Anchor{Name: fmt.Sprintf("public key %d", len(anchors)+1), PublicKey: key})
		default:
			return nil, fmt.Errorf("envelope: anchor: a PEM block of type %q; only CERTIFICATE and PUBLIC KEY are read", block.Type)
		}
	}
	if len(anchors) == 0 {
		return nil, ErrNoAnchors
	}
	return anchors, nil
}

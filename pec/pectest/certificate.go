package pectest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"
)

// authority is the signing CA of a network. Each network makes its own key, so that two
// networks do not trust each other's notices.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// rsaBits is the key size of genuine CAs and providers.
const rsaBits = 2048

// leafKeys are the signing keys of the first two providers of every network in the
// process. They are shared because making one takes tens of milliseconds.
var leafKeys = [2]func() (*rsa.PrivateKey, error){
	sync.OnceValues(newRSAKey),
	sync.OnceValues(newRSAKey),
}

func newRSAKey() (*rsa.PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return nil, fmt.Errorf("pectest: signing key: %w", err)
	}
	return key, nil
}

func leafKey(index int) (*rsa.PrivateKey, error) {
	if index < len(leafKeys) {
		return leafKeys[index]()
	}
	return newRSAKey()
}

// newAuthority makes a signing CA. A name constraint limits it to the permitted mail hosts;
// nil means no constraint.
func newAuthority(now time.Time, permitted []string) (*authority, error) {
	key, err := newRSAKey()
	if err != nil {
		return nil, err
	}
	cert, err := newRoot("PEC test CA", key, now, permitted)
	if err != nil {
		return nil, err
	}
	return &authority{cert: cert, key: key}, nil
}

// policyPEC is the certificate policy in genuine providers' certificates.
var policyPEC = []uint64{1, 3, 76, 16, 3, 1, 1}

// issue makes the signing certificate of a provider according to RFC 6109, 5.5.2:
// keyUsage is critical, the e-mail address is in subjectAltName, and there are no
// basicConstraints. Extended key usage and policy are as in genuine certificates.
func (a *authority) issue(p *Provider) (*x509.Certificate, error) {
	return a.issueFor(p, p.ServiceAddress(), p.network.began.Add(-time.Hour))
}

func (a *authority) issueFor(p *Provider, address string, start time.Time) (*x509.Certificate, error) {
	policy, err := x509.OIDFromInts(policyPEC)
	if err != nil {
		return nil, fmt.Errorf("pectest: certificate policy: %w", err)
	}
	return newCertificate(&x509.Certificate{
		Subject:            pkix.Name{Country: []string{"IT"}, Organization: []string{p.name}, CommonName: "Posta Certificata"},
		NotBefore:          start,
		NotAfter:           start.AddDate(3, 0, 0),
		KeyUsage:           x509.KeyUsageDigitalSignature,
		ExtKeyUsage:        []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		Policies:           []x509.OID{policy},
		EmailAddresses:     []string{address},
		SignatureAlgorithm: x509.SHA256WithRSA,
	}, a.cert, p.key.Public(), a.key)
}

// tlsAuthority is the CA that issues the certificates of a network's servers.
type tlsAuthority struct {
	root *x509.Certificate
	key  crypto.Signer
}

func newTLSAuthority() (*tlsAuthority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("pectest: TLS key: %w", err)
	}
	root, err := newRoot("PEC test TLS root", key, time.Now(), nil)
	if err != nil {
		return nil, err
	}
	return &tlsAuthority{root: root, key: key}, nil
}

// config makes the TLS configuration of a server, valid for 127.0.0.1, localhost, and the
// server names in the provider's domain.
func (a *tlsAuthority) config(domain string) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("pectest: TLS key: %w", err)
	}
	start := time.Now().Add(-time.Hour)
	cert, err := newCertificate(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "PEC test server of " + domain},
		NotBefore:   start,
		NotAfter:    start.AddDate(1, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", "smtp." + domain, "imap." + domain},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, a.root, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}},
		MinVersion:   tls.VersionTLS12,
	}, nil
}

func newRoot(name string, key crypto.Signer, now time.Time, permitted []string) (*x509.Certificate, error) {
	start := now.Add(-time.Hour)
	template := &x509.Certificate{
		Subject:               pkix.Name{Country: []string{"IT"}, CommonName: name},
		NotBefore:             start,
		NotAfter:              start.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		// Not critical, as in the certificate of AgID CA1.
		PermittedEmailAddresses: permitted,
	}
	return newCertificate(template, template, key.Public(), key)
}

func newCertificate(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("pectest: serial number: %w", err)
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("pectest: public key: %w", err)
	}
	id := sha1.Sum(spki)
	template.SubjectKeyId = id[:]
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return nil, fmt.Errorf("pectest: certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("pectest: certificate: %w", err)
	}
	return cert, nil
}

func certificatePEM(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

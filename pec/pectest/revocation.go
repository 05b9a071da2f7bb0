package pectest

import (
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"
)

// certificate returns the certificate of a variant and that of its issuer. A variant is
// made at its first use.
func (p *Provider) certificate(v Certificate) (leaf, issuer *x509.Certificate, err error) {
	p.variantsMu.Lock()
	defer p.variantsMu.Unlock()
	if v == CertificateGood || v == "" {
		return p.leaf, p.network.ca.cert, nil
	}
	if made, ok := p.variants[v]; ok {
		return made[0], made[1], nil
	}
	ca, began := p.network.ca, p.network.began
	address, start := p.ServiceAddress(), began.Add(-time.Hour)
	switch v {
	case CertificateExpired:
		start = began.AddDate(-3, 0, -1)
	case CertificateOtherAddress:
		address = "posta-certificata@altro.example"
	case CertificateForeignCA:
		if ca, err = newAuthority(began, nil); err != nil {
			return nil, nil, err
		}
	default:
		return nil, nil, fmt.Errorf("pectest: no certificate variant %q", v)
	}
	if leaf, err = ca.issueFor(p, address, start); err != nil {
		return nil, nil, err
	}
	if p.variants == nil {
		p.variants = make(map[Certificate][2]*x509.Certificate)
	}
	p.variants[v] = [2]*x509.Certificate{leaf, ca.cert}
	return leaf, ca.cert, nil
}

// Revoke puts a certificate on the signing CA's revocation list, as revoked since at. The
// network's providers do not read the list, so messages signed with a revoked certificate
// still reach the mailbox.
func (n *Network) Revoke(cert *x509.Certificate, at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.revoked = append(n.revoked, x509.RevocationListEntry{SerialNumber: cert.SerialNumber, RevocationTime: at})
}

// CRL returns the signing CA's revocation list in DER. It is dated by the network's clock
// and valid for a day.
func (n *Network) CRL() ([]byte, error) {
	now := n.now()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lists++
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(n.lists), ThisUpdate: now, NextUpdate: now.AddDate(0, 0, 1), RevokedCertificateEntries: n.revoked,
	}, n.ca.cert, n.ca.key)
	if err != nil {
		return nil, fmt.Errorf("pectest: revocation list: %w", err)
	}
	return der, nil
}

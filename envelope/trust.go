package envelope

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"
)

// clockTolerance is how far clocks may differ. A signing time further in the future is
// refused; one further from the certified time is a warning.
const clockTolerance = 10 * time.Minute

// minRSABits is the shortest RSA key of a leaf outside the legacy policy.
const minRSABits = 2048

// checkTrust checks the signer's certificate against the anchors: RFC 6109, 5.5 and 7.
// An anchor must have issued the certificate itself. No path is built, and CA
// certificates in the message are ignored: nothing vouches for them.
func (c *check) checkTrust() error {
	signer := c.findings.Signer
	known := c.verifier.leaves.find(signer.Raw)
	trusted := known
	if known == nil {
		anchor, err := c.findAnchor(signer)
		if err != nil {
			return err
		}
		trusted = &leaf{signer, anchor, needsLegacy(signer)}
	}
	c.anchor, c.findings.Anchor = trusted.anchor, trusted.anchor.Name
	if trusted.legacy != "" {
		if !c.verifier.opts.AllowLegacy {
			return failed(CodeLegacy, "%s; VerifierOptions.AllowLegacy accepts it", trusted.legacy)
		}
		c.findings.Legacy = true
	}
	if err := c.checkTime(signer); err != nil {
		return err
	}
	if known != nil {
		return nil
	}
	if err := checkUsage(signer, trusted.anchor); err != nil {
		return err
	}
	c.verifier.leaves.keep(trusted)
	return nil
}

// findAnchor finds the anchor whose key signed the leaf (RFC 5280, 6.1.3 a 1).
func (c *check) findAnchor(leaf *x509.Certificate) (*Anchor, error) {
	issuer := leaf.Issuer.String()
	for i := range c.verifier.anchors {
		anchor := &c.verifier.anchors[i]
		if anchor.Issuer != "" && anchor.Issuer != issuer {
			continue
		}
		if anchor.signed(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) {
			return anchor, nil
		}
	}
	return nil, failed(CodeUntrusted, "the certificate of %.200q was issued by %.200q, which is not an anchor", leaf.Subject, issuer)
}

// signed reports whether the anchor's key made a signature. It accepts signatures with
// SHA-1; needsLegacy reports those of leaves. x509.Certificate.CheckSignatureFrom does
// not accept them, and needs a CA certificate, which an anchor is not.
func (a *Anchor) signed(algorithm x509.SignatureAlgorithm, signed, signature []byte) bool {
	issuer := &x509.Certificate{PublicKey: a.PublicKey, PublicKeyAlgorithm: x509.ECDSA}
	if _, ok := a.PublicKey.(*rsa.PublicKey); ok {
		issuer.PublicKeyAlgorithm = x509.RSA
	}
	return issuer.CheckSignature(algorithm, signed, signature) == nil
}

// needsLegacy returns why a leaf passes only under VerifierOptions.AllowLegacy, "" if it
// passes without.
func needsLegacy(leaf *x509.Certificate) string {
	switch leaf.SignatureAlgorithm {
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		return "the certificate is signed with SHA-1"
	}
	if len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) == 0 {
		return "the certificate has no extended key usage"
	}
	if key, ok := leaf.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < minRSABits {
		return fmt.Sprintf("the certificate has an RSA key of %d bits, fewer than %d", key.N.BitLen(), minRSABits)
	}
	return ""
}

// signedAt returns the signing time: that of the signed attribute, or else the certified
// time. It is zero when there is neither.
func (c *check) signedAt() time.Time {
	if at := c.findings.SigningTime; !at.IsZero() || c.findings.CertData == nil {
		return at
	}
	return c.findings.CertData.Time
}

// checkTime checks that the leaf was valid at signing time. The present does not matter:
// receipts are kept for decades, and leaves are valid for three years.
func (c *check) checkTime(leaf *x509.Certificate) error {
	at, data := c.signedAt(), c.findings.CertData
	now := c.verifier.opts.Now()
	switch {
	case at.IsZero():
		return failed(CodeExpired, "the message has no signing time and no certified time")
	case at.After(now.Add(clockTolerance)):
		return failed(CodeFuture, "signed in the future, at %v", at)
	case at.Before(leaf.NotBefore) || at.After(leaf.NotAfter):
		return failed(CodeExpired, "signed at %v, but the certificate is valid from %v to %v", at, leaf.NotBefore, leaf.NotAfter)
	}
	if now.After(leaf.NotAfter) {
		c.warn(WarningExpiredNow)
	}
	if data != nil && !data.Time.IsZero() && at.Sub(data.Time).Abs() > clockTolerance {
		c.warn(WarningTimeSkew)
	}
	return nil
}

// checkUsage requires a provider's signing certificate: RFC 6109, 5.5. The same CA may
// also certify people and servers at the providers' hosts.
func checkUsage(leaf *x509.Certificate, anchor *Anchor) error {
	if leaf.IsCA {
		return failed(CodeWrongUsage, "the signer's certificate is that of a CA")
	}
	if len(leaf.UnhandledCriticalExtensions) > 0 {
		return failed(CodeWrongUsage, "the certificate has an unknown critical extension, %v", leaf.UnhandledCriticalExtensions[0])
	}
	if leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return failed(CodeWrongUsage, "the certificate's key usage lacks digitalSignature")
	}
	usages := len(leaf.ExtKeyUsage) + len(leaf.UnknownExtKeyUsage)
	if usages > 0 && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) {
		return failed(CodeWrongUsage, "the certificate's extended key usage lacks emailProtection")
	}
	if len(leaf.EmailAddresses) != 1 {
		return failed(CodeWrongUsage, "%d addresses in the certificate, not one", len(leaf.EmailAddresses))
	}
	local, host, _ := strings.Cut(leaf.EmailAddresses[0], "@")
	if !equalFold(local, "posta-certificata") {
		return failed(CodeWrongUsage, "the certificate is for %q, not for a service address, posta-certificata@HOST", leaf.EmailAddresses[0])
	}
	if anchor.Policy != nil && !hasPolicy(leaf, anchor) {
		return failed(CodeWrongUsage, "the certificate lacks policy %v, which anchor %q requires", anchor.Policy, anchor.Name)
	}
	if anchor.Hosts != nil && !slices.ContainsFunc(anchor.Hosts, func(h string) bool { return equalFold(h, host) }) {
		return failed(CodeUntrusted, "host %q is not among the hosts of anchor %q", host, anchor.Name)
	}
	return nil
}

func hasPolicy(leaf *x509.Certificate, anchor *Anchor) bool {
	for _, oid := range leaf.PolicyIdentifiers {
		if oid.Equal(anchor.Policy) {
			return true
		}
	}
	return false
}

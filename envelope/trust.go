package envelope

import (
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"strings"
	"time"
)

// clockTolerance is how far apart clocks may be: a signing time further in the
// future is refused, one further from the certified time is warned of.
const clockTolerance = 10 * time.Minute

// minRSABits is the shortest RSA key of a leaf outside the legacy policy.
const minRSABits = 2048

// checkTrust holds the signer's certificate against the anchors: RFC 6109, 5.5
// and 7. There is one link and no path: a CA certificate inside the message is
// vouched for by nothing but its key, and is not looked at.
func (c *check) checkTrust() error {
	signer := c.facts.Signer
	known := c.verifier.leaves.find(signer.Raw)
	trusted := known
	if known == nil {
		anchor, err := c.findAnchor(signer)
		if err != nil {
			return err
		}
		trusted = &leaf{signer, anchor, needsLegacy(signer)}
	}
	c.anchor, c.facts.Anchor = trusted.anchor, trusted.anchor.Name
	if trusted.legacy != "" {
		if !c.verifier.opts.AllowLegacy {
			return failed(CodeLegacy, "%s", trusted.legacy)
		}
		c.facts.Legacy = true
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
	return nil, failed(CodeUntrusted, "no anchor issued the certificate of %.200q by %.200q", leaf.Subject, issuer)
}

// signed tells whether the anchor's key made a signature. It may be one with
// SHA-1, which needsLegacy then refuses in a leaf: CheckSignatureFrom would not
// even look, and asks for a CA certificate, which an anchor is not.
func (a *Anchor) signed(algorithm x509.SignatureAlgorithm, signed, signature []byte) bool {
	issuer := &x509.Certificate{PublicKey: a.PublicKey, PublicKeyAlgorithm: x509.ECDSA}
	if _, ok := a.PublicKey.(*rsa.PublicKey); ok {
		issuer.PublicKeyAlgorithm = x509.RSA
	}
	return issuer.CheckSignature(algorithm, signed, signature) == nil
}

// needsLegacy tells what makes a leaf one of the DigitPA era, "" when nothing does.
func needsLegacy(leaf *x509.Certificate) string {
	switch leaf.SignatureAlgorithm {
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		return "the certificate is signed with SHA-1"
	}
	if len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) == 0 {
		return "the certificate has no extended key usage"
	}
	if key, ok := leaf.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < minRSABits {
		return "the certificate has an RSA key of less than 2048 bits"
	}
	return ""
}

// signedAt is the signing time: the signed attribute, or else the certified time.
// It is zero when there is neither.
func (c *check) signedAt() time.Time {
	if at := c.facts.SigningTime; !at.IsZero() || c.facts.CertData == nil {
		return at
	}
	return c.facts.CertData.Time
}

// checkTime validates at signing time: receipts are kept for decades, leaves
// live three years.
func (c *check) checkTime(leaf *x509.Certificate) error {
	at, data := c.signedAt(), c.facts.CertData
	now := c.verifier.opts.Now()
	switch {
	case at.IsZero():
		return failed(CodeExpired, "no signing time")
	case at.After(now.Add(clockTolerance)):
		return failed(CodeFuture, "signed in the future, at %v", at)
	case at.Before(leaf.NotBefore) || at.After(leaf.NotAfter):
		return failed(CodeExpired, "signed at %v, valid from %v to %v", at, leaf.NotBefore, leaf.NotAfter)
	}
	if now.After(leaf.NotAfter) {
		c.warn(WarningExpiredNow)
	}
	if data != nil && !data.Time.IsZero() && at.Sub(data.Time).Abs() > clockTolerance {
		c.warn(WarningTimeSkew)
	}
	return nil
}

// checkUsage asks for a provider's signing certificate: RFC 6109, 5.5. The same
// CA may certify people and servers at the providers' hosts as well.
func checkUsage(leaf *x509.Certificate, anchor *Anchor) error {
	if leaf.IsCA {
		return failed(CodeWrongUsage, "a CA certificate")
	}
	if len(leaf.UnhandledCriticalExtensions) > 0 {
		return failed(CodeWrongUsage, "an unknown critical extension")
	}
	if leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return failed(CodeWrongUsage, "the key is not for digital signatures")
	}
	usages := len(leaf.ExtKeyUsage) + len(leaf.UnknownExtKeyUsage)
	if usages > 0 && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) {
		return failed(CodeWrongUsage, "the key is not for e-mail")
	}
	if len(leaf.EmailAddresses) != 1 {
		return failed(CodeWrongUsage, "%d addresses in the certificate", len(leaf.EmailAddresses))
	}
	local, host, _ := strings.Cut(leaf.EmailAddresses[0], "@")
	if !equalFold(local, "posta-certificata") {
		return failed(CodeWrongUsage, "%q is not a service address", leaf.EmailAddresses[0])
	}
	if anchor.Policy != nil && !hasPolicy(leaf, anchor) {
		return failed(CodeWrongUsage, "without certificate policy %v", anchor.Policy)
	}
	if anchor.Hosts != nil && !slices.ContainsFunc(anchor.Hosts, func(h string) bool { return equalFold(h, host) }) {
		return failed(CodeUntrusted, "anchor %q does not vouch for %q", anchor.Name, host)
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

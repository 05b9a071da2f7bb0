package envelope

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// RevocationSource gives the certificate revocation lists (CRL, RFC 5280, 5) by
// which to judge a leaf that signed at the given time, in any order; none or an
// error when it has none. The lists need no checking: issuer, signature and scope
// are held against anchor and leaf, and one that names the leaf outweighs all that
// do not. ReadCRLs makes a source of files.
type RevocationSource func(ctx context.Context, leaf *x509.Certificate, signedAt time.Time) ([]*x509.RevocationList, error)

// Revocation is what is known of the revocation of a signer's certificate.
type Revocation string

// The answers.
const (
	RevocationUnchecked Revocation = "unchecked"     // the verifier has no source
	RevocationGood      Revocation = "good"          // a list that covers the signing time does not name it
	RevocationUnknown   Revocation = "unknown"       // no list, or none that covers the signing time
	RevocationLater     Revocation = "revoked-later" // revoked after signing time
	RevocationRevoked   Revocation = "revoked"       // revoked at or before signing time
)

// checkRevocation asks the source, where there is one: RFC 6109, 2.2.2. No answer
// is a warning: the lists are not always within reach.
func (c *check) checkRevocation() error {
	c.facts.Revocation = RevocationUnchecked
	if c.verifier.opts.Revocation == nil {
		return nil
	}
	leaf, signedAt := c.facts.Signer, c.signedAt()
	lists, _ := c.verifier.opts.Revocation(c.ctx, leaf, signedAt) // an error is no answer
	if err := c.ctx.Err(); err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	found := map[Revocation]bool{}
	for _, list := range lists {
		if list != nil {
			found[c.judge(list, leaf, signedAt)] = true
		}
	}
	c.facts.Revocation = RevocationUnknown
	for _, answer := range []Revocation{RevocationRevoked, RevocationLater, RevocationGood} {
		if found[answer] {
			c.facts.Revocation = answer
			break
		}
	}
	switch c.facts.Revocation {
	case RevocationRevoked:
		return failed(CodeRevoked, "the certificate of %q was revoked before %v", leaf.Subject, signedAt)
	case RevocationLater:
		c.warn(WarningRevokedLater)
	case RevocationUnknown:
		c.warn(WarningRevocationUnknown)
	}
	return nil
}

func (c *check) judge(list *x509.RevocationList, leaf *x509.Certificate, signedAt time.Time) Revocation {
	if list.Issuer.String() != leaf.Issuer.String() ||
		!c.anchor.signed(list.SignatureAlgorithm, list.RawTBSRevocationList, list.Signature) {
		return RevocationUnknown
	}
	// RFC 5280, 5.3: what is listed is revoked, whatever the scope of the list.
	for _, entry := range list.RevokedCertificateEntries {
		if entry.SerialNumber.Cmp(leaf.SerialNumber) != 0 {
			continue
		}
		if entry.RevocationTime.After(signedAt) {
			return RevocationLater
		}
		return RevocationRevoked
	}
	// A list says nothing of what came after it; and once a certificate has expired
	// it is no longer listed (RFC 5280, 3.3).
	if list.ThisUpdate.Before(signedAt) || list.ThisUpdate.After(leaf.NotAfter) || isPartial(list) {
		return RevocationUnknown
	}
	return RevocationGood
}

var (
	oidDeltaCRL          = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidDistributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
)

// isPartial tells whether a list may leave out a revoked leaf: RFC 5280, 5.2.
func isPartial(list *x509.RevocationList) bool {
	for _, extension := range list.Extensions {
		switch {
		case extension.Id.Equal(oidDistributionPoint):
			if !coversLeaves(extension.Value) {
				return true
			}
		case extension.Id.Equal(oidDeltaCRL), extension.Critical:
			return true
		}
	}
	return false
}

// coversLeaves reads issuingDistributionPoint (RFC 5280, 5.2.5): a place where the
// list is published, and no restriction but to end users' certificates.
func coversLeaves(value []byte) bool {
	input := cryptobyte.String(value)
	var point cryptobyte.String
	if !input.ReadASN1(&point, cbasn1.SEQUENCE) {
		return false
	}
	place, onlyUsers := cbasn1.Tag(0).ContextSpecific().Constructed(), cbasn1.Tag(1).ContextSpecific()
	for !point.Empty() {
		var content cryptobyte.String
		var tag cbasn1.Tag
		if !point.ReadAnyASN1(&content, &tag) || !slices.Contains([]cbasn1.Tag{place, onlyUsers}, tag) {
			return false
		}
	}
	return true
}

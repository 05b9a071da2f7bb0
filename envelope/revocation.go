package envelope

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"time"
)

// RevocationSource returns the certificate revocation lists (CRL, RFC 5280, 5) by which
// to judge a leaf that signed at the given time. They may come in any order; no lists
// and an error both mean that the source does not know. ReadCRLs makes a source from
// files.
//
// The Verifier checks the lists: their issuer and signature against the anchor, their
// scope against the leaf. A list covers a signature if it was issued at or after the
// signing time, and before the leaf expired. A list that names the leaf outweighs all lists
// that do not; if it only suspends the leaf, a later list that removes the leaf (RFC 5280,
// 5.3.1) cancels it. A list with an unknown critical extension is not used, but if it names
// the leaf, lists that do not name it no longer make the result RevocationGood.
type RevocationSource func(ctx context.Context, leaf *x509.Certificate, signedAt time.Time) ([]*x509.RevocationList, error)

// Revocation is what is known about the revocation of a signer's certificate. The set
// is closed.
type Revocation string

// The results of the check.
const (
	RevocationUnchecked Revocation = "unchecked"     // VerifierOptions.Revocation is nil
	RevocationGood      Revocation = "good"          // a list that covers the signing time does not name the certificate
	RevocationUnknown   Revocation = "unknown"       // no list, or none that covers the signing time
	RevocationLater     Revocation = "revoked-later" // revoked after signing time
	RevocationRevoked   Revocation = "revoked"       // revoked at or before signing time, or invalid since then (RFC 5280, 5.3.2)
)

// checkRevocation asks the source, if there is one: RFC 6109, 2.2.2. If the source does
// not know, that is a warning: the lists are not always available.
func (c *check) checkRevocation() error {
	c.findings.Revocation = RevocationUnchecked
	if c.verifier.opts.Revocation == nil {
		return nil
	}
	leaf, signedAt := c.findings.Signer, c.signedAt()
	lists, _ := c.verifier.opts.Revocation(c.ctx, leaf, signedAt) // an error means the same as no lists
	if err := c.ctx.Err(); err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	c.findings.Revocation = c.judge(lists, leaf, signedAt)
	switch c.findings.Revocation {
	case RevocationRevoked:
		return failed(CodeRevoked, "the certificate of %q was revoked at or before the signing time, %v", leaf.Subject, signedAt)
	case RevocationLater:
		c.warn(WarningRevokedLater)
	case RevocationUnknown:
		c.warn(WarningRevocationUnknown)
	}
	return nil
}

// revocationUnclear is the answer of a list that names the leaf in an entry, or under
// extensions, that cannot be read. It outweighs all lists that do not name the leaf.
const revocationUnclear Revocation = "unclear"

// judge combines the answers of the lists that the leaf's issuer signed.
func (c *check) judge(lists []*x509.RevocationList, leaf *x509.Certificate, signedAt time.Time) Revocation {
	var statements []statement
	for _, list := range lists {
		if list != nil && list.Issuer.String() == leaf.Issuer.String() &&
			c.anchor.signed(list.SignatureAlgorithm, list.RawTBSRevocationList, list.Signature) {
			statements = append(statements, readStatement(list, leaf))
		}
	}
	found := map[Revocation]bool{}
	for i := range statements {
		s := &statements[i]
		if !slices.ContainsFunc(statements, func(later statement) bool { return later.lifts(s, leaf) }) {
			found[s.answer(leaf, signedAt)] = true
		}
	}
	for _, answer := range []Revocation{RevocationRevoked, RevocationLater} {
		if found[answer] {
			return answer
		}
	}
	if found[RevocationGood] && !found[revocationUnclear] {
		return RevocationGood
	}
	return RevocationUnknown
}

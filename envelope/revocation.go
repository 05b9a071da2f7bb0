package envelope

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"time"
)

// RevocationSource gives the certificate revocation lists (CRL, RFC 5280, 5) by
// which to judge a leaf that signed at the given time, in any order; none or an
// error when it has none. The lists need no checking: issuer, signature and scope
// are held against anchor and leaf, and one that names the leaf outweighs all that
// do not. Only a later list that removes the leaf (RFC 5280, 5.3.1) ends a suspension.
// A list with an unknown critical extension is not used. ReadCRLs makes a source of files.
type RevocationSource func(ctx context.Context, leaf *x509.Certificate, signedAt time.Time) ([]*x509.RevocationList, error)

// Revocation is what is known of the revocation of a signer's certificate.
type Revocation string

// The answers.
const (
	RevocationUnchecked Revocation = "unchecked"     // the verifier has no source
	RevocationGood      Revocation = "good"          // a list that covers the signing time does not name it
	RevocationUnknown   Revocation = "unknown"       // no list, or none that covers the signing time
	RevocationLater     Revocation = "revoked-later" // revoked after signing time
	RevocationRevoked   Revocation = "revoked"       // revoked at or before signing time, or invalid since then (RFC 5280, 5.3.2)
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
	c.facts.Revocation = c.judge(lists, leaf, signedAt)
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

// revocationUnclear is the answer of a list that names the leaf in a way that
// cannot be read. It outweighs all lists that do not name it.
const revocationUnclear Revocation = "unclear"

// judge weighs what the lists of the leaf's issuer say.
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

package envelope

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gopec/gopec/internal/multipart"
)

// Verifier holds the anchors and options that messages are verified with. Make one
// with NewVerifier; the zero value proves nothing. It is safe for concurrent use.
//
// A message is proven when all of these hold. They are checked in this order, and the
// first that fails decides the Code (RFC 6109, 2.2.2 and 7):
//
//  1. The message is multipart/signed with exactly two parts (RFC 1847).
//  2. The second part is a CMS SignedData over the exact bytes of the first, with signed
//     attributes and one signer, whose certificate is enclosed.
//  3. The certificate was issued directly by an anchor, was valid at signing time, and
//     is for a provider's service address.
//  4. The certificate was not revoked at signing time, if VerifierOptions.Revocation
//     knows.
//  5. The From field holds one address, that of the certificate.
//  6. The signed part holds one daticert.xml, complete for its kind. The title of the
//     provider's text names that kind. Under an unknown title, daticert.xml must come
//     before everything that others wrote. An anomaly envelope has no daticert.xml, but
//     the message it wraps.
//  7. The marker headers, which are not signed, do not contradict daticert.xml.
//  8. If VerifierOptions.Index is set, it lists the signer, which manages the domain
//     concerned.
type Verifier struct {
	anchors []Anchor
	opts    VerifierOptions
	leaves  leaves
	rooms   sync.Pool // of *room
}

// room holds the buffers that checks read a message into. Findings do not refer to them.
type room struct {
	block   [multipart.BlockSize]byte
	content [16 << 10]byte // one small part at a time
}

// VerifierOptions are the optional settings of a Verifier.
type VerifierOptions struct {
	// AllowLegacy accepts the leaf certificates of genuine messages up to about 2017:
	// signed with SHA-1, without extended key usage, or with RSA keys of 1024 to 2047
	// bits. False refuses them with CodeLegacy. Shorter keys are always refused.
	AllowLegacy bool
	// Revocation supplies revocation lists. Nil checks none; Findings.Revocation is
	// then RevocationUnchecked.
	Revocation RevocationSource
	// Index restricts signers to the providers it lists, and each provider to its
	// domains. Other signers are refused with CodeUntrusted. An index lists current
	// certificates: use it for mail that arrives, not for archives. Nil sets no
	// restriction.
	Index *Index
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// NewVerifier returns a Verifier that trusts the given anchors and nothing else.
// Without anchors the error is ErrNoAnchors. Nil opts mean the zero value.
func NewVerifier(anchors []Anchor, opts *VerifierOptions) (*Verifier, error) {
	if len(anchors) == 0 {
		return nil, ErrNoAnchors
	}
	for _, a := range anchors {
		rsaKey, isRSA := a.PublicKey.(*rsa.PublicKey)
		ecKey, isEC := a.PublicKey.(*ecdsa.PublicKey)
		if rsaKey == nil && ecKey == nil || isRSA && rsaKey.N == nil || isEC && ecKey.Curve == nil {
			return nil, fmt.Errorf("envelope: anchor %q: PublicKey is %T, not a valid *rsa.PublicKey or *ecdsa.PublicKey", a.Name, a.PublicKey)
		}
	}
	v := &Verifier{anchors: slices.Clone(anchors)}
	v.rooms.New = func() any { return new(room) }
	for i := range v.anchors {
		v.anchors[i].Hosts = slices.Clone(v.anchors[i].Hosts)
		v.anchors[i].Policy = slices.Clone(v.anchors[i].Policy)
	}
	if opts != nil {
		v.opts = *opts
	}
	if v.opts.Now == nil {
		v.opts.Now = time.Now
	}
	return v, nil
}

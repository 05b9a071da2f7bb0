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

// Verifier holds what a message is judged by. It is safe for concurrent use.
//
// A message is proven when all of these hold; they are checked in this order and
// the first that fails names the Code (RFC 6109, 2.2.2 and 7):
//
//  1. It is multipart/signed with exactly two parts (RFC 1847).
//  2. The second part is a CMS SignedData with one signer whose certificate is
//     enclosed, over the exact bytes of the first, with signed attributes.
//  3. The certificate was issued by an anchor itself, was valid at signing time,
//     and is that of a provider's service address.
//  4. It was not revoked at signing time, where the caller can tell.
//  5. The one From address is the certificate's.
//  6. The signed part holds one daticert.xml, complete for its kind, under the title
//     of that kind. Under an unknown title it stands before all that others wrote.
//  7. The marker headers, which are not signed, do not contradict it.
//  8. With a provider index: the signer is in it and manages the domain concerned.
type Verifier struct {
	anchors []Anchor
	opts    VerifierOptions
	leaves  leaves
	rooms   sync.Pool // of *room
}

// room is what a message is read into: for its checks, not for what they find.
type room struct {
	block   [multipart.BlockSize]byte
	content [16 << 10]byte // of one small part at a time
}

// VerifierOptions are the optional settings of a Verifier.
type VerifierOptions struct {
	// AllowLegacy admits what genuine messages up to about 2017 have: leaf
	// certificates signed with SHA-1, without extended key usage, or with RSA keys
	// of 1024 bits. False refuses them with CodeLegacy.
	AllowLegacy bool
	// Revocation tells of revoked certificates. Nil checks none, and the verdict says so.
	Revocation RevocationSource
	// Index restricts signers to the providers it lists and to their domains; others
	// are refused with CodeUntrusted. It knows the certificates of today: it is for
	// mail that arrives, not for archives. Nil asks for none.
	Index *Index
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// NewVerifier makes a Verifier that trusts the given anchors and nothing else.
// Without anchors the error is ErrNoAnchors. Nil opts is the zero value.
func NewVerifier(anchors []Anchor, opts *VerifierOptions) (*Verifier, error) {
	if len(anchors) == 0 {
		return nil, ErrNoAnchors
	}
	for _, a := range anchors {
		rsaKey, isRSA := a.PublicKey.(*rsa.PublicKey)
		ecKey, isEC := a.PublicKey.(*ecdsa.PublicKey)
		if rsaKey == nil && ecKey == nil || isRSA && rsaKey.N == nil || isEC && ecKey.Curve == nil {
			return nil, fmt.Errorf("envelope: anchor %q: a key of type %T", a.Name, a.PublicKey)
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

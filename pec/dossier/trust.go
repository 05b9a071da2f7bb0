package dossier

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/gopec/gopec/envelope"
)

// trust is what the messages of a dossier are verified with.
type trust struct {
	verifier *envelope.Verifier
	keys     map[string][]byte // public keys of the anchors in DER, by their SHA-256 in hexadecimal
}

// newTrust returns the trust in these anchors. It names each anchor by the SHA-256 of its
// key: the caller's names must not change the dossier.
func newTrust(anchors []envelope.Anchor, crls [][]byte, legacy bool, now func() time.Time) (*trust, error) {
	t := &trust{keys: map[string][]byte{}}
	named := make([]envelope.Anchor, len(anchors))
	for i, a := range anchors {
		key, err := x509.MarshalPKIXPublicKey(a.PublicKey)
		if err != nil {
			return nil, fmt.Errorf("dossier: anchor %q: %w", a.Name, err)
		}
		digest := sha256.Sum256(key)
		a.Name = hex.EncodeToString(digest[:])
		t.keys[a.Name] = key
		named[i] = a
	}
	opts := &envelope.VerifierOptions{AllowLegacy: legacy, Now: now}
	if len(crls) > 0 {
		lists := make([]*x509.RevocationList, len(crls))
		for i, der := range crls {
			var err error
			if lists[i], err = x509.ParseRevocationList(der); err != nil {
				return nil, fmt.Errorf("dossier: revocation list %d: %w", i+1, err)
			}
		}
		opts.Revocation = func(context.Context, *x509.Certificate, time.Time) ([]*x509.RevocationList, error) { return lists, nil }
	}
	var err error
	t.verifier, err = envelope.NewVerifier(named, opts)
	return t, err
}

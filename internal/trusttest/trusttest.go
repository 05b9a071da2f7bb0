// Package trusttest makes tests trust a network of package pectest. pectest itself does
// not import package envelope.
package trusttest

import (
	"crypto/tls"
	"testing"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec/pectest"
)

// Anchors returns the only anchor of a network: its signing CA.
func Anchors(n *pectest.Network) []envelope.Anchor {
	return []envelope.Anchor{envelope.AnchorFromCertificate(n.SigningCA())}
}

// Verifier returns a verifier that proves what the providers of a network sign. Nil opts
// mean the zero value. It fails the test if opts are invalid.
func Verifier(tb testing.TB, n *pectest.Network, opts *envelope.VerifierOptions) *envelope.Verifier {
	tb.Helper()
	v, err := envelope.NewVerifier(Anchors(n), opts)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// TLS returns a configuration that trusts the servers of a network, and no others.
func TLS(n *pectest.Network) *tls.Config { return &tls.Config{RootCAs: n.TLSRoots()} }

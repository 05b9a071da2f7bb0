// Package trusttest makes what trusts a network of package pectest, for tests. pectest
// itself knows nothing of package envelope.
package trusttest

import (
	"crypto/tls"
	"testing"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec/pectest"
)

// Anchors are the one anchor of a network: its signing CA.
func Anchors(n *pectest.Network) []envelope.Anchor {
	return []envelope.Anchor{envelope.AnchorFromCertificate(n.SigningCA())}
}

// Verifier proves what the providers of a network sign.
func Verifier(tb testing.TB, n *pectest.Network, opts *envelope.VerifierOptions) *envelope.Verifier {
	tb.Helper()
	v, err := envelope.NewVerifier(Anchors(n), opts)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// TLS trusts the servers of a network, and no others.
func TLS(n *pectest.Network) *tls.Config { return &tls.Config{RootCAs: n.TLSRoots()} }

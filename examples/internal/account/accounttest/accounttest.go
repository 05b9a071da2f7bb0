// Package accounttest gives the tests of the example programs mailboxes of a network of
// package pectest: as flags of a program, or as a client.
package accounttest

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/pec/provider"
)

// Flags returns the flags that name the first account of a network, and sets the
// environment variable PEC_TEST_PASSWORD to its password.
func Flags(t *testing.T, n *pectest.Network) []string {
	t.Helper()
	a := n.Access(n.Accounts()[0].Address)
	folder := t.TempDir()
	ca, anchors := filepath.Join(folder, "ca.pem"), filepath.Join(folder, "anchors.pem")
	require.NoError(t, os.WriteFile(ca, n.TLSRootPEM(), 0o600))
	require.NoError(t, os.WriteFile(anchors, AnchorPEM(n), 0o600))
	t.Setenv("PEC_TEST_PASSWORD", a.Password)
	return []string{
		"-smtp", a.SMTP, "-imap", a.IMAP, "-user", a.Login,
		"-password-env", "PEC_TEST_PASSWORD", "-ca", ca, "-anchors", anchors,
	}
}

// AnchorPEM returns the content of a file for the flag -anchors: the signing CA of a
// network.
func AnchorPEM(n *pectest.Network) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: n.SigningCA().Raw})
}

// Client returns a client for an account of a network. Its connections end with the test.
func Client(t *testing.T, n *pectest.Network, address string, opts *pec.Options) *pec.Client {
	t.Helper()
	a := n.Access(address)
	preset := provider.Preset{SMTP: a.SMTP, IMAP: a.IMAP, TLS: a.TLS, Anchors: trusttest.Anchors(n)}
	conn, err := preset.Connect(pec.Password(a.Login, a.Password), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	client, err := conn.NewClient(a.Address, opts)
	require.NoError(t, err)
	return client
}

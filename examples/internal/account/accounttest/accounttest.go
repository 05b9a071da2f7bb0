// Package accounttest gives the tests of the example programs a mailbox to work with.
package accounttest

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

// Flags gives the flags that name the first account of a network, and puts its
// password into the environment.
func Flags(t *testing.T, n *pectest.Network) []string {
	t.Helper()
	provider, account := n.Providers()[0], n.Accounts()[0]
	folder := t.TempDir()
	ca, anchors := filepath.Join(folder, "ca.pem"), filepath.Join(folder, "anchors.pem")
	require.NoError(t, os.WriteFile(ca, n.TLSRootPEM(), 0o600))
	signing := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: n.SigningCA().Raw})
	require.NoError(t, os.WriteFile(anchors, signing, 0o600))
	t.Setenv("PEC_TEST_PASSWORD", account.Password)
	return []string{
		"-smtp", provider.SMTPAddr(), "-imap", provider.IMAPAddr(), "-user", account.Login,
		"-password-env", "PEC_TEST_PASSWORD", "-ca", ca, "-anchors", anchors,
	}
}

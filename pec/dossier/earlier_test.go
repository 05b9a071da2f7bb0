package dossier_test

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec/dossier"
)

// Dossiers that an earlier version wrote verify: the order of notices of one second, and the
// texts about content that differs, are part of what is compared.
func TestDossiersOfAnEarlierVersionVerify(t *testing.T) {
	der, err := os.ReadFile("testdata/earlier/ca.cer")
	require.NoError(t, err)
	ca, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	paths, err := filepath.Glob("testdata/earlier/*.zip")
	require.NoError(t, err)
	require.Len(t, paths, 4)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			written, err := os.ReadFile(path)
			require.NoError(t, err)
			_, err = dossier.Verify(t.Context(), bytes.NewReader(written), int64(len(written)),
				[]envelope.Anchor{envelope.AnchorFromCertificate(ca)},
				&dossier.VerifyOptions{Now: func() time.Time { return time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC) }})
			require.NoError(t, err)
		})
	}
}

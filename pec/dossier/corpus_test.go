package dossier_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/dossier"
)

// genuine gives files of the corpus as a folder.
func genuine(t testing.TB, names ...string) fs.FS {
	t.Helper()
	folder := fstest.MapFS{}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(testenv.Corpus(t, "genuine"), name))
		require.NoError(t, err)
		folder[name] = &fstest.MapFile{Data: b}
	}
	return folder
}

// The acceptance and the delivery of one message of 2018, by the national CA.
func genuineDossier(t testing.TB) ([]byte, *dossier.Report) {
	t.Helper()
	var b bytes.Buffer
	folder := genuine(t, "aruba-2018-acceptance.eml", "aruba-2018-delivery.eml")
	report, err := dossier.Write(context.Background(), &b, dossier.FromFolder(folder, ""), envelope.BuiltinAnchors(), nil)
	require.NoError(t, err)
	return b.Bytes(), report
}

func TestGenuineNotices(t *testing.T) {
	zip, report := genuineDossier(t)
	require.Equal(t, pec.ResultDelivered, report.Result)
	require.True(t, report.Elsewhere)
	require.Equal(t, "2018-11-13T16:39:26+01:00", report.SentAt)
	require.Len(t, report.Proofs, 2)
	require.Len(t, report.Recipients, 1)
	require.Equal(t, 2, report.Recipients[0].Proof)
	require.Equal(t, "2018-11-13T16:39:27+01:00", report.Recipients[0].Time)
	require.Len(t, report.Missing, 1)
	require.Equal(t, dossier.GapOriginal, report.Missing[0].What)
	again, err := dossier.Verify(t.Context(), bytes.NewReader(zip), int64(len(zip)), envelope.BuiltinAnchors(), nil)
	require.NoError(t, err)
	require.Equal(t, report, again)
	// A dossier is verified for decades: what is written for the same evidence may
	// change only together with dossier.Form.
	sum := sha256.Sum256(zip)
	require.Equal(t, "f23b90efbc1e0f40c44adb11ca02defa997896aabcad133869a499188b6f99fd", hex.EncodeToString(sum[:]))
}

// Notices of the time of DigitPA: by who wrote the dossier and by who verifies it.
func TestLegacyNotices(t *testing.T) {
	folder := genuine(t, "aruba-2014-acceptance.eml", "aruba-2014-delivery.eml")
	_, err := dossier.Write(t.Context(), io.Discard, dossier.FromFolder(folder, ""), envelope.BuiltinAnchors(), nil)
	require.Equal(t, dossier.ReasonUnknown, reason(t, err).Reason)
	var b bytes.Buffer
	report, err := dossier.Write(t.Context(), &b, dossier.FromFolder(folder, ""), envelope.BuiltinAnchors(), &dossier.Options{AllowLegacy: true})
	require.NoError(t, err)
	require.Equal(t, pec.ResultDelivered, report.Result)
	require.True(t, report.Proofs[0].Legacy)
	zip := b.Bytes()
	_, err = dossier.Verify(t.Context(), bytes.NewReader(zip), int64(len(zip)), envelope.BuiltinAnchors(), &dossier.VerifyOptions{AllowLegacy: true})
	require.NoError(t, err)
	_, err = dossier.Verify(t.Context(), bytes.NewReader(zip), int64(len(zip)), envelope.BuiltinAnchors(), nil)
	require.Equal(t, envelope.CodeLegacy, reason(t, err).Alterations[0].Code)
}

package dossier_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/dossier"
)

func TestGenuineNotices(t *testing.T) {
	zipped, report := genuineDossier(t)
	require.Equal(t, pec.ResultDelivered, report.Result)
	require.True(t, report.Elsewhere)
	require.Equal(t, "2018-11-13T16:39:26+01:00", report.SentAt)
	require.Len(t, report.Proofs, 2)
	require.Len(t, report.Recipients, 1)
	require.Equal(t, 2, report.Recipients[0].Proof)
	require.Equal(t, "2018-11-13T16:39:27+01:00", report.Recipients[0].Time)
	require.Len(t, report.Missing, 1)
	require.Equal(t, dossier.GapOriginal, report.Missing[0].What)
	again, err := dossier.Verify(t.Context(), bytes.NewReader(zipped), int64(len(zipped)), envelope.BuiltinAnchors(), nil)
	require.NoError(t, err)
	require.Equal(t, report, again)
	// Dossiers are verified for decades: the bytes that are written for the same evidence may
	// change only together with dossier.Schema.
	sum := sha256.Sum256(zipped)
	require.Equal(t, "f23b90efbc1e0f40c44adb11ca02defa997896aabcad133869a499188b6f99fd", hex.EncodeToString(sum[:]))
}

// Notices from the time of DigitPA are accepted only if both the writer and the verifier of
// the dossier allow it.
func TestLegacyNotices(t *testing.T) {
	folder := genuine(t, "aruba-2014-acceptance.eml", "aruba-2014-delivery.eml")
	_, err := dossier.Write(t.Context(), io.Discard, dossier.FromFolder(folder, ""), envelope.BuiltinAnchors(), nil)
	require.Equal(t, dossier.ReasonUnknown, reason(t, err).Reason)
	var b bytes.Buffer
	report, err := dossier.Write(t.Context(), &b, dossier.FromFolder(folder, ""), envelope.BuiltinAnchors(), &dossier.Options{AllowLegacy: true})
	require.NoError(t, err)
	require.Equal(t, pec.ResultDelivered, report.Result)
	require.True(t, report.Proofs[0].Legacy)
	zipped := b.Bytes()
	_, err = dossier.Verify(t.Context(), bytes.NewReader(zipped), int64(len(zipped)), envelope.BuiltinAnchors(), &dossier.VerifyOptions{AllowLegacy: true})
	require.NoError(t, err)
	_, err = dossier.Verify(t.Context(), bytes.NewReader(zipped), int64(len(zipped)), envelope.BuiltinAnchors(), nil)
	require.Equal(t, envelope.CodeLegacy, reason(t, err).Alterations[0].Code)
}

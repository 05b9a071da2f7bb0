package envelope_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/testenv"
)

func builtinVerifier(t *testing.T) *envelope.Verifier {
	t.Helper()
	v, err := envelope.NewVerifier(envelope.BuiltinAnchors(), &envelope.VerifierOptions{AllowLegacy: true})
	require.NoError(t, err)
	return v
}

const marker = "X-Ricevuta: avvenuta-consegna\r\n"

// S/MIME of many programs, and the attacks of "Johnny, you are fired", are not PEC. A
// marker header does not make them PEC.
func TestForeignSignedMailIsRefused(t *testing.T) {
	dir, v := testenv.Corpus(t, "generic"), builtinVerifier(t)
	table, err := os.ReadFile(filepath.Join("testdata", "generic.tsv"))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(table)), "\n")[1:]
	require.Len(t, lines, 107)
	tabled := map[string]bool{}
	atCMS := 0
	for _, line := range lines {
		file, code, _ := strings.Cut(line, "\t")
		tabled[file] = true
		t.Run(file, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
			require.NoError(t, err)
			ve := refused(t, raw, v)
			require.EqualValues(t, code, ve.Code, ve.Err)
			require.Equal(t, envelope.KindNone, ve.Findings.Kind)

			ve = refused(t, append([]byte(marker), raw...), v)
			require.EqualValues(t, code, ve.Code, ve.Err)
			require.Equal(t, envelope.KindDelivery, ve.Findings.Kind)
			if code != string(envelope.CodeUnsigned) && code != string(envelope.CodeMalformed) {
				atCMS++
			}
		})
	}
	require.Equal(t, 41, atCMS, "the signed ones reach the signature")
	for _, folder := range []string{"spoofing", "smime"} {
		files, err := filepath.Glob(filepath.Join(dir, folder, "*.eml"))
		require.NoError(t, err)
		for _, f := range files {
			require.True(t, tabled[folder+"/"+filepath.Base(f)], "%s is not in the table", f)
		}
	}
}

// Broken mail of every kind is refused, and quickly.
func TestBrokenMailIsRead(t *testing.T) {
	v := builtinVerifier(t)
	files, err := filepath.Glob(filepath.Join(testenv.Corpus(t, "generic/mime"), "*"))
	require.NoError(t, err)
	require.Len(t, files, 332)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		require.NoError(t, err)
		for _, first := range []string{"", marker} {
			start := time.Now()
			_, err := envelope.Open(t.Context(), bytes.NewReader(append([]byte(first), raw...)), v)
			_, ok := errors.AsType[*envelope.VerifyError](err)
			require.True(t, ok, "%s: %v", f, err)
			require.Less(t, time.Since(start), time.Second, f)
		}
	}
}

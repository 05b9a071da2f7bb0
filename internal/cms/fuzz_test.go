package cms

import (
	"bytes"
	"crypto/x509"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/multipart"
	"github.com/gopec/gopec/internal/vectors"
)

// signatures returns the signatures of all vectors, genuine and forged.
func signatures(t testing.TB) [][]byte {
	t.Helper()
	all, err := vectors.Load()
	require.NoError(t, err)
	var found [][]byte
	for _, v := range all {
		outer, err := multipart.ReadPart(io.NewSectionReader(bytes.NewReader(v.Message), 0, int64(len(v.Message))))
		require.NoError(t, err)
		sections, err := outer.Split(10)
		if err != nil || len(sections) < 2 {
			continue
		}
		p, err := multipart.ReadPart(sections[1])
		require.NoError(t, err)
		if der, err := p.Content(MaxSize, nil); err == nil {
			found = append(found, der)
		}
	}
	require.Greater(t, len(found), 200)
	return found
}

// Normalising twice changes nothing more. No input panics. Each error is an *Error, and
// comes without a result.
func FuzzParse(f *testing.F) {
	for _, der := range signatures(f) {
		f.Add(der)
	}
	for _, seed := range []string{"3003020105", "3080308002010500000000", "24800401aa0402bbcc0000", "240a24050401aa04000401bb"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) <= MaxSize {
			_, wasBER, err := scan(in)
			require.Equal(t, err == nil && !wasBER, isDER(in))
		}
		der, ber, err := normalize(in)
		if err != nil {
			requireOurs(t, err)
			require.Nil(t, der)
			_, err = Parse(in, x509.ParseCertificate)
			requireOurs(t, err)
			return
		}
		require.Equal(t, !ber, bytes.Equal(in, der))
		again, ber, err := normalize(der)
		require.NoError(t, err)
		require.False(t, ber)
		require.Equal(t, der, again)

		sig, err := Parse(in, x509.ParseCertificate)
		if err != nil {
			requireOurs(t, err)
			require.Nil(t, sig)
			return
		}
		require.NotNil(t, sig.Certificate)
		require.True(t, sig.Digest.Available())
		if err := sig.Verify(); err != nil {
			requireOurs(t, err)
		}
		same, err := Parse(der, x509.ParseCertificate)
		require.NoError(t, err)
		require.Equal(t, sig.attributes, same.attributes)
	})
}

package envelope

import (
	"bytes"
	"context"
	"crypto"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Line ends are recognised however the bytes are cut into writes.
func TestLineEndsInAnyPieces(t *testing.T) {
	bare := regexp.MustCompile(`(^|[^\r])\n`)
	random := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		text := make([]byte, random.IntN(8))
		for i := range text {
			text[i] = "\r\nx"[random.IntN(3)]
		}
		canonical := text
		for bare.Match(canonical) {
			canonical = bare.ReplaceAll(canonical, []byte("$1\r\n"))
		}
		var out bytes.Buffer
		writer := &canonicalWriter{w: &out}
		for rest := text; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			written, err := writer.Write(rest[:n])
			require.NoError(t, err)
			require.Equal(t, n, written)
			rest = rest[n:]
		}
		require.Equal(t, string(canonical), out.String(), "%q", text)
	}
}

func TestDigestsOfBothForms(t *testing.T) {
	for stored, canonical := range map[string]string{"a\r\nb\r\n": "a\r\nb\r\n", "a\nb\r\n": "a\r\nb\r\n", "": ""} {
		section := io.NewSectionReader(strings.NewReader(stored), 0, int64(len(stored)))
		p := signedPart{section, stored != canonical, nil}
		for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA1, crypto.SHA256} {
			for isCanonical, want := range map[bool]string{false: stored, true: canonical} {
				got, err := p.digest(t.Context(), h, isCanonical, make([]byte, 100))
				require.NoError(t, err)
				sum := h.New()
				sum.Write([]byte(want))
				require.Equal(t, sum.Sum(nil), got)
			}
		}
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	p := signedPart{io.NewSectionReader(strings.NewReader("x"), 0, 1), false, nil}
	_, err := p.digest(done, crypto.SHA256, false, make([]byte, 100))
	require.ErrorIs(t, err, context.Canceled)
}

package envelope

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// However the bytes are cut into writes, line ends are seen as they are.
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
		lines := new(lineEnds)
		var out bytes.Buffer
		writer := &canonicalWriter{w: &out}
		for rest := text; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			for _, w := range []io.Writer{lines, writer} {
				written, err := w.Write(rest[:n])
				require.NoError(t, err)
				require.Equal(t, n, written)
			}
			rest = rest[n:]
		}
		require.Equal(t, bare.Match(text), lines.bareLF, "%q", text)
		require.Equal(t, string(canonical), out.String(), "%q", text)
	}
}

func TestDigestsOfBothForms(t *testing.T) {
	sum := func(s string) []byte { h := sha256.Sum256([]byte(s)); return h[:] }
	section := func(s string) *io.SectionReader {
		return io.NewSectionReader(bytes.NewReader([]byte(s)), 0, int64(len(s)))
	}
	for stored, canonical := range map[string]string{"a\r\nb\r\n": "a\r\nb\r\n", "a\nb\r\n": "a\r\nb\r\n", "": ""} {
		d, err := digestSigned(t.Context(), section(stored), crypto.SHA256)
		require.NoError(t, err)
		require.Equal(t, sum(stored), d.asStored)
		require.Equal(t, sum(canonical), d.canonical)
		require.Equal(t, sum(canonical), d.key[:])

		d, err = digestSigned(t.Context(), section(stored), crypto.SHA1)
		require.NoError(t, err)
		require.Len(t, d.asStored, 20)
		require.Equal(t, sum(canonical), d.key[:])
	}
}

package multipart_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/multipart"
)

func readPart(t *testing.T, raw string) multipart.Part {
	t.Helper()
	p, err := multipart.ReadPart(io.NewSectionReader(strings.NewReader(raw), 0, int64(len(raw))))
	require.NoError(t, err)
	return p
}

// Programs disagree about a header with lines that are not fields, or with a Content- field
// twice.
func TestHeaderErr(t *testing.T) {
	for head, want := range map[string]error{
		"Content-Type: text/plain\r\nX-A: 1\r\nX-A: 2\r\n": nil,
		"":                              nil,
		"Content-Type : text/plain\r\n": nil,
		"nonsense\r\nContent-Type: text/plain\r\n": multipart.ErrHeader,
		"Content-Type: text/plain\r\nnonsense\r\n": multipart.ErrHeader,
		" folded\r\nContent-Type: text/plain\r\n":  multipart.ErrHeader,
		": x\r\n":      multipart.ErrHeader,
		"a b: x\r\n":   multipart.ErrHeader,
		"A\x00: x\r\n": multipart.ErrHeader,
		"\xe0: x\r\n":  multipart.ErrHeader,
		"--a: x\r\n":   multipart.ErrHeader,
		"X-A: 1\rContent-Disposition: attachment; filename=daticert.xml\r\n": multipart.ErrHeader,
		"Content-Type: text/plain\r\nCONTENT-TYPE: text/plain\r\n":           multipart.ErrHeader,
		"Content-Disposition: inline\r\ncontent-disposition : inline":        multipart.ErrHeader,
		"Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding:":      multipart.ErrHeader,
		"Content-Type: text/plain; name=a; name=b\r\n":                       header.ErrParams,
		"Content-Disposition: inline; filename=a; filename=b\r\n":            header.ErrParams,
	} {
		require.ErrorIs(t, readPart(t, head+"\r\nbody").HeaderErr(), want, head)
	}
}

// Prefix returns the beginning of what Content returns, whatever the encoding.
func TestPrefixIsTheBeginningOfTheContent(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	pieces := []string{"=", "=3C", "<", "\r\n", "\n", " ", "PD94", "bWw=", "a", "=\r\n", "-", "\t"}
	read := 0
	for _, encoding := range []string{"base64", "quoted-printable", "7bit", ""} {
		for range 2000 {
			var body strings.Builder
			for range random.IntN(12) {
				body.WriteString(pieces[random.IntN(len(pieces))])
			}
			p := readPart(t, "Content-Transfer-Encoding: "+encoding+"\r\n\r\n"+body.String())
			content, err := p.Content(1<<10, nil)
			if err != nil {
				continue
			}
			read++
			prefix, err := p.Prefix(make([]byte, 1+random.IntN(16)))
			require.NoError(t, err)
			require.True(t, bytes.HasPrefix(content, prefix), "%s %q: %q is not the beginning of %q", encoding, body.String(), prefix, content)
			whole, err := p.Prefix(make([]byte, 1<<10))
			require.NoError(t, err)
			require.Equal(t, string(content), string(whole))
		}
	}
	require.Greater(t, read, 4000)
}

func TestPrefixEndsBeforeWhatIsNotEncoded(t *testing.T) {
	p := readPart(t, "Content-Transfer-Encoding: base64\r\n\r\nPD94!!!!")
	prefix, err := p.Prefix(make([]byte, 64))
	require.NoError(t, err)
	require.LessOrEqual(t, len(prefix), 3)
}

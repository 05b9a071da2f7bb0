package multipart_test

import (
	"bytes"
	"fmt"
	"io"
	stdmultipart "mime/multipart"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/multipart"
)

func TestSplit(t *testing.T) {
	long := strings.Repeat("x", 100<<10)
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"CRLF":                        {"pre\r\n--b\r\none\r\n--b\r\ntwo\r\n--b--\r\nepilogue", []string{"one", "two"}},
		"LF":                          {"pre\n--b\none\n--b\ntwo\n--b--\n", []string{"one", "two"}},
		"no preamble":                 {"--b\r\none\r\n--b--", []string{"one"}},
		"the last line end is kept":   {"--b\r\none\r\n\r\n--b--", []string{"one\r\n"}},
		"a lone CR is kept":           {"--b\r\none\r\r\n--b--", []string{"one\r"}},
		"empty part":                  {"--b\r\n--b\r\n\r\n--b--", []string{"", ""}},
		"padding":                     {"--b \t\r\none\r\n--b-- \r\n", []string{"one"}},
		"a longer boundary":           {"--b\r\none\r\n--b1\r\n--b--1\r\n--b--\r\n", []string{"one\r\n--b1\r\n--b--1"}},
		"not at the start of a line":  {"--b\r\n x --b\r\n --b\r\n--b--\r\n", []string{" x --b\r\n --b"}},
		"no last delimiter":           {"--b\r\none\r\n--b\r\ntwo\r\n", []string{"one", "two\r\n"}},
		"nothing after the last one":  {"--b\r\none\r\n--b--\r\n--b\r\ntwo\r\n--b--", []string{"one"}},
		"no delimiter":                {"one\r\ntwo\r\n", nil},
		"empty":                       {"", nil},
		"a line longer than a buffer": {"--b\r\n" + long + "--b\r\n--b--", []string{long + "--b"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := split(t, c.body, "b", 10)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

// The line end of a delimiter may be anywhere in the buffer.
func TestSplitAtEveryPlaceOfTheBuffer(t *testing.T) {
	for n := 64<<10 - 40; n < 64<<10+20; n++ {
		content := strings.Repeat("x", n)
		got, err := split(t, "--b\r\n"+content+"\r\n--b\r\ntwo\r\n--b--\r\n", "b", 2)
		require.NoError(t, err)
		require.Equal(t, []string{content, "two"}, got, n)
	}
}

func TestSplitLimits(t *testing.T) {
	body := "--b\r\n1\r\n--b\r\n2\r\n--b\r\n3\r\n"
	_, err := split(t, body+"--b--", "b", 3)
	require.NoError(t, err)
	for _, end := range []string{"--b--", ""} {
		_, err = split(t, body+end, "b", 2)
		require.ErrorIs(t, err, multipart.ErrTooManyParts)
	}
	for _, boundary := range []string{"", strings.Repeat("b", 2000)} {
		got, err := split(t, "--"+boundary+"\r\none\r\n--"+boundary+"--", boundary, 2)
		require.NoError(t, err)
		require.Empty(t, got)
	}
}

func TestReadPart(t *testing.T) {
	p, err := multipart.ReadPart(section("Content-Type: Text/Plain; name=a\r\ncontent-disposition: inline; filename=\"b c\"\r\n" +
		"Content-Transfer-Encoding: BASE64\r\n\r\nY2lh\r\n bw==\r\n"))
	require.NoError(t, err)
	require.Equal(t, "text/plain", p.MediaType)
	require.Equal(t, []string{"a", "b c"}, p.Names)
	require.Equal(t, "base64", p.Encoding)
	content, err := p.Content(4, nil)
	require.NoError(t, err)
	require.Equal(t, "ciao", string(content))
	_, err = p.Content(3, nil)
	require.ErrorIs(t, err, multipart.ErrTooLarge)

	p, err = multipart.ReadPart(section("Content-Transfer-Encoding: base64\r\n\r\n###"))
	require.NoError(t, err)
	_, err = p.Content(100, nil)
	require.ErrorIs(t, err, multipart.ErrEncoding)

	_, err = multipart.ReadPart(section(strings.Repeat("a:\n", 64<<10)))
	require.ErrorIs(t, err, header.ErrTooLarge)
}

// The parts are spans of the body, in order. In well-formed bodies they are the parts that
// the standard library finds.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("one"), []byte("two\r\n--b1\r\n"), "b")
	f.Add([]byte(""), []byte("\r\n\r\n"), "----=_1542123566-1838-1410")
	f.Add([]byte("--b--"), []byte("\n--b\n"), "b")
	f.Fuzz(func(t *testing.T, first, second []byte, boundary string) {
		var body bytes.Buffer
		fmt.Fprintf(&body, "--%s\r\n%s\r\n--%s\r\n%s\r\n--%s--\r\n", boundary, first, boundary, second, boundary)
		raw := body.String()
		parts, err := split(t, raw, boundary, 1000)
		if err != nil {
			require.ErrorIs(t, err, multipart.ErrTooManyParts)
			return
		}
		rest := raw
		for _, p := range parts {
			i := strings.Index(rest, p)
			require.GreaterOrEqual(t, i, 0)
			rest = rest[i+len(p):]
		}
		w := stdmultipart.NewWriter(io.Discard)
		if w.SetBoundary(boundary) != nil || strings.ContainsAny(boundary, " ") || bytes.Contains(first, []byte("--")) || bytes.Contains(second, []byte("--")) {
			return
		}
		require.Equal(t, []string{string(first), string(second)}, parts)
	})
}

// Storage may change line ends. That must not change what is a delimiter, not even for one
// of the greatest length, anywhere in a block.
func TestLineEndsDoNotChangeWhatIsADelimiter(t *testing.T) {
	found := map[int]bool{}
	for length := 32<<10 - 4; length <= 32<<10+4; length++ {
		for _, before := range []int{0, 32<<10 - 2, 32 << 10, 32<<10 + 1, 40 << 10} {
			delimiter := "--b" + strings.Repeat(" ", length-3)
			body := "--b\n" + strings.Repeat("x", before) + "\n" + delimiter + "\ntwo\n--b--\n"
			lf, err := split(t, body, "b", 10)
			require.NoError(t, err)
			crlf, err := split(t, strings.ReplaceAll(body, "\n", "\r\n"), "b", 10)
			require.NoError(t, err)
			require.Equal(t, len(lf), len(crlf), "%d bytes after %d", length, before)
			if at, known := found[length]; known {
				require.Equal(t, at, len(lf) == 2)
			}
			found[length] = len(lf) == 2
		}
	}
	require.True(t, found[32<<10-4])
	require.False(t, found[32<<10+4])
}

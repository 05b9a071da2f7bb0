package envelope_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
)

const mebibyte = 1 << 20

// allocated returns the bytes that f allocates on the heap, freed ones included. It is an
// upper bound of what f holds at any time.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A receipt of 100 MiB is verified within a few MiB of memory, from a file and from a
// reader that cannot seek. Its original is read as a stream.
func TestMemoryIsConstantInTheSizeOfTheMessage(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	a := newAuthority(t)
	v := a.verifier(nil)
	original := "Subject: grande\r\n\r\n" + strings.Repeat(strings.Repeat("x", 76)+"\r\n", 100*mebibyte/78)
	path := filepath.Join(t.TempDir(), "large.eml")
	require.NoError(t, os.WriteFile(path, a.deliveryOf(original), 0o600))
	size := int64(len(original))
	original = ""

	for name, open := range map[string]func(f *os.File) io.Reader{
		"file":         func(f *os.File) io.Reader { return f },
		"plain reader": func(f *os.File) io.Reader { return struct{ io.Reader }{f} },
	} {
		t.Run(name, func(t *testing.T) {
			f, err := os.Open(path)
			require.NoError(t, err)
			defer f.Close()
			var m *envelope.Message
			got := allocated(func() { m, err = envelope.Open(t.Context(), open(f), v) })
			require.NoError(t, err)
			require.Less(t, got, uint64(16*mebibyte)) // the race detector doubles it
			r, err := m.Original()
			require.NoError(t, err)
			require.Equal(t, size, r.Size())
			n, err := io.Copy(io.Discard, r)
			require.NoError(t, err)
			require.Equal(t, size, n)
			require.NoError(t, m.Close())
			t.Logf("allocated %d KiB for a message of %d MiB", got/1024, size/mebibyte)
		})
	}
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Empty(t, left)
}

// A message built to be costly is refused, at a cost in proportion to its size.
func TestBombs(t *testing.T) {
	a := newAuthority(t)
	v := a.verifier(nil)
	genuine := string(a.deliveryOf("Subject: x\r\n\r\nx\r\n"))
	signature := genuine[strings.Index(genuine, "\r\n--s\r\nContent-Type: application/pkcs7"):]
	withP7S := func(p7s string) string {
		return genuine[:len(genuine)-len(signature)] + "\r\n--s\r\nContent-Type: application/pkcs7-signature\r\n\r\n" + p7s + "\r\n--s--\r\n"
	}
	signed := func(part string) string { return string(a.sign([]byte(part))) }
	mixed := "Content-Type: multipart/mixed; boundary=m\r\n\r\n"
	certDataPart := func(content string) string {
		return "--m\r\nContent-Type: application/xml; name=daticert.xml\r\n\r\n" + content + "\r\n"
	}
	nested := func(depth int) string {
		var b strings.Builder
		for i := range depth {
			b.WriteString("Content-Type: multipart/mixed; boundary=b" + strings.Repeat("x", i%60) + "\r\n\r\n--b" + strings.Repeat("x", i%60) + "\r\n")
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		raw  string
		want envelope.Code
	}{
		"CMS six megabytes deep":      {withP7S(strings.Repeat("0\x80", 3*mebibyte)), envelope.CodeTooLarge},
		"CMS deep":                    {withP7S(strings.Repeat("0\x80", 100_000)), envelope.CodeTooLarge},
		"CMS wide":                    {withP7S("0\x83\x03\x0d\x40" + strings.Repeat("\x04\x00", 108_544)), envelope.CodeTooLarge},
		"header of many lines":        {"X-A: b\r\n" + strings.Repeat(" \r\n", mebibyte) + genuine, envelope.CodeTooLarge},
		"a hundred thousand parts":    {signed(mixed + strings.Repeat("--m\r\n\r\n\r\n", 100_000) + "--m--\r\n"), envelope.CodeTooLarge},
		"parts of many fields":        {signed(mixed + strings.Repeat("--m\r\n"+strings.Repeat("a:\n", 20_000)+"\r\n\r\n", 100) + "--m--\r\n"), envelope.CodeMalformed},
		"parts of some fields":        {signed(mixed + strings.Repeat("--m\r\n"+strings.Repeat("a:\n", 1000)+"\r\n\r\n", 900) + "--m--\r\n"), envelope.CodeMalformed},
		"parts of XML":                {signed(mixed + strings.Repeat("--m\r\nContent-Type: text/xml\r\n\r\n<a>"+strings.Repeat("<b/>", 2000)+"</a>\r\n", 900) + "--m--\r\n"), envelope.CodeMalformed},
		"parts of a large header":     {signed(mixed + "--m\r\n" + strings.Repeat("a: "+strings.Repeat("x", 500)+"\r\n", 20) + "\r\nx\r\n--m--\r\n"), envelope.CodeMalformed},
		"nested multiparts":           {signed(nested(10_000)), envelope.CodeMalformed},
		"daticert.xml of two MiB":     {signed(mixed + certDataPart("<postacert>"+strings.Repeat(" ", 2*mebibyte)+"</postacert>") + "--m--\r\n"), envelope.CodeTooLarge},
		"daticert.xml of twenty MiB":  {signed(mixed + certDataPart(strings.Repeat(" ", 20*mebibyte)) + "--m--\r\n"), envelope.CodeTooLarge},
		"XML nested":                  {signed(mixed + certDataPart(strings.Repeat("<a>", 300_000)) + "--m--\r\n"), envelope.CodeBadCertData},
		"XML nested in the root":      {signed(mixed + certDataPart("<postacert>"+strings.Repeat("<a>", 300_000)) + "--m--\r\n"), envelope.CodeBadCertData},
		"XML of many attributes":      {signed(mixed + certDataPart("<postacert "+manyAttributes(60_000)+"/>") + "--m--\r\n"), envelope.CodeBadCertData},
		"XML entities":                {signed(mixed + certDataPart(`<!DOCTYPE postacert [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><postacert tipo="&b;"/>`) + "--m--\r\n"), envelope.CodeBadCertData},
		"Content-Type of many params": {"Content-Type: multipart/signed" + manyParams(100_000) + "\r\n\r\n", envelope.CodeMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			raw := []byte(c.raw)
			got := allocated(func() { require.Equal(t, c.want, refusal(t, raw, v)) })
			require.Less(t, got, uint64(len(raw)*40+8*mebibyte))
		})
	}
}

func manyAttributes(n int) string {
	var b bytes.Buffer
	for i := range n {
		b.WriteString("a" + string(rune('a'+i%26)) + strings.Repeat("x", i%7) + "=\"1\" ")
	}
	return b.String()
}

func manyParams(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(";a*" + string(rune('0'+i%10)) + strings.Repeat("1", i%5) + "*=x")
	}
	return b.String()
}

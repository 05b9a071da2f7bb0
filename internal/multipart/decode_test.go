package multipart_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/multipart"
)

func TestOpen(t *testing.T) {
	open := func(encoding, body string) (string, error) {
		p, err := multipart.ReadPart(section("Content-Transfer-Encoding: " + encoding + "\r\n\r\n" + body))
		require.NoError(t, err)
		b, err := io.ReadAll(iotest.OneByteReader(p.Open()))
		again, againErr := io.ReadAll(p.Open())
		require.Equal(t, b, again, "however it is read")
		require.Equal(t, err == nil, againErr == nil)
		return string(b), err
	}
	long := strings.Repeat("x", 200<<10)
	for _, c := range []struct{ encoding, body, want string }{
		{"base64", "Y2lh \r\n\tbw==\r\n", "ciao"},
		{"base64", "", ""},
		{"quoted-printable", "citt=C3=A0 =\r\n!\r\n", "citt\xc3\xa0 !\r\n"},
		{"quoted-printable", long, long},
		{"8bit", "\xe0=41\r\n", "\xe0=41\r\n"},
		{"x-uuencode", "begin 644 a", "begin 644 a"},
	} {
		got, err := open(c.encoding, c.body)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	filler := strings.Repeat("YWJj", 3000)
	for _, c := range []struct{ encoding, body, want string }{
		{"base64", "Y2lhbw==Y2lhbw==", "ciao"},
		{"base64", "Y2lhbw=", "cia"},
		{"base64", "Y2lh#bw=", "cia"},
		{"base64", filler + "YQ==" + filler, strings.Repeat("abc", 3000) + "a"},
		{"quoted-printable", "abc\x01def", "abc"},
	} {
		got, err := open(c.encoding, c.body)
		require.ErrorIs(t, err, multipart.ErrEncoding)
		require.Equal(t, c.want, got)
	}
	broken := io.NewSectionReader(readerAt(func([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }), 0, 10)
	_, err := io.ReadAll(multipart.Part{Encoding: "base64", Body: broken}.Open())
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.NotErrorIs(t, err, multipart.ErrEncoding)
}

type readerAt func([]byte, int64) (int, error)

func (f readerAt) ReadAt(p []byte, off int64) (int, error) { return f(p, off) }

// A body is the same whether it is read at once or as a stream.
func FuzzContent(f *testing.F) {
	for _, s := range []string{"Y2lh\r\nbw==\r\n", "Y2lh bw==", "YQ==YQ==", "YQ=\r\n=", "YQ==\r\n=", "YQ", "", "#", "Y\nQ\n=\n=\n", "YWJjYWJjYWJjYWJj"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, encoding := range []string{"base64", "quoted-printable", "8bit"} {
			p := multipart.Part{Encoding: encoding, Body: section(body)}
			want, wantErr := io.ReadAll(p.Open())
			got, err := p.Content(1<<20, nil)
			require.Equal(t, wantErr == nil, err == nil, "%q: %v, %v", body, wantErr, err)
			if err == nil {
				require.Equal(t, string(want), string(got))
			}
		}
	})
}

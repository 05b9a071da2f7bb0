package charset_test

import (
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/charset"
)

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		label, octets, want string
		sure                bool
	}{
		{"utf-8", "citt\xc3\xa0", "città", true},
		{"UTF8", "citt\xc3\xa0", "città", true},
		{"utf-8", "citt\xe0", "città", false},
		{"iso-8859-1", "citt\xe0 \x80", "città €", true},
		{" ISO-8859-15 ", "\xa4", "€", true},
		{"windows-1252", "\x80", "€", true},
		{"", "citt\xc3\xa0", "città", true},
		{"", "citt\xe0", "città", true},
		{"us-ascii", "citt\xe0", "città", true},
		{"koi8-r", "\xf0", "П", true},
		{"utf-16le", "c\x00i\x00", "ci", true},
		{"iso-2022-jp", "\x1b$B\x24\x22\x1b(B", "あ", true},
		{"gb2312", "\xff\xff", "\ufffd\ufffd", false},
		{"hz-gb-2312", "ciao", "ciao", false},
		{"nonsense", "citt\xe0", "città", false},
	} {
		got, sure := charset.Decode(c.label, []byte(c.octets))
		require.Equal(t, c.want, got, c.label)
		require.Equal(t, c.sure, sure, c.label)
	}
}

func TestNewReader(t *testing.T) {
	r, err := charset.NewReader("nonsense", strings.NewReader("citt\xe0"))
	require.NoError(t, err)
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "città", string(got))
}

func FuzzDecode(f *testing.F) {
	f.Add("iso-2022-jp", []byte("\x1b$B\x24\x22"))
	f.Add("utf-16", []byte("\xff\xfec"))
	f.Fuzz(func(t *testing.T, label string, octets []byte) {
		text, _ := charset.Decode(label, octets)
		require.True(t, utf8.ValidString(text))
	})
}

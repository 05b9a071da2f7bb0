package header_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/header"
)

func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		raw  string
		want header.Header
		size int
	}{
		"CRLF":                    {"A: 1\r\nB: 2\r\n\r\nbody: 3\r\n", header.Header{{"A", "1"}, {"B", "2"}}, 14},
		"LF":                      {"A: 1\nB: 2\n\nbody: 3\n", header.Header{{"A", "1"}, {"B", "2"}}, 11},
		"folded":                  {"A: 1\r\n 2\r\n\t3\r\n\r\n", header.Header{{"A", "1 2\t3"}}, 16},
		"folded at once":          {"A:\r\n <x@y>\r\n\r\n", header.Header{{"A", "<x@y>"}}, 14},
		"space before the colon":  {"From : a@b\r\n\r\n", header.Header{{"From", "a@b"}}, 14},
		"no colon":                {"A: 1\r\nnonsense\r\n folded\r\nB: 2\r\n\r\n", header.Header{{"A", "1"}, {"B", "2"}}, 33},
		"no name":                 {": 1\r\nB: 2\r\n\r\n", header.Header{{"B", "2"}}, 13},
		"a continuation first":    {" x\r\nB: 2\r\n\r\n", header.Header{{"B", "2"}}, 12},
		"ends without empty line": {"A: 1\r\nB: 2", header.Header{{"A", "1"}, {"B", "2"}}, 10},
		"repeated":                {"A: 1\r\na: 2\r\n\r\n", header.Header{{"A", "1"}, {"a", "2"}}, 14},
		"white space is no end":   {"A: 1\r\n \r\nB: 2\r\n\r\n", header.Header{{"A", "1"}, {"B", "2"}}, 17},
		"empty":                   {"", nil, 0},
		"NUL and eight bits stay": {"A: \x00\xe8\r\n\r\n", header.Header{{"A", "\x00\xe8"}}, 9},
	} {
		t.Run(name, func(t *testing.T) {
			h, size, err := header.Read(strings.NewReader(c.raw), 1<<10)
			require.NoError(t, err)
			require.Equal(t, c.want, h)
			require.EqualValues(t, c.size, size)
		})
	}
}

// Each passes on a line that is not a field, with its continuations, as a Field without a
// name. Such lines do not count towards the limit of fields.
func TestEachPassesOnLinesThatAreNoField(t *testing.T) {
	for raw, want := range map[string]header.Header{
		"A: 1\r\nnonsense\r\n folded\r\nB: 2\r\n\r\n": {{"A", "1"}, {"", "nonsense folded"}, {"B", "2"}},
		" x\r\n y\r\nB: 2\r\n\r\n":                    {{"", "x y"}, {"B", "2"}},
		": 1\r\n\r\n":                                 {{"", "1"}},
		"x":                                           {{"", "x"}},
		"A: 1\r\n\r\n":                                {{"A", "1"}},
		"\r\n":                                        nil,
	} {
		var got header.Header
		_, err := header.Each(strings.NewReader(raw), 1<<10, func(f header.Field) { got = append(got, f) })
		require.NoError(t, err)
		require.Equal(t, want, got, raw)
	}
	_, err := header.Each(strings.NewReader(strings.Repeat("x\n", 3000)), 1<<20, func(header.Field) {})
	require.NoError(t, err)
}

func TestReadLimit(t *testing.T) {
	const limit = 1 << 20
	line := "A: " + strings.Repeat("x", 998) + "\r\n"
	_, _, err := header.Read(strings.NewReader(strings.Repeat(line, limit/len(line))+"\r\n"), limit)
	require.NoError(t, err)
	for _, raw := range []string{
		strings.Repeat(line, limit/len(line)+1),
		"A: " + strings.Repeat("x", limit),
		"A: b\r\n" + strings.Repeat(" \r\n", limit),
		strings.Repeat("a:\n", 3000),
	} {
		_, _, err := header.Read(strings.NewReader(raw), limit)
		require.ErrorIs(t, err, header.ErrTooLarge)
	}
}

func TestGetAndValues(t *testing.T) {
	h := header.Header{{"X-Tiporicevuta", "breve"}, {"To", "a"}, {"to", "b"}}
	require.Equal(t, "breve", h.Get("X-TipoRicevuta"))
	require.Equal(t, []string{"a", "b"}, h.Values("TO"))
	require.Empty(t, h.Get("Cc"))
	require.True(t, h.Has("TO"))
	require.False(t, h.Has("T"))
	require.Empty(t, h.Values("Cc"))
}

func TestParseParams(t *testing.T) {
	for value, want := range map[string]struct {
		main   string
		params map[string]string
	}{
		`multipart/signed; protocol="application/x-pkcs7-signature"; micalg=sha1; boundary="----0E"`: {
			"multipart/signed", map[string]string{"protocol": "application/x-pkcs7-signature", "micalg": "sha1", "boundary": "----0E"}},
		"Multipart/Mixed; \tboundary=----=_Part_1.2":                 {"multipart/mixed", map[string]string{"boundary": "----=_Part_1.2"}},
		`application/xml; charset=UTF-8; name=daticert.xml`:          {"application/xml", map[string]string{"charset": "UTF-8", "name": "daticert.xml"}},
		`attachment; FileName = "a;b\"c.txt" ;x`:                     {"attachment", map[string]string{"filename": `a;b"c.txt`}},
		`attachment; filename*=iso-8859-1''citt%E0.pdf`:              {"attachment", map[string]string{"filename": "città.pdf"}},
		`attachment; filename=plain; filename*=utf-8'it'citt%C3%A0`:  {"attachment", map[string]string{"filename": "città"}},
		`attachment; filename*0="a 1"; filename*1=b.eml`:             {"attachment", map[string]string{"filename": "a 1b.eml"}},
		`attachment; filename*1=%C3%A0.eml; filename*0*=utf-8''citt`: {"attachment", map[string]string{"filename": "citt%C3%A0.eml"}},
		`attachment; filename*0*=utf-8''citt%C3; filename*1*=%A0`:    {"attachment", map[string]string{"filename": "città"}},
		`attachment; filename*=unknown''citt%E0`:                     {"attachment", map[string]string{"filename": "citt%E0"}},
		`attachment; filename*=nonsense`:                             {"attachment", map[string]string{"filename": "nonsense"}},
		`text/plain; name="open`:                                     {"text/plain", map[string]string{"name": "open"}},
		`text/plain`:                                                 {"text/plain", nil},
		``:                                                           {"", nil},
	} {
		t.Run(value, func(t *testing.T) {
			main, params, err := header.ParseParams(value, nil)
			require.NoError(t, err)
			require.Equal(t, want.main, main)
			require.Len(t, params, len(want.params))
			for name, value := range want.params {
				require.Equal(t, value, params.Get(name))
			}
		})
	}
}

// Given two boundaries, programs disagree on which one wins.
func TestAmbiguousParamsAreAnError(t *testing.T) {
	many := ""
	for i := range 100 {
		many += fmt.Sprintf("; p%d=x", i)
	}
	for _, value := range []string{
		"multipart/signed; boundary=a; Boundary=b",
		"multipart/signed; boundary*=utf-8''a; boundary*0=b",
		"multipart/signed; boundary*0=a; boundary*0*=b",
		"multipart/signed; boundary*0=a; boundary*2=b",
		"multipart/signed; boundary*x=a",
		"multipart/signed; boundary=a; boundary*=utf-8''b",
		"multipart/signed; boundary*0=b; boundary=a",
		"text/plain; charset=utf-8; charset*=us-ascii''utf-7",
		"multipart/signed; boundary=a" + many,
	} {
		_, _, err := header.ParseParams(value, nil)
		require.ErrorIs(t, err, header.ErrParams, value)
	}
}

package mailtext_test

import (
	"mime"
	"net/mail"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/mailtext"
)

// goodLine is the recommended length of a line: RFC 5322, 2.1.1.
const goodLine = 78

// written returns a text as a reader gets it back from a folded field. Lines are checked on
// the way.
func written(t *testing.T, text string) string {
	t.Helper()
	field := string(mailtext.Fold("Subject", text))
	for line := range strings.Lines(field) {
		content, ended := strings.CutSuffix(line, "\r\n")
		require.True(t, ended, "%q", field)
		require.NotEmpty(t, strings.Trim(content, " \t"), "a blank line in %q", field)
	}
	h, _, err := header.Read(strings.NewReader(field+"\r\n"), 1<<20)
	require.NoError(t, err)
	require.Len(t, h, 1, "%q", field)
	return h[0].Value
}

func TestFold(t *testing.T) {
	word := strings.Repeat("x", 40)
	for name, c := range map[string]struct{ value, want string }{
		"empty":                  {"", "A: \r\n"},
		"short":                  {"b c", "A: b c\r\n"},
		"long":                   {word + " " + word, "A: " + word + "\r\n " + word + "\r\n"},
		"just fits":              {word + " " + word[:34], "A: " + word + " " + word[:34] + "\r\n"},
		"one octet more":         {word + " " + word[:35], "A: " + word + "\r\n " + word[:35] + "\r\n"},
		"without a space":        {word + word, "A: " + word + word + "\r\n"},
		"two spaces":             {word + "  " + word, "A: " + word + "  " + word + "\r\n"},
		"a space at the end":     {word + word + " ", "A: " + word + word + " \r\n"},
		"spaces at the start":    {" " + word + word, "A:  " + word + word + "\r\n"},
		"a space after a folded": {word + " b " + word, "A: " + word + " b\r\n " + word + "\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := string(mailtext.Fold("A", c.value))
			require.Equal(t, c.want, got)
			require.Equal(t, "A: "+c.value, strings.ReplaceAll(got, "\r\n", ""), "unfolding restores the value")
		})
	}
}

// A text is written as it is, or as encoded words, and is read back exactly.
func TestText(t *testing.T) {
	long := strings.Repeat("x", mailtext.LongWord)
	for text, plain := range map[string]bool{
		"":                                      true,
		"Diffida ad adempiere":                  true,
		"due  spazi":                            true,
		strings.Repeat("una parola ", 30):       false, // it ends with a space
		strings.Repeat("una parola ", 30) + ".": true,
		long:                                    true,
		long + "x":                              false,
		long + "  " + long:                      false,
		" spazio":                               false,
		"spazio ":                               false,
		"a =?utf-8?q?b?= c":                     false,
		"Città":                                 false,
		"a\tb":                                  false,
		"a\x7fb":                                false,
		"a\r\nBcc: mallory@example.org":         false,
		strings.Repeat("perché no, 日本語 😀 ", 40): false,
	} {
		t.Run(text, func(t *testing.T) {
			got := mailtext.Text(text, mailtext.LongWord)
			require.Equal(t, plain, got == text, "%q", got)
			require.Equal(t, text, header.DecodeText(written(t, got)))
			if plain {
				return
			}
			for line := range strings.Lines(string(mailtext.Fold("Subject", got))) {
				require.LessOrEqual(t, len(strings.TrimSuffix(line, "\r\n")), goodLine)
			}
			for word := range strings.SplitSeq(got, " ") {
				require.LessOrEqual(t, len(word), 75, "RFC 2047, 2")
				decoded, err := new(mime.WordDecoder).Decode(word)
				require.NoError(t, err)
				require.True(t, utf8.ValidString(decoded), "a character is cut in %q", word)
			}
		})
	}
}

func TestWriteList(t *testing.T) {
	for name, want := range map[string]string{
		"":                "<mario@alfa-pec.example>",
		"Mario Rossi":     `"Mario Rossi" <mario@alfa-pec.example>`,
		"Rossi, Mario":    `"Rossi, Mario" <mario@alfa-pec.example>`,
		`Mario "M" \ R.`:  `"Mario \"M\" \\ R." <mario@alfa-pec.example>`,
		"a <b@c.example>": `"a <b@c.example>" <mario@alfa-pec.example>`,
		"Città":           "=?utf-8?b?Q2l0dMOg?= <mario@alfa-pec.example>",
		" spazio":         "=?utf-8?b?IHNwYXppbw==?= <mario@alfa-pec.example>",
	} {
		address := &mail.Address{Name: name, Address: "mario@alfa-pec.example"}
		luigi := &mail.Address{Address: "luigi@beta-pec.example"}
		require.Equal(t, want, mailtext.WriteList([]*mail.Address{address}))
		both := mailtext.WriteList([]*mail.Address{address, luigi})
		require.Equal(t, want+", <luigi@beta-pec.example>", both)

		read, err := mailtext.AddressParser().ParseList(both)
		require.NoError(t, err)
		require.Equal(t, []*mail.Address{address, luigi}, read)
		addresses, err := mailtext.ParseList(both)
		require.NoError(t, err)
		require.Equal(t, []string{address.Address, luigi.Address}, addresses)
	}
	require.Empty(t, mailtext.WriteList(nil))
}

func TestParseList(t *testing.T) {
	for value, want := range map[string][]string{
		"a@b.example":                                    {"a@b.example"},
		" <a@b.example> ,\tc@d.example ":                 {"a@b.example", "c@d.example"},
		"Mario Rossi <a@b.example>, Luigi <c@d.example>": {"a@b.example", "c@d.example"},
		`"Rossi, Mario" <a@b.example>, c@d.example`:      {"a@b.example", "c@d.example"},
		`"c@d.example, x" <a@b.example>`:                 {"a@b.example"},
		`"a\", <c@d.example>" <a@b.example>`:             {"a@b.example"},
		"=?utf-8?q?c=40d?= <a@b.example>":                {"a@b.example"},
		"A@B.Example":                                    {"A@B.Example"},
	} {
		got, err := mailtext.ParseList(value)
		require.NoError(t, err, "%q", value)
		require.Equal(t, want, got, "%q", value)
	}
	for _, value := range []string{
		"", " ", ",", "a@b.example,", "a@b.example, , c@d.example", "Mario", "Mario, Rossi <a@b.example>",
		"a@b.example c@d.example", "a@b.example;c@d.example", "<a@b.example> <c@d.example>", "<a@b.example", "a@b.example>", "<>", "< a@b.example>",
		"gruppo: a@b.example;", "a@b.example (c@d.example)", "(x) a@b.example", "<@c.example:a@b.example>", "a@b.example, <@c@b.example>",
		`"a b"@c.example`, `"a@b.example"`, "a@[127.0.0.1]", "a@b", "a@b..example", ".a@b.example", "a @b.example", "a@b.example.", "a@-b.example",
		`"aperta <a@b.example>`, `x" <a@b.example>`, `"x" "a@b.example`, `\a <a@b.example>`, `"x\" <a@b.example>`,
		"a@b.example\r\nBcc: c@d.example", "a@b.example\x00", "a@b.example\v", "\ufeffa@b.example", "a@b\u00a0.example",
		"è@b.example", "a@città.example", "Città <a@b.example>", "\u0430@b.example", "a@\u212a.example", "Citt\xe0 <a@b.example>",
		strings.Repeat("a", 243) + "@b.example." + "c",
	} {
		got, err := mailtext.ParseList(value)
		require.Error(t, err, "%q", value)
		require.Nil(t, got, "%q", value)
	}
}

func TestReadLists(t *testing.T) {
	list, err := mailtext.ReadLists([]string{"", "Citt\xe0 <a@b.example>, c@d.example", "=?iso-8859-1?q?Perch=E9?= <e@f.example>"})
	require.NoError(t, err)
	require.Equal(t, []*mail.Address{{Name: "Città", Address: "a@b.example"}, {Address: "c@d.example"}, {Name: "Perché", Address: "e@f.example"}}, list)

	list, err = mailtext.ReadLists([]string{"a@b.example, nonsense, Mario <c@d.example>,", "<<>>", "e@f.example"})
	require.Error(t, err)
	require.Equal(t, []*mail.Address{{Address: "a@b.example"}, {Name: "Mario", Address: "c@d.example"}, {Address: "e@f.example"}}, list)

	list, err = mailtext.ReadLists(nil)
	require.NoError(t, err)
	require.Empty(t, list)
}

// Every reader gets the name of a file back.
func TestDisposition(t *testing.T) {
	long := strings.Repeat("x", mailtext.LongWord)
	for name, want := range map[string]string{
		"atto.pdf":                       `attachment; filename="atto.pdf"`,
		"a; b'.pdf":                      `attachment; filename="a; b'.pdf"`,
		long:                             `attachment; filename="` + long + `"`,
		long + "x":                       "attachment; filename*0*=utf-8''" + long[:53] + "; filename*1*=xxxxxxxx",
		"città.pdf":                      "attachment; filename*=utf-8''citt%C3%A0.pdf",
		`a"b.pdf`:                        "attachment; filename*=utf-8''a%22b.pdf",
		`a\b.pdf`:                        "attachment; filename*=utf-8''a%5Cb.pdf",
		"a%2F'*é":                        "attachment; filename*=utf-8''a%252F%27%2A%C3%A9",
		strings.Repeat("😀", 60) + ".pdf": "",
		strings.Repeat("à", 127):         "",
	} {
		got := mailtext.Disposition(name)
		if want != "" {
			require.Equal(t, want, got)
		}
		main, params, err := header.ParseParams(got, nil)
		require.NoError(t, err)
		require.Equal(t, "attachment", main)
		require.Equal(t, name, params.Get("filename"))
		_, others, err := mime.ParseMediaType(got)
		require.NoError(t, err)
		require.Equal(t, name, others["filename"])

		for line := range strings.Lines(string(mailtext.Fold("Content-Disposition", got))) {
			require.LessOrEqual(t, len(strings.TrimSuffix(line, "\r\n")), goodLine, name)
		}
		for piece := range strings.SplitSeq(got, "; ") {
			if _, value, extended := strings.Cut(piece, "*="); extended && !strings.Contains(piece, "''") {
				_, alone, err := header.ParseParams("attachment; filename*=utf-8''"+value, nil)
				require.NoError(t, err)
				require.Contains(t, name, alone.Get("filename"), "a character is cut in %q", piece)
			}
		}
	}
}

func TestIsPlainAddress(t *testing.T) {
	domain := strings.Repeat("d.", 95) + "example" // 197 octets
	for address, want := range map[string]bool{
		"mario@alfa-pec.example":               true,
		"m.rossi+x_y/z=1@a.b-c.example":        true,
		"!#$%&'*+/=?^_`{|}~-@b.example":        true,
		"a@1.2":                                true,
		strings.Repeat("a", 56) + "@" + domain: true, // 254 octets
		strings.Repeat("a", 57) + "@" + domain: false,
		"":                                     false,
		"@b.example":                           false,
		"a@":                                   false,
		"a":                                    false,
		"a@b":                                  false,
		"a@b@c.example":                        false,
		"a..b@c.example":                       false,
		"a.@b.example":                         false,
		"a@.b.example":                         false,
		"a@b-.example":                         false,
		"a@b_c.example":                        false,
		"<a@b.example>":                        false,
		"a b@c.example":                        false,
		"a@b.example\n":                        false,
		"\na@b.example":                        false,
		"è@b.example":                          false,
		"a@xn--citt-0na.example":               true,
		`"a"@b.example`:                        false,
		"a@[192.0.2.1]":                        false,
	} {
		require.Equal(t, want, mailtext.IsPlainAddress(address), "%q", address)
	}
}

func TestHasControl(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "a b": false, "Città 😀": false, "\u00a0\u2028": false,
		"a\n": true, "\r": true, "\tb": true, "\x00": true, "\x1b[2J": true, "\x7f": true, "\u0085": true,
	} {
		require.Equal(t, want, mailtext.HasControl(text), "%q", text)
	}
}

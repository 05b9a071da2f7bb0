package pec

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"

	"github.com/emersion/go-message/mail"
	"github.com/stretchr/testify/require"
)

// checkWire asserts what every message that leaves has: seven bits, CRLF line ends
// only, no NUL, no line of more than 998 octets, and a line end at its end.
func checkWire(t *testing.T, raw string) {
	t.Helper()
	for line := range strings.SplitAfterSeq(raw, "\n") {
		if line == "" {
			continue
		}
		content, ok := strings.CutSuffix(line, "\r\n")
		require.True(t, ok, "%q", line)
		require.LessOrEqual(t, len(content), 998)
		require.False(t, strings.ContainsFunc(content, func(r rune) bool { return r == 0 || r == '\r' || r > 0x7f }), "%q", line)
	}
	require.True(t, strings.HasSuffix(raw, "\r\n"))
}

// topFields are the names of the fields of the header, read naively.
func topFields(t *testing.T, raw string) []string {
	t.Helper()
	header, _, found := strings.Cut(raw, "\r\n\r\n")
	require.True(t, found)
	var names []string
	for line := range strings.SplitSeq(header, "\r\n") {
		require.NotEmpty(t, strings.Trim(line, " \t"), "a blank line in the header")
		if line[0] == ' ' || line[0] == '\t' {
			continue
		}
		name, _, found := strings.Cut(line, ":")
		require.True(t, found, line)
		names = append(names, name)
	}
	return names
}

func canonicalText(s string) string {
	return strings.ReplaceAll(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s), "\n", "\r\n")
}

// checkComposed reads a composed message with two libraries, and wants what was
// asked for: of want the contents of attachments are in contents.
func checkComposed(t *testing.T, raw string, want Message, contents []string) {
	t.Helper()
	checkWire(t, raw)

	std, err := netmail.ReadMessage(strings.NewReader(raw))
	require.NoError(t, err)
	for field, addresses := range map[string][]string{"From": {composeSender}, "To": want.To, "Cc": want.Cc} {
		require.LessOrEqual(t, len(std.Header[field]), 1)
		var got []string
		if list, err := std.Header.AddressList(field); err == nil {
			for _, a := range list {
				got = append(got, a.Address)
			}
		}
		require.Equal(t, addresses, got, field)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(std.Header.Get("Subject"))
	require.NoError(t, err)
	require.Equal(t, want.Subject, subject)

	_, params, err := mime.ParseMediaType(std.Header.Get("Content-Type"))
	require.NoError(t, err)
	parts := multipart.NewReader(std.Body, params["boundary"])
	text, err := parts.NextRawPart()
	require.NoError(t, err)
	texts := []string{want.Text}
	if want.HTML == "" {
		checkQuoted(t, text, want.Text)
	} else {
		texts = append(texts, want.HTML)
		_, params, err := mime.ParseMediaType(text.Header.Get("Content-Type"))
		require.NoError(t, err)
		alternatives := multipart.NewReader(text, params["boundary"])
		for _, want := range texts {
			part, err := alternatives.NextRawPart()
			require.NoError(t, err)
			checkQuoted(t, part, want)
		}
		_, err = alternatives.NextRawPart()
		require.ErrorIs(t, err, io.EOF)
	}
	for _, a := range want.Attachments {
		part, err := parts.NextRawPart()
		require.NoError(t, err)
		require.Equal(t, a.Name, part.FileName())
	}
	_, err = parts.NextRawPart()
	require.ErrorIs(t, err, io.EOF)

	r, err := mail.CreateReader(strings.NewReader(raw))
	require.NoError(t, err)
	subject, err = r.Header.Subject()
	require.NoError(t, err)
	require.Equal(t, want.Subject, subject)
	list, err := r.Header.AddressList("To")
	require.NoError(t, err)
	require.Len(t, list, len(want.To))
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		content, err := io.ReadAll(part.Body)
		require.NoError(t, err)
		if _, attached := part.Header.(*mail.AttachmentHeader); attached {
			require.Equal(t, contents[0], string(content))
			contents = contents[1:]
			continue
		}
		require.Equal(t, canonicalText(texts[0]), string(content))
		texts = texts[1:]
	}
	require.Empty(t, texts)
	require.Empty(t, contents)
}

func checkQuoted(t *testing.T, part io.Reader, want string) {
	t.Helper()
	got, err := io.ReadAll(quotedprintable.NewReader(part))
	require.NoError(t, err)
	require.Equal(t, canonicalText(want), string(got))
}

// FuzzCompose asserts that a message either is refused or is read back as it was
// asked for, with the fields it has to have and no other.
func FuzzCompose(f *testing.F) {
	f.Add("Anna", "a@b.example", "s", "t", "", "X-A", "v", "n.pdf", "")
	f.Add("Rossi, Anna", "", "Però – città, "+strings.Repeat("lungo ", 30), "a\nb\r\nc\rd", "<p>è</p>", "X-B", "è", "città.pdf", "x@y")
	f.Add(strings.Repeat("a  ", 40), "c@d.example", strings.Repeat(" ", 100)+"x", "From \r\n.\r\n", "", "X-C", strings.Repeat("a", 2000), strings.Repeat("è", 127), "")
	f.Add("=?utf-8?q?a=0Ab?=", "c@d.example", "=?utf-8?q?=0ABcc:?=", "--\x00", "", "X-D", "=?x?=", `a"b%41*=''.txt`, "<x@y>")
	f.Add("x\r\nBcc: e@f.example", "c@d.example\r\nBcc: e@f.example", "s\r\nBcc: e@f.example", "\r\n\r\n", "", "Bcc", "e@f.example\r\n\r\n", "a\r\nBcc: e@f.example", "x@y\r\nBcc: e@f.example")
	f.Add("\u2028", "c@d.example", "\u2028\u0085\u00a0", "=", " ", strings.Repeat("N", 60), strings.Repeat("b ", 600)+strings.Repeat("c", 940), strings.Repeat("a", 255), "")
	f.Add("Anna", "a@b.example", "s", "a\rè\nb", "c\r\x7f\r\nd", "X-A", "v", "n.pdf", "")
	f.Fuzz(func(t *testing.T, name, cc, subject, text, html, field, value, file, inReplyTo string) {
		checkCompose(t, name, cc, subject, text, html, field, value, file, inReplyTo)
	})
}

// TestComposeHostile is the fuzz target over random texts of what is difficult.
func TestComposeHostile(t *testing.T) {
	random := newRandom()
	pieces := []string{
		" ", "  ", "a", "Z", "0", "\r\n", "\n", "\r", "\t", "\x00", "\x7f", "\xff", "\u0085", "\u2028", "è", "€", "😀", "e\u0301", "\u202e",
		"=", "?", "=?", "?=", "=?utf-8?q?", "_", "\"", "\\", "'", "%", "%41", "*", ";", ",", ":", "<", ">", "@", "(", ")", "[", "]", ".", "/",
		"--", "From ", ".\r\n", "Bcc: x@y.example", strings.Repeat("w", 80), strings.Repeat("v", 1000), strings.Repeat(" ", 90),
	}
	text := func() string {
		var b strings.Builder
		for range random.IntN(12) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		return b.String()
	}
	// What is refused too often would leave the rest unseen.
	often := func(usual string) string {
		if random.IntN(4) > 0 {
			return usual
		}
		return text()
	}
	printable := func() string {
		return strings.NewReplacer("\r", "", "\n", "", "\t", "", "\x00", "", "\x7f", "", "\xff", "", "\u0085", "", "/", "", "\\", "").Replace(text())
	}
	sent := 0
	for range 3000 {
		if checkCompose(t, printable(), often("c@d.example"), printable(), often(printable()+"\r\n"+printable()), often(""), often("X-A"), printable(), often("n"+printable()), often("a@b")) {
			sent++
		}
	}
	require.Greater(t, sent, 300)
}

// checkCompose tells whether the message was not refused.
func checkCompose(t *testing.T, name, cc, subject, text, html, field, value, file, inReplyTo string) bool {
	content := text + value
	m := Message{
		To: []string{"to@beta-pec.example"}, Subject: subject, Text: text, HTML: html,
		Attachments: []Attachment{{Name: file, Content: strings.NewReader(content)}},
		InReplyTo:   inReplyTo, ExtraHeader: []HeaderField{{field, value}},
	}
	if cc != "" {
		m.Cc = []string{(&netmail.Address{Name: name, Address: cc}).String()}
	}
	c, err := compose(t.Context(), composeSender, m, Limits{}, composeTime)
	if err != nil {
		_, refused := errors.AsType[*ComposeError](err)
		require.True(t, refused, "%v", err)
		return false
	}
	defer c.body.Close()
	raw := bodyOf(t, c)
	m.Cc = c.cc
	checkComposed(t, raw, m, []string{content})
	require.Equal(t, sha256.Sum256([]byte(raw)), c.digest)

	want := []string{"Content-Type", "From", "To"}
	if len(c.cc) > 0 {
		want = append(want, "Cc")
	}
	want = append(want, "Subject", "Date", "Message-ID")
	if inReplyTo != "" {
		want = append(want, "In-Reply-To", "References")
	}
	require.Equal(t, append(want, field, "X-TipoRicevuta", "MIME-Version"), topFields(t, raw))
	std, err := netmail.ReadMessage(bytes.NewReader([]byte(raw)))
	require.NoError(t, err)
	decoded, err := new(mime.WordDecoder).DecodeHeader(std.Header.Get(field))
	require.NoError(t, err)
	require.Equal(t, value, decoded)
	return true
}

// newRandom gives the same numbers in each run.
func newRandom() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

package receipt_test

import (
	"io"
	"math/rand/v2"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-message"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/receipt"
)

// view is what a mail program, or a library, finds in a message.
type view struct {
	fields map[string][]string // by name in lower case
	body   string
	failed bool
}

func (v *view) add(name, value string) {
	name = strings.ToLower(name)
	v.fields[name] = append(v.fields[name], strings.Join(strings.FieldsFunc(value, func(r rune) bool {
		return r == ' ' || r == '\t' || r == '\r' || r == '\n' // folding does not count
	}), " "))
}

// lineEnds returns s with LF in place of CR LF, and if cr is set also in place of CR.
func lineEnds(s string, cr bool) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	if cr {
		s = strings.ReplaceAll(s, "\r", "\n")
	}
	return s
}

// readLines reads a message line by line, in the simplest way. A strict reader takes a
// bare CR for the end of a line, and a line that is not a field for the end of the header.
// Another reader skips such lines.
func readLines(raw string, strict bool) view {
	v := view{fields: map[string][]string{}}
	lines := strings.Split(lineEnds(raw, strict), "\n")
	name, value := "", ""
	end := func() {
		if name != "" {
			v.add(name, value)
		}
		name, value = "", ""
	}
	for len(lines) > 0 {
		line := lines[0]
		before, after, found := strings.Cut(line, ":")
		isField := found && before != "" && !strings.ContainsFunc(before, func(r rune) bool { return r <= ' ' || strict && r > '~' })
		switch {
		case line == "":
			end()
			v.body = strings.Join(lines[1:], "\n")
			return v
		case name != "" && (line[0] == ' ' || line[0] == '\t'):
			value += line
		case isField:
			end()
			name, value = before, after
		case strict:
			end()
			v.body = strings.Join(lines, "\n")
			return v
		default:
			end()
		}
		lines = lines[1:]
	}
	end()
	return v
}

func readNetMail(raw string) view {
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		return view{failed: true}
	}
	v := view{fields: map[string][]string{}}
	for name, values := range m.Header {
		for _, value := range values {
			v.add(name, value)
		}
	}
	body, err := io.ReadAll(m.Body)
	v.body, v.failed = string(body), err != nil
	return v
}

func readGoMessage(raw string) view {
	m, err := message.Read(strings.NewReader(raw))
	if m == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return view{failed: true}
	}
	v := view{fields: map[string][]string{}}
	for f := m.Header.Fields(); f.Next(); {
		v.add(f.Key(), f.Value())
	}
	body, err := io.ReadAll(m.Body)
	v.body, v.failed = string(body), err != nil
	return v
}

// seesTheSame fails if a reader sees more differences than a provider may make: a trace, an
// identifier and X- fields of its own, all in printable ASCII.
func seesTheSame(t *testing.T, sent, delivered view, replaced bool) {
	t.Helper()
	require.Equal(t, sent.failed, delivered.failed, "one of the two cannot be read")
	if sent.failed {
		return
	}
	names := map[string]bool{}
	for _, v := range []view{sent, delivered} {
		for name := range v.fields {
			names[name] = true
		}
	}
	for name := range names {
		s, d := sent.fields[name], delivered.fields[name]
		switch {
		case slices.Equal(s, d):
			continue
		case slices.Contains([]string{"received", "return-path", "message-id", "x-riferimento-message-id"}, name):
		case strings.HasPrefix(name, "x-"):
			require.Greater(t, len(d), len(s), name)
			require.Equal(t, s, append([]string(nil), d[len(d)-len(s):]...), name)
		default:
			require.True(t, replaced && strings.HasPrefix(name, "content-"), "%s: %q was sent, %q delivered", name, s, d)
			continue
		}
		for _, value := range d {
			if !slices.Contains(s, value) {
				require.False(t, strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r > '~' }), "%s: %q", name, value)
			}
		}
	}
	if !replaced {
		require.Equal(t, strings.TrimRight(lineEnds(sent.body, false), "\n"), strings.TrimRight(lineEnds(delivered.body, false), "\n"))
	}
}

// FuzzContent asserts that every reader sees the same in two messages that match, and that
// a message matches itself, also with other line ends.
func FuzzContent(f *testing.F) {
	for _, c := range headerAttacks {
		at := strings.Index(plainSent, c.old)
		f.Add(plainSent, uint(at), uint(len(c.old)), c.new, uint(0), "", false)
	}
	for _, kind := range []string{"completa", "breve"} {
		f.Add(sentBy(kind), uint(0), uint(0), "Received: from a by b\r\n", uint(100), "X-Gestore: x\r\n", kind == "breve")
	}
	part := "Content-Type: image/png; name=a\r\n\r\nciao"
	hashFile := "Content-Type: text/plain; name=a.hash\r\n\r\n1f8ac10f23c5b5bc1167bda84b833e5c057a77d2"
	for _, top := range []string{"To: luigi@beta-pec.example\r\n", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nTesto\r\n--b\r\n"} {
		f.Add(top+part, uint(len(top)), uint(len(part)), hashFile, uint(0), "X-Gestore: x\r\n", true)
	}
	f.Fuzz(func(t *testing.T, sent string, at, length uint, text string, more uint, other string, brief bool) {
		splice := func(s string, at, length uint, text string) string {
			at = min(at, uint(len(s)))
			return s[:at] + text + s[min(at+length, uint(len(s))):]
		}
		if len(sent)+len(text)+len(other) > 64<<10 {
			return
		}
		delivered := splice(splice(sent, at, length%1000, text), more, 0, other)
		checkSeen(t, sent, delivered, brief)
		checkSeen(t, delivered, sent, brief)
		if !strings.Contains(sent, "\r\r\n") {
			same, err := receipt.CompareContents(sent, strings.ReplaceAll(sent, "\r\n", "\n"), false)
			require.NoError(t, err)
			require.Equal(t, receipt.Content{Result: receipt.ContentMatch}, same)
		}
	})
}

// checkSeen reports whether two messages match. If they do, every reader must see the same.
func checkSeen(t *testing.T, sent, delivered string, brief bool) bool {
	t.Helper()
	got, err := receipt.CompareContents(sent, delivered, brief)
	if err != nil {
		require.ErrorIs(t, err, header.ErrTooLarge)
		return false
	}
	if got.Result != receipt.ContentMatch {
		return false
	}
	defer func() {
		if t.Failed() {
			t.Logf("%q was sent\n%q was delivered", sent, delivered)
		}
	}()
	replaced := got.Reading != ""
	const end = "\r\n\r\n" // line ends at the very end may differ, and some readers need one
	for _, read := range []func(string) view{
		func(raw string) view { return readLines(raw, true) }, func(raw string) view { return readLines(raw, false) }, readNetMail, readGoMessage,
	} {
		seesTheSame(t, read(sent+end), read(delivered+end), replaced)
	}
	return true
}

// The fuzz target is not vacuous: these pairs match, so the readers are compared.
func TestReadersOfWhatMatches(t *testing.T) {
	for _, c := range []attack{{"", ""}, {"MIME", "X-Gestore: x\r\nMIME"}, {"From:", "Received: from a by b\r\nFrom:"}, {"<m1@", "<p1@"}, {"Diffida ad", "Diffida\r\n ad"}} {
		require.True(t, checkSeen(t, plainSent, strings.Replace(plainSent, c.old, c.new, 1), false), "%q", c)
	}
}

// TestContentHostile runs the check of the fuzz target on random difficult lines.
func TestContentHostile(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{
		"Subject: a", "subject: b", "Subject : a", "To: a@b", "X-A: b", "x-a: c", "X-(b): c", "X-B\xc3\xa8: c", "X-: d", "X-\x00: d", "X-B: \x00", "X-B: \xc2\x85",
		"Received: from a", "Return-Path: <a>", "Message-ID: <m@a>", "Message-ID: <n@a>", "X-Riferimento-Message-ID: <m@a>", "X-TipoRicevuta: breve",
		"Content-Type: text/plain", "Content-Type: text/html; charset=x", "Content-Type: multipart/mixed; boundary=b", "Content-Transfer-Encoding: base64",
		" c", "\tc", " ", "", "no field", "From a", ": x", "X-C: d\rSubject: e", "X-C: d\r", "\r", "\r\r", "\x0b", "--b", "--b--", "Y2lhbw==", "\xef\xbb\xbfX-D: e",
		"X-E: " + strings.Repeat("x", 1000), " " + strings.Repeat("x ", 500),
	}
	lines := func(most int) []string {
		var all []string
		for range random.IntN(most + 1) {
			piece := pieces[random.IntN(len(pieces))]
			all = append(all, piece+[]string{"\r\n", "\r\n", "\r\n", "\n"}[random.IntN(4)])
		}
		return all
	}
	matches := 0
	for range 30_000 {
		sent := append(lines(4), append([]string{"\r\n"}, lines(2)...)...)
		delivered := slices.Clone(sent)
		for range 1 + random.IntN(2) {
			at := random.IntN(len(delivered) + 1)
			end := min(len(delivered), at+random.IntN(2))
			delivered = slices.Replace(delivered, at, end, lines(2)...)
		}
		if !slices.Equal(sent, delivered) && checkSeen(t, strings.Join(sent, ""), strings.Join(delivered, ""), false) {
			matches++
		}
	}
	require.Greater(t, matches, 700)
}

package pec

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/mailtext"
	"github.com/gopec/gopec/receipt"
)

// rawBase is a message that may be sent as it is.
const rawBase = "From: Me <me@alfa-pec.example>\r\n" +
	"To: Anna <anna@beta-pec.example>, \"Rossi, Luigi\" <luigi@beta-pec.example>\r\n" +
	"Cc: info@example.org\r\n" +
	"Subject: =?iso-8859-1?q?citt=E0?=\r\n" +
	"Date: Sat, 21 Nov 2026 10:00:00 +0100\r\n" +
	"Message-ID: <One.2026@ente.example>\r\n" +
	"MIME-Version: 1.0\r\n" +
	"X-TipoRicevuta: breve\r\n" +
	"Content-Type: multipart/mixed; boundary=\"b\"\r\n" +
	"\r\n" +
	"--b\r\n\r\nciao\r\n" +
	"--b\r\nContent-Type: application/pdf; name=\"f.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nY2lh\r\nbw==\r\n" +
	"--b\r\nContent-Disposition: attachment; filename*=utf-8''citt%C3%A0.txt\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A0\r\n" +
	"--b--\r\n"

// composeText composes a raw message that is read in small pieces.
func composeText(t *testing.T, content string) (*composed, error) {
	t.Helper()
	c, err := composeRaw(t.Context(), composeSender, RawMessage{Content: iotest.HalfReader(strings.NewReader(content))}, Limits{})
	if err == nil {
		t.Cleanup(func() { require.NoError(t, c.body.Close()) })
	}
	return c, err
}

func TestARawMessageIsKeptByteForByte(t *testing.T) {
	c, err := composeText(t, rawBase)
	require.NoError(t, err)
	require.Equal(t, rawBase, bodyOf(t, c), "byte for byte")
	require.Equal(t, "One.2026@ente.example", c.messageID)
	require.Equal(t, []string{"anna@beta-pec.example", "luigi@beta-pec.example"}, c.to)
	require.Equal(t, []string{"info@example.org"}, c.cc)
	require.Equal(t, []string{"anna@beta-pec.example", "luigi@beta-pec.example", "info@example.org"}, c.recipients())
	require.Equal(t, "città", c.subject)
	require.Equal(t, receipt.DetailBrief, c.receipt)
	require.Equal(t, sha256.Sum256([]byte(rawBase)), c.digest)
	require.Equal(t, c.digest, c.request)
	require.Equal(t, []Warning{WarningCc}, c.warnings)
	require.Equal(t, []AttachmentDigest{
		{"f.pdf", 4, sha256.Sum256([]byte("ciao"))},
		{"città.txt", 2, sha256.Sum256([]byte("à"))},
	}, c.attachments)
}

func TestARawMessageWithoutMessageIDGetsOne(t *testing.T) {
	without := strings.Replace(rawBase, "Message-ID: <One.2026@ente.example>\r\n", "", 1)
	c, err := composeText(t, without)
	require.NoError(t, err)
	require.Equal(t, "Message-ID: <"+c.messageID+">\r\n"+without, bodyOf(t, c))
	require.Regexp(t, `^[a-z2-7]{26}@alfa-pec\.example$`, c.messageID)
	require.Equal(t, sha256.Sum256([]byte(without)), c.request, "the digest of the bytes as given")
	require.NotEqual(t, c.request, c.digest)
}

func TestARawMessageHasLineEndsOfOneKind(t *testing.T) {
	lf := strings.ReplaceAll(rawBase, "\r\n", "\n")
	c, err := composeText(t, lf)
	require.NoError(t, err)
	require.Equal(t, rawBase, bodyOf(t, c))
	require.Equal(t, sha256.Sum256([]byte(lf)), c.request)
	for _, open := range []string{strings.TrimSuffix(rawBase, "\r\n"), strings.TrimSuffix(lf, "\n")} {
		c, err := composeText(t, open)
		require.NoError(t, err)
		require.Equal(t, rawBase, bodyOf(t, c))
	}
	for name, mixed := range map[string]string{
		"LF among CRLF":  strings.Replace(rawBase, "ciao\r\n", "ciao\n", 1),
		"CRLF among LF":  strings.Replace(lf, "ciao\n", "ciao\r\n", 1),
		"LF in header":   strings.Replace(rawBase, "+0100\r\n", "+0100\n", 1),
		"bare CR":        strings.Replace(rawBase, "ciao", "ci\rao", 1),
		"CR CRLF":        strings.Replace(rawBase, "ciao", "ciao\r", 1),
		"CR in LF":       strings.Replace(lf, "ciao", "ci\rao", 1),
		"CR at the end":  rawBase + "x\r",
		"smuggled end":   strings.Replace(rawBase, "ciao", "ciao\n.\r\nMAIL FROM:<x@y>", 1),
		"smuggled end 2": strings.Replace(rawBase, "ciao", "ciao\r.\rMAIL FROM:<x@y>", 1),
	} {
		_, err := composeText(t, mixed)
		require.Equal(t, []string{"Content line-ends"}, problemsOf(t, err), name)
	}
}

// Each row changes rawBase into a message that some program on its way could read as a
// different one, or that a provider would refuse.
func TestARawMessageThatProgramsReadDifferentlyIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		want     []string
	}{
		"From twice":              {"To:", "From: me@alfa-pec.example\r\nTo:", []string{"From duplicate"}},
		"another From first":      {"From:", "FROM: evil@x.example\r\nFrom:", []string{"From duplicate", "From not-sender"}},
		"From of another":         {"me@alfa", "you@alfa", []string{"From not-sender"}},
		"the Kelvin sign":         {"me@alfa-pec", "me@alfa-pe\u212a", []string{"From bad-address", "Content eight-bit"}},
		"two authors":             {"<me@alfa-pec.example>", "<me@alfa-pec.example>, you@alfa-pec.example", []string{"From not-sender"}},
		"no From":                 {"From: Me <me@alfa-pec.example>\r\n", "", []string{"From missing"}},
		"an empty From":           {"From: Me <me@alfa-pec.example>", "From:", []string{"From bad-address"}},
		"a group as From":         {"Me <me@alfa-pec.example>", "Me: me@alfa-pec.example;", []string{"From bad-address"}},
		"a comment in From":       {"Me <me@alfa-pec.example>", "me@alfa-pec.example (<you@alfa-pec.example>)", []string{"From bad-address"}},
		"a route":                 {"<me@alfa-pec.example>", "<@evil.example:me@alfa-pec.example>", []string{"From bad-address"}},
		"a second bracket":        {"<me@alfa-pec.example>", "<you@x.example> <me@alfa-pec.example>", []string{"From bad-address"}},
		"space in the address":    {"me@alfa", "me @alfa", []string{"From bad-address"}},
		"folded address":          {"<me@alfa", "<me\r\n @alfa", []string{"From bad-address"}},
		"author after folding":    {"pec.example>\r\n", "pec.example>\r\n , you@x.example\r\n", []string{"From not-sender"}},
		"a quoted local part":     {"<me@alfa", "<\"me\"@alfa", []string{"From bad-address"}},
		"an open quote":           {"Me <", "\"Me <", []string{"From bad-address"}},
		"From after a blank line": {"From: Me", "X-A: b\r\n \r\nFrom: Me", []string{"Header malformed"}},
		"a blank line of tab":     {"To:", "\t\r\nTo:", []string{"Header malformed"}},
		"space before the colon":  {"To:", "Bcc : evil@x.example\r\nTo:", []string{"Header malformed"}},
		"From with a space":       {"From:", "From : evil@x.example\r\nFrom:", []string{"Header malformed"}},
		"no colon":                {"To:", "nonsense\r\nTo:", []string{"Header malformed"}},
		"mbox":                    {"From: Me", "From me@x Sat Nov 21\r\nFrom: Me", []string{"Header malformed"}},
		"begins folded":           {"From: Me", " X\r\nFrom: Me", []string{"Header malformed"}},
		"no name":                 {"To:", ": x\r\nTo:", []string{"Header malformed"}},
		"a name in eight bits":    {"To:", "T\xc3\xb2: x\r\nTo:", []string{"Header malformed", "Content eight-bit"}},
		"NUL in the header":       {"Me", "M\x00e", []string{"Header control", "From missing", "Content control"}},
		"escape in the header":    {"Me", "M\x1be", []string{"Header control", "From missing"}},
		"NUL in the body":         {"ciao", "ci\x00ao", []string{"Content control"}},
		"eight bits in the body":  {"ciao", "citt\xe0", []string{"Content eight-bit"}},
		"a long line":             {"ciao", strings.Repeat("x", 999), []string{"Content long-line"}},
		"a very long line":        {"ciao", strings.Repeat("x", 99999), []string{"Content long-line"}},
		"no To":                   {"To: ", "X-To: ", []string{"To missing"}},
		"nobody in To":            {"To: Anna <anna@beta-pec.example>, \"Rossi, Luigi\" <luigi@beta-pec.example>", "To: undisclosed-recipients:;", []string{"To bad-address"}},
		"a group in To":           {"To: Anna", "To: all: x@beta-pec.example;, Anna", []string{"To bad-address"}},
		"an empty place in To":    {"To: Anna", "To: , Anna", []string{"To bad-address"}},
		"To twice":                {"Cc: ", "to: ", []string{"to duplicate"}},
		"an empty Cc":             {"Cc: info@example.org", "Cc:", []string{"Cc bad-address"}},
		"somebody twice":          {"info@example.org", "ANNA@beta-pec.example", []string{"Cc duplicate"}},
		"a reply address":         {"To:", "Reply-To: nobody\r\nTo:", []string{"Reply-To bad-address"}},
		"Bcc":                     {"To:", "Bcc: x@beta-pec.example\r\nTo:", []string{"Bcc forbidden"}},
		"an empty Bcc":            {"To:", "bcc:\r\nTo:", []string{"bcc forbidden"}},
		"Resent-To":               {"To:", "Resent-To: x@beta-pec.example\r\nTo:", []string{"Resent-To forbidden"}},
		"Sender":                  {"To:", "Sender: x@beta-pec.example\r\nTo:", []string{"Sender forbidden"}},
		"Return-Path":             {"To:", "Return-Path: <x@beta-pec.example>\r\nTo:", []string{"Return-Path forbidden"}},
		"a forged receipt":        {"To:", "X-Ricevuta: avvenuta-consegna\r\nTo:", []string{"X-Ricevuta forbidden"}},
		"a forged envelope":       {"To:", "X-TRASPORTO: posta-certificata\r\nTo:", []string{"X-TRASPORTO forbidden"}},
		"a forged reference":      {"To:", "X-Riferimento-Message-ID: <a@b>\r\nTo:", []string{"X-Riferimento-Message-ID forbidden"}},
		"another receipt":         {"breve", "brevissima", []string{"X-TipoRicevuta bad-receipt"}},
		"receipt in capitals":     {"breve", "Breve", []string{"X-TipoRicevuta bad-receipt"}},
		"two receipts":            {"breve", "breve\r\nX-Tiporicevuta: completa", []string{"X-Tiporicevuta duplicate"}},
		"two Message-IDs":         {"Message-ID: ", "Message-Id: <a@b>\r\nMessage-ID: ", []string{"Message-ID duplicate"}},
		"two in one":              {"<One.2026@ente.example>", "<a@b> <c@d>", []string{"Message-ID bad-message-id"}},
		"no brackets":             {"<One.2026@ente.example>", "One.2026@ente.example", []string{"Message-ID bad-message-id"}},
		"an empty Message-ID":     {" <One.2026@ente.example>", "", []string{"Message-ID bad-message-id"}},
		"half a Message-ID":       {"<One.2026@ente.example>", "<One.2026>", []string{"Message-ID bad-message-id"}},
		"a commented Message-ID":  {"<One.2026@ente.example>", "(<a@b>) <c@d>", []string{"Message-ID bad-message-id"}},
		"a folded Message-ID":     {"<One.2026@ente.example>", "<One.2026\r\n @ente.example>", []string{"Message-ID bad-message-id"}},
		"a long Message-ID":       {"One.2026", strings.Repeat("a", 250), []string{"Message-ID bad-message-id"}},
		"two subjects":            {"Subject: ", "Subject: a\r\nSubject: ", []string{"Subject duplicate"}},
		"two dates":               {"Date: ", "Date: Sat, 21 Nov 2026 10:00:00 +0100\r\nDate: ", []string{"Date duplicate"}},
		"no date":                 {"Date: ", "X-Date: ", []string{"Date missing"}},
		"a bad date":              {"Date: Sat", "Date: tomorrow", []string{"Date malformed"}},
		"no MIME":                 {"MIME-Version: 1.0\r\n", "", []string{"MIME-Version missing"}},
		"another MIME":            {"MIME-Version: 1.0", "MIME-Version: 2.0", []string{"MIME-Version malformed"}},
		"two types":               {"Content-Type: mul", "Content-Type: text/plain\r\nContent-Type: mul", []string{"Content-Type duplicate"}},
		"two boundaries":          {"boundary=\"b\"", "boundary=a; boundary=b", []string{"Content-Type malformed"}},
		"a boundary in two forms": {"boundary=\"b\"", "boundary=a; boundary*=utf-8''b", []string{"Content-Type malformed"}},
		"no boundary":             {"; boundary=\"b\"", "", []string{"Content-Type malformed"}},
		"bad base64":              {"Y2lh", "Y2l!", []string{"Content malformed"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, rawBase, c.old)
			_, err := composeText(t, strings.Replace(rawBase, c.old, c.new, 1))
			require.Equal(t, c.want, problemsOf(t, err))
		})
	}
}

func TestEveryProblemOfARawMessageIsReported(t *testing.T) {
	broken := strings.NewReplacer("me@alfa", "you@alfa", "breve", "x", "ciao", "citt\xe0", "Date:", "X:").Replace(rawBase)
	_, err := composeRaw(t.Context(), composeSender,
		RawMessage{Content: strings.NewReader(broken), Key: "\n", RequireFullEvidence: true}, Limits{SizeTimesRecipients: 3, Recipients: 2})
	require.Equal(t, []string{"Key bad-key", "Date missing", "From not-sender", "X-TipoRicevuta bad-receipt",
		"To too-many", "Cc weak-evidence", "Content eight-bit", "Size too-large"}, problemsOf(t, err))
	for name, c := range map[string]struct {
		content io.Reader
		want    []string
	}{
		"nothing to read":  {nil, []string{"Content missing"}},
		"unreadable":       {iotest.ErrReader(io.ErrNoProgress), []string{"Content unreadable"}},
		"breaks off":       {io.MultiReader(strings.NewReader(rawBase), iotest.ErrReader(io.ErrNoProgress)), []string{"Content unreadable"}},
		"no end of header": {strings.NewReader(rawBase[:strings.Index(rawBase, "\r\n\r\n")+2]), []string{"Header malformed"}},
		"endless line":     {zeros{}, []string{"Header too-long"}},
		"endless header":   {&repeated{text: "X-A: b\r\n"}, []string{"Header too-long"}},
		"endless body":     {io.MultiReader(strings.NewReader(rawBase), &repeated{text: "x\r\n"}), []string{"Size too-large"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := composeRaw(t.Context(), composeSender, RawMessage{Content: c.content}, Limits{})
			for _, want := range c.want {
				require.Contains(t, problemsOf(t, err), want)
			}
		})
	}
}

// repeated is a reader that repeats a text without end.
type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.text[r.at]
		r.at = (r.at + 1) % len(r.text)
	}
	return len(p), nil
}

// A change of the file after it was read does not change the composed message.
func TestARawMessageIsCopied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.eml")
	require.NoError(t, os.WriteFile(path, []byte(rawBase), 0o600))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	c, err := composeRaw(t.Context(), composeSender, RawMessage{Content: f}, Limits{})
	require.NoError(t, err)
	defer c.body.Close()
	_, err = f.WriteAt([]byte("From: Evil"), 0)
	require.NoError(t, err)
	require.Equal(t, rawBase, bodyOf(t, c))
}

func TestARequestForOtherReceiptsIsAWarning(t *testing.T) {
	c, err := composeText(t, strings.NewReplacer("Cc:", "Disposition-Notification-To:").Replace(rawBase))
	require.NoError(t, err)
	require.Equal(t, []Warning{WarningOtherReceipts}, c.warnings)
}

func TestALargeAttachmentOfARawMessageIsHashed(t *testing.T) {
	content := strings.Repeat("0123456789", 300_000)
	encoded := base64.StdEncoding.EncodeToString([]byte(content))
	var lines strings.Builder
	for chunk := range slices.Chunk([]byte(encoded), 76) {
		lines.Write(chunk)
		lines.WriteString("\r\n")
	}
	c, err := composeText(t, strings.Replace(rawBase, "Y2lh\r\nbw==\r\n", lines.String(), 1))
	require.NoError(t, err)
	require.Equal(t, AttachmentDigest{"f.pdf", int64(len(content)), sha256.Sum256([]byte(content))}, c.attachments[0])
}

// FuzzRaw requires that a message that is not refused keeps what the checks promise, when
// net/mail reads it.
func FuzzRaw(f *testing.F) {
	f.Add([]byte(rawBase))
	f.Add([]byte(strings.ReplaceAll(rawBase, "\r\n", "\n")))
	f.Add([]byte(strings.Replace(rawBase, "Message-ID", "X-Message-ID", 1)))
	f.Add([]byte("From: me@alfa-pec.example\nTo: \"a\\\"b, <x@y.example>\" <c@d.example> , e@f.example\nDate: 21 Nov 2026 10:00 +0100\nMIME-Version: 1.0\n\n"))
	f.Fuzz(func(t *testing.T, content []byte) { checkRaw(t, content) })
}

// TestHostileRawMessagesAreReadAlikeOrRefused runs the fuzz target over random
// changes of a message that may be sent.
func TestHostileRawMessagesAreReadAlikeOrRefused(t *testing.T) {
	random := newRandom()
	pieces := []string{
		" ", "\t", "\r", "\n", "\r\n", "\r\n ", ":", ";", ",", "<", ">", "@", "\"", "\\", "(", ")", "\x00", "\x80", "=", "?", "From", "Bcc:", "To: ",
		"\r\nTo: ", "\r\nFrom: ", "<a@b.example>", "a@b.example, ", "X-Ricevuta: x", "Resent-", "=?utf-8?q?=2C?=", "\r\n\r\n", ".", "--b", "--",
	}
	sent := 0
	for range 20_000 {
		content := []byte(rawBase)
		for range 1 + random.IntN(3) {
			at := random.IntN(500)
			content = slices.Replace(content, at, at+random.IntN(4), []byte(pieces[random.IntN(len(pieces))])...)
		}
		if checkRaw(t, content) {
			sent++
		}
	}
	require.Greater(t, sent, 1000)
}

// checkRaw reports whether the message was accepted, and fails if it was accepted wrongly.
func checkRaw(t *testing.T, content []byte) bool {
	c, err := composeRaw(t.Context(), composeSender, RawMessage{Content: bytes.NewReader(content)}, Limits{})
	if err != nil {
		_, refused := errors.AsType[*ComposeError](err)
		require.True(t, refused, "%v", err)
		return false
	}
	defer c.body.Close()
	message := bodyOf(t, c)
	checkWire(t, message)
	require.Equal(t, sha256.Sum256([]byte(message)), c.digest)

	m, err := netmail.ReadMessage(strings.NewReader(message))
	require.NoError(t, err)
	for _, name := range []string{"From", "To", "Date", "Mime-Version", "Message-Id"} {
		require.Len(t, m.Header[name], 1, name)
	}
	require.Equal(t, "<"+c.messageID+">", m.Header.Get("Message-Id"))
	for field, want := range map[string][]string{"From": {composeSender}, "To": c.to, "Cc": c.cc} {
		var got []string
		if m.Header.Get(field) != "" {
			list, err := mailtext.AddressParser().ParseList(m.Header.Get(field))
			require.NoError(t, err)
			for _, a := range list {
				got = append(got, a.Address)
			}
		}
		require.Len(t, got, len(want), field)
		for i := range got {
			require.True(t, envelope.SameAddress(want[i], got[i]))
		}
	}
	for _, name := range topFields(t, message) {
		require.False(t, isForbidden(name) || strings.EqualFold(name, "Sender"), name)
	}
	_, err = m.Header.Date()
	require.NoError(t, err)
	return true
}

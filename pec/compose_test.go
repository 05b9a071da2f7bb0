package pec

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/emersion/go-message/mail"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/receipt"
)

func TestAComposedMessageHasItsFields(t *testing.T) {
	c := mustCompose(t, Message{
		To:          []string{"\"Rossi, Anna\" <anna@beta-pec.example>"},
		Subject:     "Re: x",
		Text:        "piano",
		HTML:        "<p>forte</p>",
		InReplyTo:   "<opec1.2026.1@pec.beta.example>",
		ExtraHeader: []HeaderField{{"X-Protocollo", "0001/2026 – città"}, {"List-Unsubscribe", "<https://" + strings.Repeat("a", 200) + ">"}},
		Receipt:     receipt.DetailConcise,
		Key:         "fattura 1",
		Attachments: []Attachment{{Name: "a.txt", Content: strings.NewReader("ciao")}},
	})
	raw := bodyOf(t, c)
	head, _, _ := strings.Cut(raw, "\r\n\r\n")
	for _, field := range []string{
		"In-Reply-To: <opec1.2026.1@pec.beta.example>",
		"References: <opec1.2026.1@pec.beta.example>",
		"X-TipoRicevuta: sintetica",
		"Message-ID: <" + c.messageID + ">",
		"MIME-Version: 1.0",
		"Date: Sat, 21 Nov 2026 10:00:00 +0100",
		"From: <" + composeSender + ">",
		"Subject: Re: x",
		"List-Unsubscribe: <https://" + strings.Repeat("a", 200) + ">",
	} {
		require.Contains(t, "\r\n"+head+"\r\n", "\r\n"+field+"\r\n")
	}
	require.Equal(t, sha256.Sum256([]byte(raw)), c.digest)
	require.Equal(t, []string{"anna@beta-pec.example"}, c.to)
	require.Equal(t, receipt.DetailConcise, c.receipt)
	require.Equal(t, []AttachmentDigest{{"a.txt", 4, sha256.Sum256([]byte("ciao"))}}, c.attachments)
	checkComposed(t, raw, Message{
		To: []string{"anna@beta-pec.example"}, Subject: "Re: x", Text: "piano", HTML: "<p>forte</p>",
		Attachments: []Attachment{{Name: "a.txt"}},
	}, []string{"ciao"})
}

func TestAMessageIsRefusedWithEveryProblem(t *testing.T) {
	to := []string{"anna@beta-pec.example"}
	for name, c := range map[string]struct {
		message Message
		want    []string
	}{
		"HTML without text":        {Message{To: to, HTML: "<p>"}, []string{"Text missing"}},
		"texts that are not UTF-8": {Message{To: to, Subject: "\xff", Text: "\xff", HTML: "\xff"}, []string{"Subject bad-text", "Text bad-text", "HTML bad-text"}},
		"a reply to many":          {Message{To: to, InReplyTo: "<a@b> <c@d>"}, []string{"InReplyTo bad-message-id"}},
		"a reply with a field":     {Message{To: to, InReplyTo: "a@b>\r\nBcc: <c@d"}, []string{"InReplyTo bad-message-id"}},
		"a reply to nothing":       {Message{To: to, InReplyTo: "<>"}, []string{"InReplyTo bad-message-id"}},
		"a long reply":             {Message{To: to, InReplyTo: strings.Repeat("a", 250) + "@b"}, []string{"InReplyTo bad-message-id"}},
		"a long key":               {Message{To: to, Key: strings.Repeat("k", 201)}, []string{"Key too-long"}},
		"a key of two lines":       {Message{To: to, Key: "a\nb"}, []string{"Key bad-key"}},
		"a key that is not ASCII":  {Message{To: to, Key: "è"}, []string{"Key bad-key"}},
		"an encoded line break":    {Message{To: []string{"=?utf-8?b?YQ0KQmNjOiB4?= <anna@beta-pec.example>"}}, []string{"To control"}},
		"Cc, and all is required":  {Message{To: to, Cc: []string{"b@beta-pec.example"}, RequireFullEvidence: true}, []string{"Cc weak-evidence"}},
		"brief, and all is wanted": {Message{To: to, Receipt: receipt.DetailBrief, RequireFullEvidence: true}, []string{"Receipt weak-evidence"}},
		"too many, and other things": {
			Message{To: manyAddresses(50), Cc: []string{"x@beta-pec.example", "nobody"}, Subject: "a\nb",
				Attachments: []Attachment{{Name: "a/b", Content: strings.NewReader("")}, {Name: "c", Content: iotest.ErrReader(io.ErrNoProgress)}}},
			[]string{"Cc bad-address", "Subject control", "Attachments bad-name", "To too-many", "Attachments unreadable"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := compose(t.Context(), composeSender, c.message, Limits{}, composeTime)
			require.Equal(t, c.want, problemsOf(t, err))
		})
	}
}

func TestOnlySafeFileNamesAreAccepted(t *testing.T) {
	for name, want := range map[string]ProblemReason{
		"fattura.pdf": "", "..pdf": "", "città €.pdf": "", "日本.pdf": "", strings.Repeat("è", 127): "", `a"b;c=d%41'.txt`: "",
		"": ProblemMissing, ".": ProblemBadName, "..": ProblemBadName, "../../.bashrc": ProblemBadName, `..\x`: ProblemBadName,
		"a\x00b": ProblemControl, "a\r\nb": ProblemControl, "a\u0085b": ProblemControl, "a\xff": ProblemBadText,
		strings.Repeat("è", 128): ProblemTooLong,
	} {
		require.Equal(t, want, nameProblem(name), "%q", name)
	}
}

// A sender who could write a provider's field could write a receipt.
func TestAnExtraHeaderCannotForgeAField(t *testing.T) {
	for _, name := range []string{
		"From", "TO", "Cc", "bcc", "Reply-To", "Subject", "Date", "Message-Id", "In-Reply-To", "References", "Sender",
		"Resent-To", "Resent-Anything", "Return-Path", "Received", "DKIM-Signature", "Delivered-To", "Mime-Version",
		"X-Ricevuta", "x-ricevuta", "X-Ricevuta-2", "X-Trasporto", "X-Riferimento-Message-ID", "X-TipoRicevuta", "X-Tiporicevuta",
		"X-VerificaSicurezza", "X-Mittente", "Disposition-Notification-To", "Return-Receipt-To",
		"Content-Type", "Content-Transfer-Encoding", "Content-Anything",
	} {
		_, err := compose(t.Context(), composeSender, Message{To: []string{"a@b.example"}, ExtraHeader: []HeaderField{{name, "x"}}}, Limits{}, composeTime)
		require.Equal(t, []string{"ExtraHeader forbidden"}, problemsOf(t, err), name)
	}
	for _, name := range []string{"X-Ricevuta ", " X", "X:", "Bcc: a@b.example\r\nX", "è", "X\x00", "X\n"} {
		_, err := compose(t.Context(), composeSender, Message{To: []string{"a@b.example"}, ExtraHeader: []HeaderField{{name, "x"}}}, Limits{}, composeTime)
		require.Equal(t, []string{"ExtraHeader malformed"}, problemsOf(t, err), "%q", name)
	}
	for _, value := range []string{"a\r\nBcc: c@d.example", "a\nb", "a\rb", "a\x00b", "a\tb"} {
		_, err := compose(t.Context(), composeSender, Message{To: []string{"a@b.example"}, ExtraHeader: []HeaderField{{"X-A", value}}}, Limits{}, composeTime)
		require.Equal(t, []string{"ExtraHeader control"}, problemsOf(t, err), "%q", value)
	}
}

func TestComposingKeepsTheLimits(t *testing.T) {
	file := strings.Repeat("x", 100_000)
	message := func() Message {
		return Message{To: manyAddresses(2), Attachments: []Attachment{{Name: "f", Content: strings.NewReader(file)}}}
	}
	size := mustCompose(t, message()).body.Size()
	c, err := compose(t.Context(), composeSender, message(), Limits{SizeTimesRecipients: 2 * size}, composeTime)
	require.NoError(t, err)
	require.NoError(t, c.body.Close())
	_, err = compose(t.Context(), composeSender, message(), Limits{SizeTimesRecipients: 2*size - 1, Recipients: 1}, composeTime)
	require.Equal(t, []string{"To too-many", "Size too-large"}, problemsOf(t, err))
	ce, _ := errors.AsType[*ComposeError](err)
	require.Equal(t, &LimitError{Limit: 1, Got: 2}, ce.Problems[0].Err)
	require.Equal(t, &LimitError{Limit: 2*size - 1, Got: 2 * size}, ce.Problems[1].Err)

	require.Equal(t, Limits{}.size(1), int64(30_000_000))
	endless := Message{To: []string{"a@b.example"}, Attachments: []Attachment{{Name: "zero", Content: zeros{}}}}
	_, err = compose(t.Context(), composeSender, endless, Limits{}, composeTime)
	require.Equal(t, []string{"Size too-large"}, problemsOf(t, err))
}

func manyAddresses(n int) []string {
	var list []string
	for i := range n {
		list = append(list, "a"+strings.Repeat("b", i)+"@beta-pec.example")
	}
	return list
}

func TestAWarningDoesNotRefuseAMessage(t *testing.T) {
	to, cc := []string{"a@b.example"}, []string{"c@b.example"}
	require.Empty(t, mustCompose(t, Message{To: to, Receipt: receipt.DetailBrief}).warnings)
	require.Equal(t, []Warning{WarningCc}, mustCompose(t, Message{To: to, Cc: cc}).warnings)
	require.Empty(t, mustCompose(t, Message{To: to, Cc: cc, Receipt: receipt.DetailConcise}).warnings)
	require.Empty(t, mustCompose(t, Message{To: to, Subject: strings.Repeat("è", 250)}).warnings)
	require.Equal(t, []Warning{WarningLongSubject}, mustCompose(t, Message{To: to, Subject: strings.Repeat("è", 251)}).warnings)
}

func TestComposingEndsWithItsContext(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	content := io.MultiReader(io.LimitReader(zeros{}, 2<<20), readerFunc(func([]byte) (int, error) { cancel(); return 0, nil }))
	_, err := compose(ctx, composeSender, Message{To: []string{"a@b.example"}, Attachments: []Attachment{{Name: "f", Content: content}}}, Limits{}, composeTime)
	require.ErrorIs(t, err, context.Canceled)
	_, refused := errors.AsType[*ComposeError](err)
	require.False(t, refused)
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Empty(t, left)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestAMissingTemporaryDirectoryIsNoProblemOfTheMessage(t *testing.T) {
	t.Setenv("TMPDIR", "/nonexistent")
	_, err := compose(t.Context(), composeSender, Message{To: []string{"a@b.example"},
		Attachments: []Attachment{{Name: "f", Content: io.LimitReader(zeros{}, 2<<20)}}}, Limits{}, composeTime)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, refused := errors.AsType[*ComposeError](err)
	require.False(t, refused)
}

// The memory that composing takes does not grow with the attachments.
func TestLargeAttachmentsNeedLittleMemory(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	const size = 100 << 20
	sum := sha256.New()
	content := io.TeeReader(io.LimitReader(zeros{}, size), sum)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c, err := compose(t.Context(), composeSender, Message{To: []string{"a@b.example"},
		Attachments: []Attachment{{Name: "f", Content: content}}}, Limits{SizeTimesRecipients: 200_000_000}, composeTime)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	defer c.body.Close()
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20)) // half of that is for the race detector
	require.Equal(t, []AttachmentDigest{{"f", size, [32]byte(sum.Sum(nil))}}, c.attachments)
	stored := sha256.New()
	_, err = io.Copy(stored, io.NewSectionReader(c.body, 0, c.body.Size()))
	require.NoError(t, err)
	require.Equal(t, c.digest, [32]byte(stored.Sum(nil)))
}

func TestARequestDigestStandsForWhatIsAskedFor(t *testing.T) {
	base := func() Message {
		return Message{
			Key: "k", To: []string{"Anna <anna@b.example>"}, Cc: []string{"c@b.example"}, ReplyTo: "r@b.example",
			Subject: "s", Text: "t", HTML: "h", InReplyTo: "a@b",
			ExtraHeader: []HeaderField{{"X-A", ""}, {"X-B", "x"}},
			Attachments: []Attachment{{Name: "n", Content: strings.NewReader("content")}},
		}
	}
	request := mustCompose(t, base()).request
	// Keys are stored for years. If the digest changed, repeated calls would become errors.
	require.Equal(t, "9b4ac3151ac580cdf1f5ec02fd170e7e763db687e2236b9474fba3feb39d0135", hex.EncodeToString(request[:]))

	same := map[string]func(*Message){
		"a display name":   func(m *Message) { m.To[0] = "ANNA@b.example" },
		"the same receipt": func(m *Message) { m.Receipt = receipt.DetailFull },
		"the same type":    func(m *Message) { m.Attachments[0].Type = "Application/Octet-Stream" },
		"another key":      func(m *Message) { m.Key = "l" },
		"case of a name":   func(m *Message) { m.ExtraHeader[0].Name = "x-a" },
		"brackets":         func(m *Message) { m.InReplyTo = "<a@b>" },
		"another reader":   func(m *Message) { m.Attachments[0].Content = iotest.OneByteReader(strings.NewReader("content")) },
	}
	other := map[string]func(*Message){
		"To":          func(m *Message) { m.To[0] = "anne@b.example" },
		"To and Cc":   func(m *Message) { m.To, m.Cc = append(m.To, m.Cc...), nil },
		"ReplyTo":     func(m *Message) { m.ReplyTo = "" },
		"Subject":     func(m *Message) { m.Subject = "" },
		"Text":        func(m *Message) { m.Text = "u" },
		"HTML":        func(m *Message) { m.HTML = "" },
		"Receipt":     func(m *Message) { m.Receipt = receipt.DetailBrief },
		"InReplyTo":   func(m *Message) { m.InReplyTo = "" },
		"ExtraHeader": func(m *Message) { m.ExtraHeader = []HeaderField{{"X-A", "x"}, {"X-B", ""}} },
		"a type":      func(m *Message) { m.Attachments[0].Type = "text/plain" },
		"a name":      func(m *Message) { m.Attachments[0].Name = "m" },
		"content":     func(m *Message) { m.Attachments[0].Content = strings.NewReader("Content") },
		"order": func(m *Message) {
			m.Attachments = append([]Attachment{{Name: "x", Content: new(bytes.Buffer)}}, m.Attachments...)
		},
	}
	seen := map[[32]byte]string{request: "the first"}
	for name, change := range same {
		m := base()
		change(&m)
		require.Equal(t, request, mustCompose(t, m).request, name)
	}
	for name, change := range other {
		m := base()
		change(&m)
		c := mustCompose(t, m)
		require.Empty(t, seen[c.request], name)
		seen[c.request] = name
	}
}

// FuzzCompose requires that a message is either refused, or is read back as it was asked
// for, with the fields that it must have and no others.
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

// TestHostileTextsAreComposedFaithfullyOrRefused runs the fuzz target over random texts
// made of difficult pieces.
func TestHostileTextsAreComposedFaithfullyOrRefused(t *testing.T) {
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
	// A field that is nearly always refused would leave the others untested.
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

// checkCompose reports whether the message was composed, and fails if it was composed
// wrongly.
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

// checkComposed reads a composed message with two libraries and requires what want asks
// for. The contents of the attachments are in contents, not in want.
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

func canonicalText(s string) string {
	return strings.ReplaceAll(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s), "\n", "\r\n")
}

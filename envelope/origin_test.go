package envelope_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
)

// titleRules are the titles as RFC 6109 would have them, written without looking at the
// table in title.go.
var titleRules = map[*regexp.Regexp][]envelope.Kind{
	regexp.MustCompile(`^ricevuta di accettazione`):                                    {envelope.KindAcceptance},
	regexp.MustCompile(`^(errore nell.accettazione|avviso di non accettazione)`):       {envelope.KindNonAcceptance},
	regexp.MustCompile(`^ricevuta di presa in carico`):                                 {envelope.KindTakeInCharge},
	regexp.MustCompile(`^ricevuta (completa |breve |sintetica )?di avvenuta consegna`): {envelope.KindDelivery},
	regexp.MustCompile(`^avviso di mancata consegna`):                                  {envelope.KindNonDelivery, envelope.KindDeliveryDelay},
	regexp.MustCompile(`^avviso di rilevazione virus`):                                 {envelope.KindVirusDetection},
	regexp.MustCompile(`^(questo e un )?messaggio di posta certificata`):               {envelope.KindTransport},
	regexp.MustCompile(`^anomalia`):                                                    {envelope.KindAnomaly},
}

// reading is what the standard library finds directly in a signed part. The standard
// library refuses some headers that package envelope reads.
type reading struct {
	title []envelope.Kind // nil when the first line is not a known title
	text  bool            // the first part is text
	parts int
	data  []int // the indexes of parts that are a document postacert, or have the name
}

var postacert = regexp.MustCompile(`(?i)^(\s|\x{feff}|<\?[^>]*>|<!--.*?-->|<![^>]*>)*<(\w+:)?postacert\b`)

func readSignedPart(signed []byte) (r reading, ok bool) {
	m, err := mail.ReadMessage(bytes.NewReader(signed))
	if err != nil {
		return r, false
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return r, false
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			return r, true
		}
		if err != nil {
			return r, false
		}
		raw, err := io.ReadAll(p)
		if err != nil {
			return r, false
		}
		mediaType, params, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		content := decoded(p.Header.Get("Content-Transfer-Encoding"), raw)
		name := strings.ToLower(p.FileName())
		if r.parts == 0 {
			r.text = strings.HasPrefix(mediaType, "text/") || mediaType == "multipart/alternative" || mediaType == ""
			text, first := content, p
			if mediaType == "multipart/alternative" {
				first, err = multipart.NewReader(bytes.NewReader(raw), params["boundary"]).NextRawPart()
				if err != nil {
					return r, false
				}
				raw, _ = io.ReadAll(first)
				text = decoded(first.Header.Get("Content-Transfer-Encoding"), raw)
			}
			if written := first.Header.Get("Content-Type"); written != "" {
				textType, _, err := mime.ParseMediaType(written)
				if err != nil {
					return r, false // readers disagree on what it is
				}
				if textType != "text/plain" {
					text = nil // only plain text has a title
				}
			}
			line, _, _ := bytes.Cut(bytes.TrimLeft(text, " \t\r\n-"), []byte("\n"))
			for rule, kinds := range titleRules {
				line := bytes.ToLower(line)
				if found := rule.Find(line); found != nil && !bytes.ContainsFunc(line[len(found):min(len(found)+1, len(line))], isWord) {
					r.title = kinds
				}
			}
		}
		if mediaType != "message/rfc822" && name != "postacert.eml" && (name == "daticert.xml" || postacert.Match(content)) {
			r.data = append(r.data, r.parts)
		}
		r.parts++
	}
}

// isWord counts eight-bit octets too, which are letters in most charsets.
func isWord(r rune) bool {
	return r >= 0x80 || r == '_' || r == '\'' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

func decoded(transfer string, raw []byte) []byte {
	var r io.Reader = bytes.NewReader(raw)
	switch strings.ToLower(transfer) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	}
	content, _ := io.ReadAll(r)
	return content
}

// checkSignedPart signs a part, as a provider would that was tricked into writing it. If
// the message is proven, its title is not that of another kind, and it has at most one
// document. Without a title, only the text comes before the document. It reports whether
// all of that was checked.
func checkSignedPart(t testing.TB, a *authority, v *envelope.Verifier, signed []byte, anomaly bool) (checked bool) {
	t.Helper()
	marker := ""
	if anomaly {
		marker = "X-Trasporto: errore\r\n"
	}
	raw := bytes.Replace(a.sign(signed), []byte("X-Ricevuta: avvenuta-consegna\r\nX-Riferimento-Message-ID: <m1@pec.example>\r\n"), []byte(marker), 1)
	m, err := envelope.Open(t.Context(), bytes.NewReader(raw), v)
	if err != nil {
		_, ok := errors.AsType[*envelope.VerifyError](err)
		require.True(t, ok, "%v", err)
		return false
	}
	defer m.Close()
	r, ok := readSignedPart(signed)
	if !ok {
		return false
	}
	if r.title != nil {
		require.Contains(t, r.title, m.Kind, "verified under the title of another kind")
	}
	if m.Kind == envelope.KindAnomaly {
		require.Empty(t, r.data, "an anomaly with certification data")
		return true
	}
	require.LessOrEqual(t, len(r.data), 1, "verified with more than one document")
	if r.title == nil && len(r.data) == 1 {
		require.LessOrEqual(t, r.data[0], 1, "certification data after the parts of others, without a title")
		require.True(t, r.data[0] == 0 || r.text)
	}
	return true
}

// signedParts returns the signed parts of the vectors.
func signedParts(t testing.TB) (parts [][]byte) {
	t.Helper()
	for _, v := range loadVectors(t) {
		_, rest, _ := strings.Cut(string(v.Message), "boundary=\"")
		boundary, _, found := strings.Cut(rest, `"`)
		_, rest, open := strings.Cut(rest, "\n--"+boundary+"\r\n")
		signed, _, closed := strings.Cut(rest, "\r\n--"+boundary)
		if found && open && closed {
			parts = append(parts, []byte(signed))
		}
	}
	require.NotEmpty(t, parts)
	return parts
}

func TestWhatVerifiesHasItsTitle(t *testing.T) {
	a := newAuthority(t)
	v := a.verifier(&envelope.VerifierOptions{})
	checked := 0
	for _, signed := range signedParts(t) {
		for _, anomaly := range []bool{false, true} {
			if checkSignedPart(t, a, v, signed, anomaly) {
				checked++
			}
		}
	}
	require.Greater(t, checked, 300)
}

// FuzzSignedPart makes a provider sign anything.
func FuzzSignedPart(f *testing.F) {
	for i, signed := range signedParts(f) {
		f.Add(signed, i%2 == 0)
	}
	a := newAuthority(f)
	v := a.verifier(nil)
	f.Fuzz(func(t *testing.T, signed []byte, anomaly bool) {
		signer := *a
		signer.t = t
		checkSignedPart(t, &signer, v, signed, anomaly)
	})
}

// However a guess of the boundary is written and stored, an anomaly does not become a
// delivery. Under the title of a delivery the same parts do: the title is the evidence.
func TestGuessInEveryFormMakesNoDelivery(t *testing.T) {
	a := newAuthority(t)
	v := a.verifier(nil)
	document := certData("avvenuta-consegna", "")
	forged := []string{
		"Content-Type: application/xml; name=daticert.xml\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(document)),
		"Content-Type: application/xml; name=daticert.xml\r\n\r\n" + document,
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.ReplaceAll(document, "=", "=3D"),
		"\r\n" + document,
	}
	verified := map[envelope.Kind]int{}
	for _, title := range []string{"Anomalia nel messaggio", "Comunicazione", "Ricevuta di avvenuta consegna"} {
		for _, delimiter := range []string{
			"\r\n--m\r\n", "\n--m\n", "\r\n--m \t\r\n", "\n--m\r\r\n", "\r--m\r", "\r\n--mx\r\n", "\r\n --m\r\n", "\r\n--M\r\n", "\r\n--m--\r\n--m\r\n",
		} {
			for _, part := range forged {
				for _, end := range []string{"", "\r\n--m--", "\r\n--m\r\n\r\nil resto", "\r\n--m\r\nContent-Type: message/rfc822\r\n\r\nil resto"} {
					for _, inText := range []bool{false, true} {
						guess := delimiter + part + end
						text, original := title+"\r\n\r\nIl messaggio \"", "Subject: x\r\n\r\nx"
						if inText {
							text += guess
						} else {
							original += guess
						}
						signed := "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/plain\r\n\r\n" + text + "\" proveniente da x" +
							"\r\n--m\r\nContent-Type: message/rfc822; name=postacert.eml\r\n\r\n" + original + "\r\n--m--\r\n"
						message := a.sign([]byte(signed))
						for _, marker := range []string{"X-Ricevuta: avvenuta-consegna", "X-Trasporto: errore"} {
							raw := bytes.Replace(message, []byte("X-Ricevuta: avvenuta-consegna"), []byte(marker), 1)
							for _, raw := range [][]byte{raw, bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))} {
								m, err := envelope.Open(t.Context(), bytes.NewReader(raw), v)
								if err != nil {
									continue
								}
								verified[m.Kind]++
								if m.Kind != envelope.KindAnomaly {
									require.Equal(t, "Ricevuta di avvenuta consegna", title, "%q %q %q", delimiter, part, end)
								}
								require.NoError(t, m.Close())
							}
						}
					}
				}
			}
		}
	}
	require.Positive(t, verified[envelope.KindDelivery], "a guess was never right")
	require.Positive(t, verified[envelope.KindAnomaly], "no guess was ever wrong")
	t.Log(verified)
}

func TestCertDataThatOthersMayHaveWrittenAreRefused(t *testing.T) {
	a := newAuthority(t)
	v := a.verifier(nil)
	document := certData("avvenuta-consegna", "")
	text := "Content-Type: text/plain\r\n\r\nRicevuta di avvenuta consegna"
	named := "Content-Type: application/xml; name=daticert.xml\r\n"
	message := func(parts ...string) []byte {
		return a.sign([]byte("Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n" + strings.Join(parts, "\r\n--m\r\n") + "\r\n--m--\r\n"))
	}
	accepted(t, message(text, named+"\r\n"+document), v)
	quoted := strings.ReplaceAll(document, "=", "=3D")
	for name, c := range map[string]struct {
		raw  []byte
		want envelope.Code
	}{
		"lines like a delimiter, joined in quoted-printable": {
			message(text, named+"Content-Transfer-Encoding: quoted-printable\r\n\r\n"+strings.Replace(quoted, "<dati>", "<dati>=\r\n--guess=\r\n", 1)),
			envelope.CodeBadCertData},
		"the root far down":   {message(text, named+"\r\n"+strings.Repeat(" \r\n", 1000)+document), envelope.CodeBadCertData},
		"text after the root": {message(text, named+"\r\n"+document+"\r\nil resto"), envelope.CodeBadCertData},
		"the title in the original": {
			message(strings.Replace(text, "plain", "plain; name=postacert.eml", 1), named+"\r\n"+document), envelope.CodeNoCertData},
		"no text in front": {message("Content-Type: image/png\r\n\r\nx", named+"\r\n"+document), envelope.CodeNoCertData},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, refusal(t, c.raw, v)) })
	}
}

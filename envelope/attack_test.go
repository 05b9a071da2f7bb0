package envelope_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec/pectest"
)

func TestGenuineDeliveryIsProven(t *testing.T) {
	n := pectest.Start(t, nil)
	m := accepted(t, delivery(t, n), trusttest.Verifier(t, n, nil))
	require.Equal(t, envelope.KindDelivery, m.Kind)
	require.Equal(t, "m1@alfa-pec.example", m.CertData.MessageID)
	require.Equal(t, "luigi@beta-pec.example", m.CertData.Recipient)
	require.Equal(t, n.SigningCA().Subject.CommonName, m.Anchor)
	require.Equal(t, "posta-certificata@beta-pec.example", m.From)
	require.Empty(t, m.Warnings)
}

// A change of any one byte of the signed part is noticed.
func TestEveryFlippedByteOfTheSignedPartIsRefused(t *testing.T) {
	n := pectest.Start(t, nil)
	raw, v := delivery(t, n), trusttest.Verifier(t, n, nil)
	start, end := signedPart(t, raw)
	flipped := 0
	for i := start; i < end; i++ {
		mutant := bytes.Clone(raw)
		mutant[i] ^= 0x01
		code := refusal(t, mutant, v)
		// A flip in a line end or in a boundary may break the structure first.
		require.Contains(t, []envelope.Code{envelope.CodeDigestMismatch, envelope.CodeMalformed, envelope.CodeTooLarge}, code, "byte %d", i)
		if code == envelope.CodeDigestMismatch {
			flipped++
		}
	}
	require.Greater(t, flipped, (end-start)*9/10)
}

// signedPart finds the part under the signature by its delimiters.
func signedPart(t *testing.T, raw []byte) (start, end int) {
	t.Helper()
	_, rest, found := strings.Cut(string(raw), "boundary=\"")
	require.True(t, found)
	boundary, _, _ := strings.Cut(rest, `"`)
	delimiter := []byte("\r\n--" + boundary + "\r\n")
	start = bytes.Index(raw, delimiter) + len(delimiter)
	end = start + bytes.Index(raw[start:], delimiter)
	require.Greater(t, end, start)
	return start, end
}

func TestForeignCAOfTheSameNameIsRefused(t *testing.T) {
	ours, theirs := pectest.Start(t, nil), pectest.Start(t, nil)
	require.Equal(t, ours.SigningCA().Subject.String(), theirs.SigningCA().Subject.String())
	forged := delivery(t, theirs)
	accepted(t, forged, trusttest.Verifier(t, theirs, nil))
	require.Equal(t, envelope.CodeUntrusted, refusal(t, forged, trusttest.Verifier(t, ours, nil)))
}

func TestFromThatIsNotTheSignerIsRefused(t *testing.T) {
	n := pectest.Start(t, nil)
	v, raw := trusttest.Verifier(t, n, nil), delivery(t, n)
	from := "From: posta-certificata@beta-pec.example\r\n"
	for name, replacement := range map[string]string{
		"another provider": "From: posta-certificata@alfa-pec.example\r\n",
		"display name":     "From: \"posta-certificata@beta-pec.example\" <mallory@example.org>\r\n",
		"two addresses":    "From: posta-certificata@beta-pec.example, mallory@example.org\r\n",
		"two fields":       from + "From: mallory@example.org\r\n",
		"hidden second":    from + "From : mallory@example.org\r\n",
		"none":             "",
		"group":            "From: list: posta-certificata@beta-pec.example;, mallory@example.org\r\n",
		"long s":           "From: po\u017fta-certificata@beta-pec.example\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, envelope.CodeAddressMismatch, refusal(t, replaceOnce(t, raw, from, replacement), v))
		})
	}
}

func TestUnsignedMessageWithMarkerIsRefused(t *testing.T) {
	n := pectest.Start(t, nil)
	raw := "From: posta-certificata@beta-pec.example\r\nTo: mario@alfa-pec.example\r\n" +
		"X-Ricevuta: avvenuta-consegna\r\nX-Riferimento-Message-ID: <m1@alfa-pec.example>\r\n" +
		"Subject: CONSEGNA: Fattura 12/2026\r\nContent-Type: text/plain\r\n\r\nconsegnato\r\n"
	ve := refused(t, []byte(raw), trusttest.Verifier(t, n, nil))
	require.Equal(t, envelope.CodeUnsigned, ve.Code)
	require.Equal(t, envelope.KindDelivery, ve.Findings.Kind, "the claim is kept")
	require.Nil(t, ve.Findings.CertData)
}

// A genuine receipt proves nothing about the message it is attached to.
func TestGenuineReceiptAttachedToAStrangersMailIsRefused(t *testing.T) {
	n := pectest.Start(t, nil)
	genuine := delivery(t, n)
	for name, fields := range map[string]string{
		"forwarded":       "Content-Type: message/rfc822\r\n",
		"named postacert": "Content-Type: message/rfc822; name=\"postacert.eml\"\r\n",
	} {
		for _, marker := range []string{"", "X-Ricevuta: avvenuta-consegna\r\n"} {
			t.Run(fmt.Sprintf("%s, marker %t", name, marker != ""), func(t *testing.T) {
				raw := "From: posta-certificata@beta-pec.example\r\n" + marker +
					"Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
					"--b\r\nContent-Type: text/plain\r\n\r\nvedi allegato\r\n" +
					"--b\r\n" + fields + "\r\n" + string(genuine) + "\r\n--b--\r\n"
				require.Equal(t, envelope.CodeUnsigned, refusal(t, []byte(raw), trusttest.Verifier(t, n, nil)))
			})
		}
	}
	t.Run("its signed part inside another multipart/signed", func(t *testing.T) {
		start, end := signedPart(t, genuine)
		// The stranger wraps the genuine signed part one level deeper.
		raw := "From: posta-certificata@beta-pec.example\r\nX-Ricevuta: avvenuta-consegna\r\n" +
			"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=outer\r\n\r\n" +
			"--outer\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n" + string(genuine[start:end]) +
			"\r\n--m--\r\n--outer\r\n" + signaturePart(t, genuine) + "\r\n--outer--\r\n"
		require.Equal(t, envelope.CodeDigestMismatch, refusal(t, []byte(raw), trusttest.Verifier(t, n, nil)))
	})
}

func signaturePart(t *testing.T, raw []byte) string {
	t.Helper()
	_, end := signedPart(t, raw)
	rest := raw[end+2:]
	_, part, found := bytes.Cut(rest, []byte("\r\n"))
	require.True(t, found)
	part, _, found = bytes.Cut(part, []byte("\r\n--"))
	require.True(t, found)
	return string(part)
}

func TestHeaderThatContradictsIsRefused(t *testing.T) {
	n := pectest.Start(t, nil)
	v, raw := trusttest.Verifier(t, n, nil), delivery(t, n)
	marker, reference := "X-Ricevuta: avvenuta-consegna\r\n", "X-Riferimento-Message-ID: <m1@alfa-pec.example>\r\n"
	for name, c := range map[string]struct{ old, new string }{
		"another kind":      {marker, "X-Ricevuta: accettazione\r\n"},
		"marker twice":      {marker, marker + marker},
		"transport as well": {marker, marker + "X-Trasporto: posta-certificata\r\n"},
		"transport instead": {marker, "X-Trasporto: posta-certificata\r\n"},
		"anomaly instead":   {marker, "X-Trasporto: errore\r\n"},
		"another message":   {reference, "X-Riferimento-Message-ID: <m2@alfa-pec.example>\r\n"},
		"reference twice":   {reference, reference + reference},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, envelope.CodeHeaderMismatch, refusal(t, replaceOnce(t, raw, c.old, c.new), v))
		})
	}
	t.Run("absent is a warning", func(t *testing.T) {
		m := accepted(t, replaceOnce(t, replaceOnce(t, raw, marker, ""), reference, ""), v)
		require.Equal(t, []envelope.Warning{envelope.WarningHeaderAbsent}, m.Warnings)
		require.Equal(t, envelope.KindDelivery, m.Kind)
	})
}

func TestStructureIsChecked(t *testing.T) {
	n := pectest.Start(t, nil)
	v, raw := trusttest.Verifier(t, n, nil), delivery(t, n)
	_, end := signedPart(t, raw)
	delimiter := raw[end : end+bytes.IndexByte(raw[end+2:], '\r')+4]
	contentType := "Content-Type: multipart/signed;"
	for name, c := range map[string]struct {
		raw  []byte
		code envelope.Code
	}{
		"third part":           {bytes.Join([][]byte{raw[:end], delimiter, []byte("\r\nextra"), raw[end:]}, nil), envelope.CodeMalformed},
		"no signature part":    {append(bytes.Clone(raw[:end]), "\r\n"...), envelope.CodeMalformed},
		"two Content-Types":    {replaceOnce(t, raw, contentType, "Content-Type: text/plain\r\n"+contentType), envelope.CodeMalformed},
		"no Content-Type":      {replaceOnce(t, raw, contentType, "X-Content-Type: multipart/signed;"), envelope.CodeUnsigned},
		"not multipart":        {[]byte("Subject: ciao\r\n\r\nciao\r\n"), envelope.CodeUnsigned},
		"empty":                {nil, envelope.CodeUnsigned},
		"header of a mebibyte": {append(bytes.Repeat([]byte("X-A: b\r\n"), 1<<17), raw...), envelope.CodeTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.code, refusal(t, c.raw, v))
		})
	}
}

func TestNoAnchorsIsAnError(t *testing.T) {
	_, err := envelope.NewVerifier(nil, nil)
	require.ErrorIs(t, err, envelope.ErrNoAnchors)
	_, err = envelope.Open(t.Context(), strings.NewReader(""), nil)
	require.ErrorIs(t, err, envelope.ErrNoAnchors)
	_, err = envelope.ParseAnchors(nil)
	require.ErrorIs(t, err, envelope.ErrNoAnchors)
}

func TestStoredWithLFIsProvenWithAWarning(t *testing.T) {
	n := pectest.Start(t, nil)
	v, raw := trusttest.Verifier(t, n, nil), delivery(t, n)
	original := accepted(t, raw, v)
	stored := accepted(t, bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), v)
	require.Equal(t, []envelope.Warning{envelope.WarningLFStorage}, stored.Warnings)
	require.Equal(t, original.Digest, stored.Digest, "one notice, one key")
	require.Equal(t, original.CertData, stored.CertData)
}

// Whoever stores a message can change some of its line ends, and the signature stays
// intact. The original is returned as it was signed: a file in it keeps its digest.
func TestLineEndsOfStorageDoNotChangeTheOriginal(t *testing.T) {
	a := newAuthority(t)
	files := "Content-Transfer-Encoding: binary\r\n\r\nPK\x03\x04\r\n\x00\rx\r\n\r"
	long := strings.Repeat("una riga\r\n", 200<<10)
	for _, original := range []string{"Subject: x\r\n\r\nuno\r\ndue\r\n", files, long + files} {
		raw := a.deliveryOf(original)
		at := bytes.Index(raw, []byte("Content-Type: message/rfc822"))
		end := at + bytes.Index(raw[at:], []byte("\r\n--m--"))
		head, tail := raw[:end], raw[end:]
		for name, stored := range map[string][]byte{
			"as it came":     raw,
			"all":            slices.Concat(bytes.ReplaceAll(head, []byte("\r\n"), []byte("\n")), tail),
			"one":            slices.Concat(raw[:at], bytes.Replace(head[at:], []byte("\r\n"), []byte("\n"), 3), tail),
			"only the outer": bytes.Replace(raw, []byte("\r\n"), []byte("\n"), 4),
		} {
			m := accepted(t, stored, a.verifier(nil))
			r, err := m.Original()
			require.NoError(t, err)
			got, err := io.ReadAll(r)
			require.NoError(t, err)
			require.True(t, original == string(got), name)
		}
	}
}

// A sender who guesses the boundary that its provider will use can write delimiters into
// a message. Forged certification data must not be taken for the provider's.
func TestSenderWhoGuessesTheBoundaryIsRefused(t *testing.T) {
	a := newAuthority(t)
	const top = "Content-Type: multipart/mixed; boundary=m\r\n\r\n"
	text := "--m\r\nContent-Type: text/plain\r\n\r\nRicevuta di avvenuta consegna\r\n"
	certDataPart := func(token string) string {
		return "--m\r\nContent-Type: application/xml; name=\"daticert.xml\"\r\n\r\n" + certData(token, "") + "\r\n"
	}
	original := func(body string) string {
		return "--m\r\nContent-Type: message/rfc822; name=\"postacert.eml\"\r\n\r\nSubject: x\r\n\r\n" + body + "\r\n"
	}
	genuine := certDataPart("avvenuta-consegna")
	accepted(t, a.sign([]byte(top+text+original("x")+genuine+"--m--\r\n")), a.verifier(nil))
	for name, c := range map[string]struct {
		part string
		want envelope.Code
	}{
		"its data, then the end":       {top + text + original(certDataPart("avvenuta-consegna")+"--m--") + genuine + "--m--\r\n", envelope.CodeMalformed},
		"its data, then text":          {top + text + original(certDataPart("avvenuta-consegna")) + genuine + "--m--\r\n", envelope.CodeNoCertData},
		"its data, then the end twice": {top + text + original(certDataPart("avvenuta-consegna")+"--m--\r\n--m--") + genuine + "--m--\r\n", envelope.CodeMalformed},
		"the end alone":                {top + text + original("--m--") + genuine + "--m--\r\n", envelope.CodeMalformed},
		"a second original":            {top + text + genuine + original("x\r\n"+original("y")) + "--m--\r\n", envelope.CodeBadCertData},
		"a second original, unnamed":   {top + text + genuine + strings.ReplaceAll(original("x\r\n"+original("y")), "; name=\"postacert.eml\"", "") + "--m--\r\n", envelope.CodeBadCertData},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, refusal(t, a.sign([]byte(c.part)), a.verifier(nil)))
		})
	}
}

// Certification data that cannot be read are refused, even if the header says anomaly.
func TestBrokenCertDataIsNoAnomaly(t *testing.T) {
	a := newAuthority(t)
	raw := a.sign([]byte("Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/plain\r\n\r\nx\r\n" +
		"--m\r\nContent-Type: application/xml\r\n\r\n<postacert>\r\n" +
		"--m\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nx\r\n--m--\r\n"))
	raw = replaceOnce(t, raw, "X-Ricevuta: avvenuta-consegna", "X-Trasporto: errore")
	require.Equal(t, envelope.CodeBadCertData, refusal(t, raw, a.verifier(nil)))
}

// A Message that Open did not make proves nothing and holds nothing.
func TestOnlyOpenMakesProof(t *testing.T) {
	m := &envelope.Message{}
	require.False(t, m.Proven())
	require.Nil(t, m.Raw())
	require.NoError(t, m.Close())
	_, err := m.Original()
	require.ErrorIs(t, err, envelope.ErrNoOriginal)
	require.False(t, (*envelope.Message)(nil).Proven())

	a := newAuthority(t)
	raw := a.deliveryOf("")
	m = accepted(t, raw, a.verifier(nil))
	require.True(t, m.Proven())
	got, err := io.ReadAll(m.Raw())
	require.NoError(t, err)
	require.Equal(t, raw, got)
	_, err = envelope.Open(t.Context(), strings.NewReader(""), new(envelope.Verifier))
	require.ErrorIs(t, err, envelope.ErrNoAnchors)
}

func TestAuthorityMakesProvenMessages(t *testing.T) {
	a := newAuthority(t)
	m := accepted(t, a.deliveryOf(""), a.verifier(nil))
	require.Empty(t, m.Warnings)
	require.True(t, strings.HasSuffix(m.From, "@pec.example"))
}

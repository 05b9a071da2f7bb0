package receipt_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/floor"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

// BenchmarkOpen reads a full delivery receipt of 18 KB, with all checks. The floor is one
// hash of the signed part and one RSA-2048 verification. A warm verifier has seen the
// signer's certificate before; a cold one has not.
func BenchmarkOpen(b *testing.B) {
	n := pectest.Start(b, nil)
	for _, algorithm := range []crypto.Hash{crypto.SHA256, crypto.SHA1} {
		raw := fullDelivery(b, n, algorithm, 18_000)
		start, end := signedPart(b, raw)
		verify, warm := rsaVerification(b), trusttest.Verifier(b, n, nil)
		least := func() {
			digest(algorithm, raw[start:end])
			verify()
		}
		for name, verifier := range map[string]func() *envelope.Verifier{
			"warm": func() *envelope.Verifier { return warm },
			"cold": func() *envelope.Verifier { return trusttest.Verifier(b, n, nil) },
		} {
			b.Run(algorithm.String()+"/"+name, func(b *testing.B) {
				floor.Compare(b, least, func() { openDelivery(b, bytes.NewReader(raw), verifier()) })
			})
		}
	}
}

// BenchmarkOpenLarge reads full delivery receipts with large attachments. The floor
// is to read the signed part from its file and to hash it.
func BenchmarkOpenLarge(b *testing.B) {
	n := pectest.Start(b, nil)
	v := trusttest.Verifier(b, n, nil)
	for name, size := range map[string]int{"30MiB": 30 << 20, "100MiB": 100 << 20} {
		crlf := fullDelivery(b, n, crypto.SHA256, size)
		lf := bytes.ReplaceAll(crlf, []byte("\r\n"), []byte("\n"))
		for _, c := range []struct {
			name string
			raw  []byte
			open func(*os.File) io.Reader
		}{
			{"CRLF", crlf, func(f *os.File) io.Reader { return f }},
			{"LF", lf, func(f *os.File) io.Reader { return f }},
			{"spooled", crlf, func(f *os.File) io.Reader { return struct{ io.Reader }{f} }},
		} {
			start, end := signedPart(b, c.raw)
			path := filepath.Join(b.TempDir(), "large.eml")
			require.NoError(b, os.WriteFile(path, c.raw, 0o600))
			b.Run(name+"/"+c.name, func(b *testing.B) {
				f, err := os.Open(path)
				require.NoError(b, err)
				defer f.Close()
				buf := make([]byte, 64<<10)
				floor.Compare(b, func() {
					h := crypto.SHA256.New()
					part := io.NewSectionReader(f, int64(start), int64(end-start))
					// Hide methods with which the copy would bypass the buffer.
					_, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{part}, buf)
					require.NoError(b, err)
				}, func() {
					_, err := f.Seek(0, io.SeekStart)
					require.NoError(b, err)
					openDelivery(b, c.open(f), v)
				})
			})
		}
	}
}

// fullDelivery returns a full delivery receipt of about the given size.
func fullDelivery(b *testing.B, n *pectest.Network, algorithm crypto.Hash, size int) []byte {
	b.Helper()
	emit := func(text int) []byte {
		raw, err := n.Providers()[1].Emit(pectest.Notice{
			Kind: pectest.KindDelivery, Sender: "mario@alfa-pec.example", Subject: "Fattura 12/2026",
			Recipients: []pectest.Recipient{{Address: "luigi@beta-pec.example"}},
			CertID:     "p1@alfa-pec.example", MessageID: "<m1@alfa-pec.example>", Delivered: "luigi@beta-pec.example",
			Original: []byte("From: mario@alfa-pec.example\r\nSubject: Fattura 12/2026\r\n\r\n" +
				strings.Repeat(strings.Repeat("x", 76)+"\r\n", text/78)),
			Style: &pectest.Style{SHA1: algorithm == crypto.SHA1},
		})
		require.NoError(b, err)
		return raw
	}
	return emit(size - len(emit(0)))
}

// signedPart finds the part under the signature by its delimiters.
func signedPart(b *testing.B, raw []byte) (start, end int) {
	b.Helper()
	_, rest, found := bytes.Cut(raw, []byte(`boundary="`))
	require.True(b, found)
	boundary, _, _ := bytes.Cut(rest, []byte(`"`))
	delimiter := append([]byte("\n--"), boundary...)
	start = bytes.Index(raw, delimiter)
	start += bytes.IndexByte(raw[start+1:], '\n') + 2
	end = start + bytes.Index(raw[start:], delimiter)
	require.Greater(b, end, start)
	return start, end
}

// rsaVerification returns a function that verifies a signature of an RSA key of 2048 bits.
func rsaVerification(b *testing.B) func() {
	b.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(b, err)
	sum := digest(crypto.SHA256, nil)
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum)
	require.NoError(b, err)
	return func() {
		if rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum, signature) != nil {
			b.Fatal("not verified")
		}
	}
}

func digest(algorithm crypto.Hash, content []byte) []byte {
	h := algorithm.New()
	h.Write(content)
	return h.Sum(nil)
}

func openDelivery(b *testing.B, r io.Reader, v *envelope.Verifier) {
	notice, err := receipt.Open(context.Background(), r, v)
	if err != nil {
		b.Fatal(err)
	}
	d, ok := notice.(*receipt.Delivery)
	if !ok || d.Detail != receipt.DetailFull || notice.Close() != nil {
		b.Fatal("not the receipt that was opened")
	}
}

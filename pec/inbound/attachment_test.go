package inbound_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/inbound"
	"github.com/gopec/gopec/pec/pectest"
)

// attached returns the attachment of a message that is one file: its header has the given
// fields, and its body the content in base64.
func attached(t *testing.T, n *pectest.Network, fields, content string) inbound.Attachment {
	t.Helper()
	all := attachments(t, open(t, n, pectest.KindTransport, "From: "+luigi+"\r\nContent-Transfer-Encoding: base64\r\n"+
		fields+"\r\n\r\n"+base64.StdEncoding.EncodeToString([]byte(content))))
	require.Len(t, all, 1)
	require.Nil(t, all[0].Defect)
	require.Equal(t, content, contentOf(t, all[0]))
	return all[0]
}

// signedFile returns the beginning of a CMS SignedData in DER, with its length in the given
// encoding.
func signedFile(length string) string {
	return "\x30" + length + "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0" + strings.Repeat("x", 200)
}

func TestForms(t *testing.T) {
	n := pectest.Start(t, nil)
	der := signedFile("\x82\x10\x00")
	lines := base64.StdEncoding.EncodeToString([]byte(der))
	lines = lines[:64] + "\r\n" + lines[64:]
	utf16 := "\xff\xfe" + string(bytes.Join(bytes.Split([]byte("<a/>"), nil), []byte{0})) + "\x00"
	far := "%PDF-1.7\n" + strings.Repeat("x", 32<<10-9-5) + "/ByteRange [0 1 2 3]" + strings.Repeat("x", 100_000)
	for i, c := range []struct {
		fields, content string
		want            inbound.Form
	}{
		{"Content-Type: application/pkcs7-mime; name=atto.pdf.p7m", der, inbound.FormP7M},
		{"Content-Type: application/byte-stream; name=ATTO.PDF.P7M", signedFile("\x80"), inbound.FormP7M},
		{"Content-Type: application/byte-stream; name=atto", signedFile("\x84\x00\x10\x00\x00"), inbound.FormP7M},
		{"Content-Type: application/byte-stream; name=atto.p7m", lines, inbound.FormP7M},
		{"Content-Type: application/byte-stream; name=atto.p7m", "-----BEGIN PKCS7-----\r\n" + lines, inbound.FormP7M},
		{"Content-Type: application/pkcs7-signature; name=smime.p7s", der, inbound.FormOther},
		{"Content-Type: application/byte-stream; name=firma.P7S", der, inbound.FormOther},
		{"Content-Type: application/pkcs7-mime; name=smime.p7m", strings.Replace(der, "\x07\x02", "\x07\x03", 1), inbound.FormOther},
		{"Content-Type: application/pkcs7-mime; name=atto.p7m", "finto", inbound.FormOther},
		{"Content-Type: application/pkcs7-mime; name=atto.p7m", "", inbound.FormOther},
		{"Content-Type: application/pdf; name=a.pdf", far, inbound.FormSignedPDF},
		{"Content-Type: application/byte-stream", "\n\n%PDF-1.4 /ByteRange", inbound.FormSignedPDF},
		{"Content-Type: application/pdf; name=a.pdf", "%PDF-1.4 /ByteRang", inbound.FormOther},
		{"Content-Type: application/pdf; name=a.pdf", "/ByteRange", inbound.FormOther},
		{"Content-Type: text/xml; name=IT01.xml", `<?xml version="1.0" encoding="windows-1252"?><!-- è --><p:FatturaElettronica versione="FPR12" xmlns:p="x">`, inbound.FormInvoice},
		{"Content-Type: application/byte-stream; name=IT01.XML", "\xef\xbb\xbf \n<FatturaElettronicaSemplificata/>", inbound.FormInvoice},
		{"Content-Type: text/xml; name=x.xml", `<a><FatturaElettronica/></a>`, inbound.FormXML},
		{"Content-Type: image/svg+xml", `<svg/>`, inbound.FormXML},
		{"Content-Type: text/xml; name=x.xml", utf16, inbound.FormXML},
		{"Content-Type: text/xml; name=x.xml", "testo", inbound.FormOther},
		{"Content-Type: text/xml; name=SEGNATURA.XML", "<Segnatura/>", inbound.FormSegnatura},
		{"Content-Type: application/byte-stream; name=segnatura.xml", `<?xml version="1.0"?><SegnaturaInformatica/>`, inbound.FormSegnatura},
		{"Content-Type: text/xml; name=segnatura.xml", "testo", inbound.FormOther},
		{"Content-Type: text/xml; name=xsegnatura.xml", "<Segnatura/>", inbound.FormXML},
		{"Content-Type: message/rfc822; name=postacert.eml", "Subject: x\r\n\r\nx", inbound.FormMessage},
		{"Content-Type: application/zip; name=a.zip", "PK\x03\x04", inbound.FormOther},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			require.Equal(t, c.want, attached(t, n, c.fields, c.content).Form, c.fields)
		})
	}
}

// The mark of a signed PDF may be split between two reads at any place.
func TestSignedPDFMarkBetweenReads(t *testing.T) {
	n := pectest.Start(t, nil)
	const read = 768 // bytes that one read of base64 yields
	for i := range 40 {
		content := "%PDF-1.7\n" + strings.Repeat("x", 40*read-9-20+i) + "/ByteRange" + strings.Repeat("x", i)
		require.Equal(t, inbound.FormSignedPDF, attached(t, n, "Content-Type: application/pdf", content).Form)
	}
}

func TestNames(t *testing.T) {
	n := pectest.Start(t, nil)
	for disposition, want := range map[string][2]string{
		`filename="atto.pdf"`:                                 {"atto.pdf", "atto.pdf"},
		`filename*=iso-8859-1''citt%E0.pdf`:                   {"città.pdf", "città.pdf"},
		`filename*0*=utf-8''citt%C3; filename*1*=%A0.pdf`:     {"città.pdf", "città.pdf"},
		`filename="=?utf-8?q?citt=C3=A0.pdf?="`:               {"città.pdf", "città.pdf"},
		"filename=\"citt\xe0.pdf\"":                           {"città.pdf", "città.pdf"},
		`filename="../../etc/passwd"`:                         {"../../etc/passwd", "_.._etc_passwd"},
		`filename="C:\\Windows\\a.exe"`:                       {`C:\Windows\a.exe`, "C__Windows_a.exe"},
		`filename="prot. 12/2026.pdf"`:                        {"prot. 12/2026.pdf", "prot. 12_2026.pdf"},
		`filename*=utf-8''fattura%E2%80%AEfdp.exe`:            {"fattura\u202efdp.exe", "fatturafdp.exe"},
		`filename*=utf-8''a%00b%0D%0Ac.pdf`:                   {"a\x00b\r\nc.pdf", "abc.pdf"},
		`filename=".bashrc"`:                                  {".bashrc", "bashrc"},
		`filename=". . ."`:                                    {". . .", "attachment"},
		`filename="CON.pdf"`:                                  {"CON.pdf", "_CON.pdf"},
		`filename="nul"`:                                      {"nul", "_nul"},
		`filename="console.pdf"`:                              {"console.pdf", "console.pdf"},
		`filename="a.pdf. "`:                                  {"a.pdf. ", "a.pdf"},
		`filename="` + strings.Repeat("à", 200) + `.pdf.p7m"`: {strings.Repeat("à", 200) + ".pdf.p7m", strings.Repeat("à", 125) + ".p7m"},
		`filename="` + strings.Repeat(".", 300) + `"`:         {strings.Repeat(".", 300), "attachment"},
		`filename="a` + strings.Repeat(" ", 300) + `.exe"`:    {"a" + strings.Repeat(" ", 300) + ".exe", "a.exe"},
		`filename=""`:                                         {"tipo.bin", "tipo.bin"},
	} {
		a := attached(t, n, "Content-Type: application/byte-stream; name=tipo.bin\r\nContent-Disposition: attachment; "+disposition, "x")
		require.Equal(t, want[0], a.Name)
		require.Equal(t, want[1], a.SafeName)
		require.True(t, filepath.IsLocal(a.SafeName))
	}
	require.Equal(t, "attachment", attached(t, n, "Content-Type: application/byte-stream", "x").SafeName)
}

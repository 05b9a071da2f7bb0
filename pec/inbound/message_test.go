package inbound_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec/inbound"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

func TestPEC(t *testing.T) {
	n := pectest.Start(t, nil)
	in := open(t, n, pectest.KindTransport, crlf(reply))
	require.Equal(t, envelope.KindTransport, in.Kind)
	require.Equal(t, luigi, in.Sender)
	require.Equal(t, "Certificato", in.Subject)
	require.Equal(t, "m9@beta-pec.example", in.MessageID)
	require.Equal(t, "p9@beta-pec.example", in.CertID)
	require.Equal(t, []envelope.Recipient{{Address: me, Certified: true, Token: "certificato"}}, in.Recipients)
	require.Equal(t, "Beta PEC S.p.A.", in.Provider)
	require.WithinDuration(t, time.Now(), in.AcceptedAt, time.Hour)
	require.Equal(t, arrived, in.Arrived)
	require.Empty(t, in.Defects)

	h := in.Header
	require.Len(t, h.From, 1)
	require.Equal(t, "Luigi Verdì", h.From[0].Name)
	require.Equal(t, luigi, h.From[0].Address)
	require.Len(t, h.To, 2)
	require.Equal(t, "ufficio@alfa-pec.example", h.To[1].Address)
	require.Len(t, h.Cc, 1)
	require.Equal(t, "Scritto da Luigi, perché", h.Subject)
	require.Equal(t, "p9@beta-pec.example", h.MessageID)
	require.Equal(t, []string{"P1@alfa-pec.example"}, h.InReplyTo)
	require.Equal(t, []string{"P0@alfa-pec.example", "P1@alfa-pec.example"}, h.References)

	for range 2 { // the same at each call
		text, err := in.Text()
		require.NoError(t, err)
		require.Equal(t, "Perché no? 10 €", text)
		html, err := in.HTML()
		require.NoError(t, err)
		require.Equal(t, "<b>Perché</b>", html)
		files := attachments(t, in)
		require.Len(t, files, 3)
		require.Equal(t, "atto 12/2026.pdf", files[0].Name)
		require.Equal(t, "atto 12_2026.pdf", files[0].SafeName)
		require.Equal(t, "application/byte-stream", files[0].MediaType)
		require.Equal(t, "ciao", contentOf(t, files[0]))
		require.Equal(t, inbound.FormMessage, files[1].Form)
		require.Contains(t, contentOf(t, files[1]), "nascosto", "an attached message is one file")
		require.Equal(t, "In calce.", contentOf(t, files[2]), "no text goes unseen")
		for _, f := range files {
			require.Nil(t, f.Defect)
		}
	}
	_, err := in.Bounce()
	require.ErrorIs(t, err, inbound.ErrNotBounce)
}

// Nothing in an anomaly is certified, not even when its original is a genuine PEC or notice.
func TestAnomalyCertifiesNothing(t *testing.T) {
	n := pectest.Start(t, nil)
	genuine, err := n.Providers()[1].Emit(pectest.Notice{
		Kind: pectest.KindTransport, Sender: luigi, Subject: "Falso", MessageID: "<m9@beta-pec.example>",
		Recipients: []pectest.Recipient{{Address: me}}, Original: []byte(crlf(reply)),
	})
	require.NoError(t, err)
	delivery, err := n.Providers()[1].Emit(pectest.Notice{
		Kind: pectest.KindDelivery, Sender: me, MessageID: "<m1@alfa-pec.example>", CertID: "p1@alfa-pec.example", Delivered: luigi,
		Recipients: []pectest.Recipient{{Address: luigi}},
	})
	require.NoError(t, err)
	for name, original := range map[string]string{
		"mail":     crlf(reply),
		"a PEC":    string(genuine),
		"a notice": string(delivery),
	} {
		t.Run(name, func(t *testing.T) {
			in := open(t, n, pectest.KindAnomaly, original)
			require.Equal(t, envelope.KindAnomaly, in.Kind)
			require.Empty(t, in.Sender)
			require.Empty(t, in.Recipients)
			require.Empty(t, in.Subject)
			require.Empty(t, in.MessageID)
			require.Empty(t, in.CertID)
			require.Empty(t, in.Provider)
			require.Zero(t, in.AcceptedAt)
			require.Len(t, in.Header.From, 1)
			require.NotEmpty(t, in.Header.MessageID)
		})
	}
}

func TestOpenRefusesWhatIsNoProvenEnvelope(t *testing.T) {
	n := pectest.Start(t, nil)
	_, err := inbound.Open(nil, arrived)
	require.ErrorIs(t, err, receipt.ErrNotProven)
	_, err = inbound.Open(&envelope.Message{Findings: envelope.Findings{Kind: envelope.KindTransport}}, arrived)
	require.ErrorIs(t, err, receipt.ErrNotProven)
	_, err = inbound.Open(prove(t, n, pectest.Notice{
		Kind: pectest.KindAcceptance, Sender: me, Recipients: []pectest.Recipient{{Address: luigi}},
	}), arrived)
	require.ErrorIs(t, err, inbound.ErrNotEnvelope)
}

// A broken original does not make the envelope less proven.
func TestABrokenOriginalIsReadAsFarAsPossible(t *testing.T) {
	n := pectest.Start(t, nil)
	header := "From: " + luigi + "\r\n"
	long := strings.Repeat("x", 5<<20)
	for name, c := range map[string]struct {
		original string
		header   []inbound.DefectReason
		text     string
		textErr  inbound.DefectReason
		files    []inbound.DefectReason // "" for a sound one
	}{
		"empty":             {"", []inbound.DefectReason{inbound.DefectAddress}, "", "", nil},
		"no body":           {header, nil, "", "", nil},
		"plain":             {header + "\r\nciao\r\n", nil, "ciao\n", "", nil},
		"header of 2 MiB":   {header + strings.Repeat("X-A: "+strings.Repeat("x", 70)+"\r\n", 30_000) + "\r\nciao", []inbound.DefectReason{inbound.DefectHeader}, "", "", []inbound.DefectReason{inbound.DefectHeader}},
		"two authors":       {"From: a@x.example, b@x.example\r\n\r\nciao", []inbound.DefectReason{inbound.DefectAddress}, "ciao", "", nil},
		"From twice":        {header + header + "\r\nciao", []inbound.DefectReason{inbound.DefectAddress}, "ciao", "", nil},
		"bad address":       {header + "To: <<>>, a@x.example\r\n\r\nciao", []inbound.DefectReason{inbound.DefectAddress}, "ciao", "", nil},
		"unknown charset":   {header + "Content-Type: text/plain; charset=x-boh\r\n\r\ncitt\xe0", nil, "città", inbound.DefectCharset, nil},
		"wrong charset":     {header + "Content-Type: text/plain; charset=utf-8\r\n\r\ncitt\xe0", nil, "città", inbound.DefectCharset, nil},
		"bad base64":        {header + "Content-Transfer-Encoding: base64\r\n\r\nY2lhbw==#", nil, "ciao", inbound.DefectEncoding, nil},
		"text of 5 MiB":     {header + "\r\n" + long, nil, long[:4<<20], inbound.DefectTooLong, nil},
		"no boundary":       {header + "Content-Type: multipart/mixed\r\n\r\nciao", nil, "", "", []inbound.DefectReason{inbound.DefectStructure}},
		"two boundaries":    {header + "Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\nciao", nil, "", "", []inbound.DefectReason{inbound.DefectParameters}},
		"a broken part":     {header + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + strings.Repeat("X: x\r\n", 20_000) + "\r\n--b\r\n\r\nciao\r\n--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--b--", nil, "ciao", "", []inbound.DefectReason{inbound.DefectHeader, inbound.DefectStructure}},
		"a broken file":     {header + "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nY2lhbw==Y2lhbw==", nil, "", "", []inbound.DefectReason{inbound.DefectEncoding}},
		"unknown encoding":  {header + "Content-Type: image/png\r\nContent-Transfer-Encoding: x-uu\r\n\r\nciao", nil, "", "", []inbound.DefectReason{inbound.DefectEncoding}},
		"two file names":    {header + "Content-Type: image/png\r\nContent-Disposition: inline; filename=a.png; filename=b.exe\r\n\r\nciao", nil, "", "", []inbound.DefectReason{inbound.DefectParameters}},
		"too many parts":    {header + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", 1200) + "--b--", nil, "", "", []inbound.DefectReason{inbound.DefectStructure}},
		"text as a file":    {header + "Content-Disposition: Attachment\r\n\r\nciao", nil, "", "", []inbound.DefectReason{""}},
		"nested forty deep": {header + nested(40), nil, "", "", []inbound.DefectReason{inbound.DefectStructure}},
		"nested ten deep":   {header + nested(10), nil, "ciao", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			in := open(t, n, pectest.KindTransport, c.original)
			require.Equal(t, luigi, in.Sender)
			var reasons []inbound.DefectReason
			for _, d := range in.Defects {
				reasons = append(reasons, d.Reason)
				require.Error(t, d.Err)
			}
			require.Equal(t, c.header, reasons)
			text, err := in.Text()
			require.Equal(t, c.text, text)
			if c.textErr == "" {
				require.NoError(t, err)
			} else {
				defect, ok := errors.AsType[*inbound.Defect](err)
				require.True(t, ok, "%v", err)
				require.Equal(t, c.textErr, defect.Reason)
				require.Equal(t, "text", defect.Where)
			}
			var files []inbound.DefectReason
			for _, a := range attachments(t, in) {
				reason := inbound.DefectReason("")
				if a.Defect != nil {
					reason = a.Defect.Reason
				}
				files = append(files, reason)
			}
			require.Equal(t, c.files, files)
		})
	}
}

// nested returns a text inside n multiparts that hold little else.
func nested(n int) string {
	entity := "\r\nciao"
	for i := range n {
		entity = fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d-\r\n\r\n--b%d-\r\n%s\r\n--b%d---\r\n%s", i, i, entity, i, strings.Repeat(".", 40))
	}
	return entity
}

func TestAnEnvelopeWithoutOriginal(t *testing.T) {
	n := pectest.Start(t, nil)
	in, err := inbound.Open(prove(t, n, pectest.Notice{
		Kind: pectest.KindTransport, Sender: luigi, Recipients: []pectest.Recipient{{Address: me}},
	}), arrived)
	require.NoError(t, err)
	require.Equal(t, luigi, in.Sender)
	require.Len(t, in.Defects, 1)
	require.Equal(t, inbound.DefectMissing, in.Defects[0].Reason)
	require.ErrorIs(t, in.Defects[0], envelope.ErrNoOriginal)
	text, err := in.Text()
	require.NoError(t, err)
	require.Empty(t, text)
	require.Empty(t, attachments(t, in))
}

func TestGenuineEnvelopesAreOpened(t *testing.T) {
	v, err := envelope.NewVerifier(envelope.BuiltinAnchors(), &envelope.VerifierOptions{AllowLegacy: true})
	require.NoError(t, err)
	for file, want := range map[string]struct {
		sender, text string
		files        map[string]inbound.Form
	}{
		"aruba-2014-transport.eml": {"thinkstudio@pec.it", "test rsposta openerp\n--\nAdministrator", nil},
		"sogei-2018-transport.eml": {"sdi03@pec.fatturapa.it", "Invio file IT02652600210_00007.xml, con identificativo 7339338", map[string]inbound.Form{
			"IT02652600210_00007_MT_002.xml": inbound.FormXML, "IT02652600210_00007.xml": inbound.FormInvoice,
		}},
		"aruba-2023-transport.eml": {"sviluppo@pec.datamanagementitalia.it", "\n   Avviso.\n   Questa è una casella", map[string]inbound.Form{"xdcr_2022_02_00583.txt": inbound.FormOther}},
	} {
		t.Run(file, func(t *testing.T) {
			f, err := os.Open(filepath.Join(testenv.Corpus(t, "genuine"), file))
			require.NoError(t, err)
			defer f.Close()
			m, err := envelope.Open(t.Context(), f, v)
			require.NoError(t, err)
			defer m.Close()
			in, err := inbound.Open(m, arrived)
			require.NoError(t, err)
			require.Empty(t, in.Defects)
			require.Equal(t, want.sender, in.Sender)
			require.Len(t, in.Header.From, 1)
			require.Equal(t, want.sender, in.Header.From[0].Address)
			require.Equal(t, in.CertID, in.Header.MessageID)
			text, err := in.Text()
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(text, want.text), text)
			var files map[string]inbound.Form
			for _, a := range attachments(t, in) {
				require.Nil(t, a.Defect)
				require.Equal(t, a.Name, a.SafeName)
				if files == nil {
					files = map[string]inbound.Form{}
				}
				files[a.Name] = a.Form
			}
			require.Equal(t, want.files, files)
			sound(t, in)
		})
	}
}

// Any mail may arrive in an anomaly, however broken.
func TestBrokenMailIsOpened(t *testing.T) {
	n := pectest.Start(t, nil)
	for _, folder := range []string{"generic/mime", "generic/smime", "generic/spoofing", "genuine"} {
		files, err := filepath.Glob(filepath.Join(testenv.Corpus(t, folder), "*.eml"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, f := range files {
			raw, err := os.ReadFile(f)
			require.NoError(t, err)
			sound(t, open(t, n, pectest.KindAnomaly, string(raw)))
		}
	}
}

// A message of 100 MiB is opened, and its attachment read, within a few MiB.
func TestMemoryIsConstant(t *testing.T) {
	const mebibyte = 1 << 20
	n := pectest.Start(t, nil)
	line := strings.Repeat("YWJj", 19) + "\r\n"
	original := "From: " + luigi + "\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nciao\r\n--b\r\n" +
		"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		strings.Repeat(line, 100*mebibyte/len(line)) + "--b--\r\n"
	m := prove(t, n, pectest.Notice{
		Kind: pectest.KindTransport, Sender: luigi, Recipients: []pectest.Recipient{{Address: me}}, Original: []byte(original),
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	in, err := inbound.Open(m, arrived)
	require.NoError(t, err)
	text, err := in.Text()
	require.NoError(t, err)
	require.Equal(t, "ciao", text)
	files := attachments(t, in)
	require.Len(t, files, 1)
	require.EqualValues(t, 100*mebibyte/len(line)*57, files[0].Size)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4*mebibyte))
}

func FuzzInbound(f *testing.F) {
	n := pectest.Start(f, nil)
	genuine, err := n.Providers()[1].Emit(pectest.Notice{
		Kind: pectest.KindTransport, Sender: luigi, Recipients: []pectest.Recipient{{Address: me}}, Original: []byte(crlf(reply)),
	})
	require.NoError(f, err)
	f.Add([]byte(crlf(reply)))
	f.Add([]byte(reply))
	f.Add(genuine)
	f.Add([]byte(crlf(report)))
	f.Add([]byte("From: <<>>\r\n" + nested(33)))
	f.Fuzz(func(t *testing.T, original []byte) {
		for _, kind := range []string{pectest.KindTransport, pectest.KindAnomaly} {
			sound(t, open(t, n, kind, string(original)))
		}
	})
}

// An envelope with further parts may have been made to hide the rest of the original.
func TestAnOriginalThatMayHaveBeenCutIsADefect(t *testing.T) {
	n := pectest.Start(t, nil)
	for extra, reasons := range map[bool][]inbound.DefectReason{true: {inbound.DefectCut}, false: nil} {
		in, err := inbound.Open(prove(t, n, pectest.Notice{
			Kind: pectest.KindTransport, Sender: luigi, Recipients: []pectest.Recipient{{Address: me}}, Original: []byte(crlf(reply)),
			Style: &pectest.Style{ExtraPart: extra},
		}), arrived)
		require.NoError(t, err)
		var got []inbound.DefectReason
		for _, d := range in.Defects {
			require.Equal(t, "original", d.Where)
			require.Error(t, d.Err)
			got = append(got, d.Reason)
		}
		require.Equal(t, reasons, got)
		text, err := in.Text()
		require.NoError(t, err)
		require.NotEmpty(t, text)
	}
}

package receipt_test

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

// attack is a change of plainSent that some mail program shows.
type attack struct{ old, new string }

var headerAttacks = map[string]attack{
	// A line that is not a field ends the header for some programs: what follows is text.
	"a line without colon":                {"MIME", "Non si diffida.\r\nMIME"},
	"a line without colon at the end":     {"\r\n\r\nSi", "\r\nNon si diffida.\r\n\r\nSi"},
	"a line without colon on top":         {"From", "Non si diffida.\r\nFrom"},
	"a line of mbox":                      {"MIME", "From luigi Mon Jun  1 10:00:00 2026\r\nMIME"},
	"a line of mbox on top":               {"From:", "From luigi Mon Jun  1 10:00:00 2026\r\nFrom:"},
	"a field without name":                {"MIME", ": Non si diffida.\r\nMIME"},
	"a name with a space":                 {"MIME", "X-Non si: diffida\r\nMIME"},
	"a space before the colon":            {"MIME", "X-Gestore : x\r\nMIME"},
	"a space before a colon of ours":      {"Subject:", "Subject :"},
	"a tab before the colon":              {"MIME", "X-Gestore\t: x\r\nMIME"},
	"a name of eight bits":                {"MIME", "X-Gest\xc3\xb2re: x\r\nMIME"},
	"a name with a no-break space":        {"MIME", "X-\xc2\xa0: x\r\nMIME"},
	"a name that Go refuses":              {"MIME", "X-(a): x\r\nMIME"},
	"a name with NUL":                     {"MIME", "X-\x00: x\r\nMIME"},
	"a name that is a prefix":             {"MIME", "X-: x\r\nMIME"},
	"a continuation of nothing":           {"From:", " Non si diffida.\r\nFrom:"},
	"a byte order mark":                   {"From:", "\xef\xbb\xbfFrom:"},
	"a line of white space":               {"MIME", "X-Gestore: x\r\n \r\nMIME"},
	"a line of white space of ours":       {"Subject: Diffida ad", "Subject: Diffida\r\n \t\r\n ad"},
	"a line of white space at the end":    {"\r\n\r\nSi", "\r\n \r\n\r\nSi"},
	"a line of a no-break space":          {"MIME", "\xc2\xa0\r\nMIME"},
	"a line of a vertical tab":            {"MIME", "\x0b\r\nMIME"},
	"a line of a bare CR":                 {"MIME", "\r\r\nMIME"},
	"two line ends of CR CR LF":           {"gopec\r\n", "gopec\r\r\n"},
	"an empty line":                       {"MIME", "\r\nMIME"},
	"no empty line":                       {"\r\n\r\nSi", "\r\nSi"},
	"a body after two bare CR":            {"gopec\r\n", "gopec\r\n" + "X-Gestore: x\r\rNon si diffida.\r\n"},
	"nothing but a body":                  {"From", "\r\nFrom"},
	"a field of ours after no field":      {"Subject: Diffida ad adempiere\r\n", "Non si diffida.\r\nSubject: Diffida ad adempiere\r\n"},
	"a field longer than a line may be":   {"MIME", "X-Gestore: " + strings.Repeat("x", 1000) + "\r\nMIME"},
	"ours folded far beyond a line":       {"Diffida ad", "Diffida\r\n" + strings.Repeat(" ", 1000) + "ad"},
	"a field that swallows another":       {"To: luigi", "X-Gestore: x\r\n To: luigi"},
	"a field that swallows a text":        {"MIME-Version: 1.0\r\n", "X-Gestore: x\r\n MIME-Version: 1.0\r\n"},
	"a continuation made a field":         {"Diffida ad adempiere", "Diffida\r\nX-Gestore: ad adempiere"},
	"a continuation added to ours":        {"adempiere\r\n", "adempiere\r\n entro domani\r\n"},
	"a value trimmed of a no-break space": {"adempiere\r\n", "adempiere\xc2\xa0\r\n"},
	"of a vertical tab":                   {"adempiere\r\n", "adempiere\x0b\r\n"},
	"of a form feed":                      {"Subject: ", "Subject: \x0c"},
	"of a next line":                      {"adempiere\r\n", "adempiere\xc2\x85\r\n"},
	"of a line separator":                 {"adempiere\r\n", "adempiere\xe2\x80\xa8\r\n"},
	"of an ideographic space":             {"Subject: ", "Subject: \xe3\x80\x80"},
	"of a bare CR":                        {"Subject: ", "Subject: \r"},

	// Fields of the provider that are not clean, and fields that no provider adds.
	"a bare CR in a field of the provider's":      {"MIME", "X-Gestore: x\rSubject: Altro\r\nMIME"},
	"NUL in it":                                   {"MIME", "X-Gestore: x\x00y\r\nMIME"},
	"a vertical tab in it":                        {"MIME", "X-Gestore: x\x0bSubject: Altro\r\nMIME"},
	"a form feed in it":                           {"MIME", "X-Gestore: x\x0cSubject: Altro\r\nMIME"},
	"an escape in it":                             {"MIME", "X-Gestore: \x1b[2J\r\nMIME"},
	"delete in it":                                {"MIME", "X-Gestore: \x7f\r\nMIME"},
	"a next line in it":                           {"MIME", "X-Gestore: x\xc2\x85Subject: Altro\r\nMIME"},
	"a line separator in it":                      {"MIME", "X-Gestore: x\xe2\x80\xa8Subject: Altro\r\nMIME"},
	"a bare CR in Received":                       {"From:", "Received: from a by b\rSubject: Altro\r\nFrom:"},
	"a bare CR before the line end of Received":   {"From:", "Received: from a by b\r\r\nFrom:"},
	"NUL in Received":                             {"From:", "Received: from a\x00\r\nFrom:"},
	"a bare CR in Return-Path":                    {"From:", "Return-Path: <a@b>\rSubject: Altro\r\nFrom:"},
	"eight bits in Return-Path":                   {"From:", "Return-Path: <a@b>\xc2\x85Subject: Altro\r\nFrom:"},
	"a bare CR in Message-ID":                     {"<m1@alfa-pec.example>", "<p1@alfa-pec.example>\rSubject: Altro"},
	"eight bits in Message-ID":                    {"<m1@alfa-pec.example>", "<p1@alfa-pec.example>\xc2\x85"},
	"a line of white space in Received":           {"From:", "Received: from a\r\n \r\n by b\r\nFrom:"},
	"a bare CR in X-Riferimento-Message-ID":       {"MIME", "X-Riferimento-Message-ID: <m1@alfa-pec.example>\rSubject: Altro\r\nMIME"},
	"a reference to another message":              {"MIME", "X-Riferimento-Message-ID: <m2@alfa-pec.example>\r\nMIME"},
	"two references":                              {"MIME", "X-Riferimento-Message-ID: <m1@alfa-pec.example>\r\nX-Riferimento-Message-ID: <m1@alfa-pec.example>\r\nMIME"},
	"two Message-IDs":                             {"MIME", "Message-ID: <p1@alfa-pec.example>\r\nMIME"},
	"no Message-ID":                               {"Message-ID: <m1@alfa-pec.example>\r\n", ""},
	"the kind of receipt":                         {"MIME", "X-TipoRicevuta: breve\r\nMIME"},
	"the marker of a receipt":                     {"MIME", "X-Ricevuta: avvenuta-consegna\r\nMIME"},
	"the marker of an envelope":                   {"MIME", "X-Trasporto: posta-certificata\r\nMIME"},
	"a flag that Outlook shows":                   {"MIME", "X-Message-Flag: Non si diffida\r\nMIME"},
	"a draft that Outlook edits":                  {"MIME", "X-Unsent: 1\r\nMIME"},
	"a message that Thunderbird takes as deleted": {"MIME", "X-Mozilla-Status: 0009\r\nMIME"},
	"a priority":                                  {"MIME", "X-Priority: 1\r\nMIME"},
	"a second field of ours":                      {"MIME", "X-Mailer: altro\r\nMIME"},
	"a field of ours removed":                     {"X-Mailer: gopec\r\n", ""},
	"a field of another name":                     {"MIME", "XGestore: x\r\nMIME"},
	"a second Content-Type":                       {"MIME", "Content-Type: text/html\r\nMIME"},
	"a second Content-Type at the end":            {"\r\n\r\nSi", "\r\nContent-Type: text/html\r\n\r\nSi"},
	"a Content-Type in a field of the provider's": {"MIME", "X-Gestore: x\rContent-Type: text/html\r\nMIME"},
	"an encoding":                                 {"MIME", "Content-Transfer-Encoding: base64\r\nMIME"},
	"a Content-Location":                          {"MIME", "Content-Location: http://x.example/\r\nMIME"},
	"a Resent-From":                               {"From:", "Resent-From: x@y.example\r\nFrom:"},
	"a Delivered-To":                              {"From:", "Delivered-To: x@y.example\r\nFrom:"},
}

// A message that some program shows differently from what was sent is a mismatch, with
// CRLF and with LF line ends.
func TestReadersSeeAnotherText(t *testing.T) {
	n := pectest.Start(t, nil)
	for name, c := range headerAttacks {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(plainSent, c.old, c.new, 1)
			require.NotEqual(t, plainSent, changed)
			for _, lines := range []string{"\r\n", "\n"} {
				if lines == "\n" && strings.Contains(changed, "\r\r\n") {
					continue // CR LF again
				}
				d := delivery(t, n, "completa", strings.ReplaceAll(changed, "\r\n", lines))
				require.Equal(t, receipt.ContentMismatch, checkContent(t, plainSent, d).Result, "%q", changed)
			}
			if !strings.HasSuffix(name, " in Message-ID") { // the receipt is about another Message-ID
				require.Equal(t, receipt.ContentMatch, checkContent(t, changed, delivery(t, n, "completa", changed)).Result, "the same")
			}
		})
	}
}

// The same attacks by a sender who shows another message than was sent.
func TestSenderShowsAnotherText(t *testing.T) {
	n := pectest.Start(t, nil)
	sent := delivery(t, n, "completa", plainSent)
	for name, c := range headerAttacks {
		switch {
		case strings.Contains(name, "Message-ID"), name == "two references", name == "a reference to another message":
			continue // the provider may replace these
		case name == "a field of ours removed":
			continue // it begins with X-, so the provider may have added it
		}
		t.Run(name, func(t *testing.T) {
			shown := strings.Replace(plainSent, c.old, c.new, 1)
			got, err := receipt.CheckContent(section(shown), sent)
			require.NoError(t, err)
			require.Equal(t, receipt.ContentMismatch, got.Result, "%q", shown)
		})
	}
}

// What a provider may do to a message is not a mismatch.
func TestProvidersMayAdd(t *testing.T) {
	n := pectest.Start(t, nil)
	twice := strings.Replace(plainSent, "From:", "Received: from pc by alfa\r\nFrom:", 1)
	for name, c := range map[string]struct {
		sent string
		attack
	}{
		"trace on top":             {plainSent, attack{"From:", "Return-Path: <mario@alfa-pec.example>\r\nReceived: from a (b [127.0.0.1])\r\n\tby c; Mon, 1 Jun 2026 10:00:00 +0200\r\nReceived: from d by a\r\nFrom:"}},
		"trace on top of ours":     {twice, attack{"Received:", "Received: from alfa by beta\r\nReceived:"}},
		"identifiers at the end":   {plainSent, attack{"\r\n\r\nSi", "\r\nX-Riferimento-Message-ID: <m1@alfa-pec.example>\r\n\r\nSi"}},
		"another identifier":       {plainSent, attack{"<m1@", "<p1@"}},
		"an identifier folded":     {plainSent, attack{"Message-ID: <m1@alfa-pec.example>", "Message-ID:\r\n <p1@alfa-pec.example>\r\nX-Riferimento-Message-ID:\r\n\t<m1@alfa-pec.example>"}},
		"fields of its own":        {plainSent, attack{"MIME", "X-Virus-Scanned: yes\r\nX-Spam-Status: No, score=-1.9\r\n\ttests=[A=1]\r\nx-spam-status: No\r\nX-Empty:\r\nMIME"}},
		"another folding":          {plainSent, attack{"Diffida ad", "Diffida\r\n ad"}},
		"blanks around a value":    {plainSent, attack{"Subject: Diffida ad adempiere", "Subject: \t Diffida ad adempiere \t"}},
		"a name in capitals":       {plainSent, attack{"Subject", "SUBJECT"}},
		"the order of the fields":  {plainSent, attack{"From: mario@alfa-pec.example\r\nTo: luigi@beta-pec.example\r\n", "To: luigi@beta-pec.example\r\nFrom: mario@alfa-pec.example\r\n"}},
		"no identifier was ours":   {strings.Replace(plainSent, "Message-ID: <m1@alfa-pec.example>\r\n", "", 1), attack{"MIME", "Message-ID: <p1@alfa-pec.example>\r\nMIME"}},
		"eight bits that are ours": {strings.Replace(plainSent, "Diffida", "Perch\xc3\xa9\xc2\xa0", 1), attack{"MIME", "X-Gestore: x\r\nMIME"}},
	} {
		t.Run(name, func(t *testing.T) {
			delivered := strings.Replace(c.sent, c.old, c.new, 1)
			require.NotEqual(t, c.sent, delivered)
			for _, lines := range []string{"\r\n", "\n"} {
				got := checkContent(t, c.sent, delivery(t, n, "completa", strings.ReplaceAll(delivered, "\r\n", lines)))
				require.Equal(t, receipt.Content{Result: receipt.ContentMatch}, got)
			}
		})
	}
	// A trace in the message that was sent must still be there, in its place.
	for _, c := range []attack{{"Received: from pc by alfa\r\n", ""}, {"from pc", "from mac"}, {"From:", "Received: from beta\r\nFrom:"}} {
		delivered := strings.Replace(twice, c.old, c.new, 1)
		require.Equal(t, receipt.ContentMismatch, checkContent(t, twice, delivery(t, n, "completa", delivered)).Result, "%q", c)
	}
}

// After a line that is not a field everything must be the same: some programs show it as
// text.
func TestNothingIsExemptAfterALineThatIsNoField(t *testing.T) {
	n := pectest.Start(t, nil)
	sent := strings.Replace(plainSent, "MIME", "non un campo\r\nMIME", 1)
	for name, c := range map[string]struct {
		attack
		want receipt.ContentResult
	}{
		"a field before it":       {attack{"From:", "Received: from a by b\r\nX-Gestore: x\r\nFrom:"}, receipt.ContentMatch},
		"an identifier before":    {attack{"<m1@", "<p1@"}, receipt.ContentMatch},
		"a field after it":        {attack{"MIME", "X-Gestore: non si diffida\r\nMIME"}, receipt.ContentMismatch},
		"a field at the end":      {attack{"\r\n\r\nSi", "\r\nX-Gestore: non si diffida\r\n\r\nSi"}, receipt.ContentMismatch},
		"a trace after it":        {attack{"MIME", "Received: from a by b\r\nMIME"}, receipt.ContentMismatch},
		"another order":           {attack{"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n", "Content-Type: text/plain; charset=utf-8\r\nMIME-Version: 1.0\r\n"}, receipt.ContentMismatch},
		"another folding":         {attack{"text/plain; charset", "text/plain;\r\n charset"}, receipt.ContentMismatch},
		"the line somewhere else": {attack{"non un campo\r\nMIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nnon un campo\r\n"}, receipt.ContentMismatch},
		"the line folded":         {attack{"non un campo", "non\r\n un campo"}, receipt.ContentMismatch},
	} {
		delivered := strings.Replace(sent, c.old, c.new, 1)
		require.NotEqual(t, sent, delivered)
		require.Equal(t, c.want, checkContent(t, sent, delivery(t, n, "completa", delivered)).Result, name)
	}
}

// A change of any octet of the header is noticed, except in the case of field names and in
// the Message-ID, which the provider may replace.
func TestEveryOctetOfTheHeaderCounts(t *testing.T) {
	n := pectest.Start(t, nil)
	end := strings.Index(plainSent, "\r\n\r\n")
	at := strings.Index(plainSent, " <m1@")
	for i := range end {
		if i >= at && i < at+len(" <m1@alfa-pec.example>") {
			continue
		}
		for _, b := range []byte{plainSent[i] ^ 1, 0, '\r', '\x0b', 0xa0, '\n'} {
			if b == plainSent[i] {
				continue
			}
			changed := plainSent[:i] + string([]byte{b}) + plainSent[i+1:]
			got := checkContent(t, plainSent, delivery(t, n, "completa", changed))
			require.Equal(t, receipt.ContentMismatch, got.Result, "%d: %q for %q", i, b, plainSent[i])
		}
	}
}

// In a brief receipt a hash replaces a part and its header. Nothing else attests the
// headers of either, so they must hold nothing but fields.
func TestReadersSeeAnotherTextInABriefReceipt(t *testing.T) {
	n := pectest.Start(t, nil)
	top := "To: luigi@beta-pec.example\r\nMessage-ID: <m1@alfa-pec.example>\r\nX-TipoRicevuta: breve\r\n"
	sum := sha1.Sum([]byte("ciao"))
	sentFile := "Content-Type: image/png; name=a.png\r\nContent-ID: <a@b>\r\nContent-Transfer-Encoding: base64\r\n\r\nY2lhbw=="
	hashFile := "Content-Type: text/plain; name=a.png.hash\r\nContent-Disposition: attachment; filename=a.png.hash\r\n\r\n" + hex.EncodeToString(sum[:])
	mixed := func(part string) string {
		return top + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nTesto\r\n--b\r\n" + part + "\r\n--b--\r\n"
	}
	whole := func(part string) string { return top + part + "\r\n" }
	for where, message := range map[string]func(string) string{"in a part": mixed, "the message": whole} {
		t.Run(where, func(t *testing.T) {
			hashed := hashFile
			if where == "the message" {
				hashed = "Content-ID: <a@b>\r\n" + hashFile
			}
			check := func(sent, delivered string) receipt.Content {
				t.Helper()
				return checkContent(t, message(sent), delivery(t, n, "breve", message(delivered)))
			}
			require.Equal(t, receipt.Content{Result: receipt.ContentMatch, Reading: receipt.HashDecoded}, check(sentFile, hashed))
			for name, c := range map[string]attack{
				"a text after two bare CR": {"a.png.hash\r\nContent-D", "a.png.hash\r\rNon si diffida.\r\nContent-D"},
				"a line without colon":     {"Content-D", "Non si diffida.\r\nContent-D"},
				"a line of white space":    {"Content-D", " \r\nContent-D"},
				"a second Content-Type":    {"Content-D", "Content-Type: text/html; name=a.png.hash\r\nContent-D"},
				"a second name":            {"filename=a.png.hash", "filename=b.png.hash"},
				"a link":                   {"text/plain;", "message/external-body; access-type=URL; URL=\"http://x.example/\";"},
				"a page":                   {"text/plain;", "text/html;"},
				"a link of Thunderbird's":  {"Content-D", "X-Mozilla-External-Attachment-URL: http://x.example/\r\nContent-D"},
				"NUL":                      {"Content-D", "X-Y: \x00\r\nContent-D"},
				"a text after the hash":    {hex.EncodeToString(sum[:]), hex.EncodeToString(sum[:]) + "\r\n\r\nNon si diffida"},
				"a no-break space":         {hex.EncodeToString(sum[:]), hex.EncodeToString(sum[:]) + "\xc2\xa0"},
				"a form feed":              {hex.EncodeToString(sum[:]), "\x0c" + hex.EncodeToString(sum[:])},
			} {
				changed := strings.Replace(hashed, c.old, c.new, 1)
				require.NotEqual(t, hashed, changed)
				require.Equal(t, receipt.ContentMismatch, check(sentFile, changed).Result, "delivered with %s", name)
			}
			for name, c := range map[string]attack{
				"a text after two bare CR": {"<a@b>", "<a@b>\r\rNon si diffida."},
				"a line without colon":     {"Content-I", "Non si diffida.\r\nContent-I"},
				"a line of white space":    {"Content-I", " \r\nContent-I"},
				"a second Content-Type":    {"Content-I", "Content-Type: text/html; name=a.png\r\nContent-I"},
				"a second encoding":        {"Content-I", "Content-Transfer-Encoding: 7bit\r\nContent-I"},
			} {
				changed := strings.Replace(sentFile, c.old, c.new, 1)
				require.NotEqual(t, sentFile, changed)
				require.Equal(t, receipt.ContentMismatch, check(changed, hashed).Result, "shown with %s", name)
			}
		})
	}
}

// A sender who guesses the boundary of a delivery receipt can end the original early: the
// rest becomes a part of its own. What remains must not pass for all that was sent.
func TestAnOriginalThatMayHaveBeenCutIsNoMatch(t *testing.T) {
	n := pectest.Start(t, nil)
	for _, kind := range []string{"completa", "breve"} {
		for _, first := range []bool{false, true} {
			sent := strings.Replace(sentBy(kind), "Content-Type: multipart/mixed; boundary=b\r\n", "", 1)
			raw, err := n.Providers()[1].Emit(pectest.Notice{
				Kind: pectest.KindDelivery, Sender: me, MessageID: "<m1@alfa-pec.example>", Delivered: luigi,
				Recipients: []pectest.Recipient{{Address: luigi}}, ReceiptKind: kind, Original: []byte(sent),
				Style: &pectest.Style{ExtraPart: true, OriginalFirst: first},
			})
			require.NoError(t, err)
			d := openNotice(t, n, raw).(*receipt.Delivery)
			require.Equal(t, []envelope.Warning{envelope.WarningFurtherParts}, d.Evidence().Warnings)
			require.Equal(t, receipt.ContentUnchecked, checkContent(t, sent, d).Result, kind)
			require.Equal(t, receipt.ContentMismatch, checkContent(t, strings.Replace(sent, "Si diffida", "Si loda", 1), d).Result, kind)
			require.Equal(t, receipt.ContentMatch, checkContent(t, sent, delivery(t, n, kind, sent)).Result, kind)
		}
	}
}

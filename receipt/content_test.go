package receipt_test

import (
	"crypto/sha1"
	"encoding/hex"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

func TestContentOfEveryKindOfReceipt(t *testing.T) {
	account := func(address string) pectest.Account { return pectest.Account{Address: address, Password: "p"} }
	for reading, want := range map[pectest.BriefHash]receipt.HashReading{
		pectest.BriefHashDecoded: receipt.HashDecoded, pectest.BriefHashEncoded: receipt.HashEncoded, pectest.BriefHashEncodedLine: receipt.HashEncodedLine,
		pectest.BriefHashEncodedLF: receipt.HashEncodedLF, pectest.BriefHashEncodedLFLine: receipt.HashEncodedLFLine,
	} {
		t.Run(string(want), func(t *testing.T) {
			n := pectest.Start(t, &pectest.Options{Providers: []pectest.ProviderOptions{
				{Domain: "alfa-pec.example", Accounts: []pectest.Account{account(me)}},
				{Domain: "beta-pec.example", Accounts: []pectest.Account{account(luigi), account(bruna)}, BriefHash: reading},
			}})
			sent := sentBy("breve")
			brief := deliveries(t, n, sent, luigi, bruna)
			require.Len(t, brief, 2)
			require.Equal(t, receipt.DetailBrief, brief[luigi].Detail)
			require.Equal(t, receipt.Content{Result: receipt.ContentMatch, Reading: want}, checkContent(t, sent, brief[luigi]))
			require.Equal(t, receipt.Content{Result: receipt.ContentUnchecked}, checkContent(t, sent, brief[bruna]), "Cc")
		})
	}
	n := pectest.Start(t, nil)
	for kind, want := range map[string]receipt.ContentResult{"completa": receipt.ContentMatch, "SINTETICA": receipt.ContentUnchecked, "boh": receipt.ContentMatch} {
		sent := sentBy(kind)
		got := deliveries(t, n, sent, luigi, bruna)
		require.Equal(t, receipt.Content{Result: want}, checkContent(t, sent, got[luigi]), kind)
		require.Equal(t, receipt.Content{Result: receipt.ContentUnchecked}, checkContent(t, sent, got[bruna]), kind)
	}
}

func TestOriginalThatShouldBeThere(t *testing.T) {
	n := pectest.Start(t, nil)
	d := delivery(t, n, "completa", "")
	require.Equal(t, receipt.ContentAbsent, checkContent(t, sentBy("completa"), d).Result)
	require.Equal(t, receipt.ContentAbsent, checkContent(t, sentBy("breve"), d).Result)
	require.Equal(t, receipt.ContentUnchecked, checkContent(t, sentBy("sintetica"), d).Result)
	asCc := strings.NewReplacer("To: "+luigi, "To: "+bruna, "Cc: "+bruna, "Cc: Luigi <LUIGI@beta-pec.example>")
	require.Equal(t, receipt.ContentUnchecked, checkContent(t, asCc.Replace(sentBy("completa")), d).Result)
	both := strings.Replace(sentBy("completa"), "Cc: "+bruna, "Cc: "+luigi, 1)
	require.Equal(t, receipt.ContentAbsent, checkContent(t, both, d).Result, "in To and Cc is in To")
}

func TestContentThatWasChanged(t *testing.T) {
	n := pectest.Start(t, nil)
	sent := sentBy("completa")
	for name, c := range map[string]struct {
		old, new string
		what     []string // nil for a match
	}{
		"nothing":                    {"", "", nil},
		"trace on top":               {"From:", "Received: from a by b; Mon, 1 Jun 2026 10:00:00 +0200\r\nReturn-Path: <x@y>\r\nFrom:", nil},
		"identifiers":                {"<m1@alfa-pec.example>", "<p1@alfa-pec.example>\r\nX-Riferimento-Message-ID: <m1@alfa-pec.example>", nil},
		"a field of the provider's":  {"From:", "X-Gestore: x\r\nFrom:", nil},
		"folded otherwise":           {"Diffida\r\n ad adempiere", "Diffida ad\r\n adempiere", nil},
		"one more line end":          {"--b--\r\n", "--b--\r\n\r\n", nil},
		"no line end":                {"--b--\r\n", "--b--", nil},
		"the subject":                {"Diffida", "diffida", []string{"Subject"}},
		"a recipient":                {"Cc: bruna", "Cc: anna", []string{"Cc"}},
		"a second subject":           {"Subject:", "Subject: Altro\r\nSubject:", []string{"Subject"}},
		"a field added":              {"Subject:", "Reply-To: x@y.example\r\nSubject:", []string{"Reply-To"}},
		"a field removed":            {"MIME-Version: 1.0\r\n", "", []string{"MIME-Version"}},
		"the receipt asked for":      {"completa", "breve", []string{"X-TipoRicevuta"}},
		"the text":                   {"Si diffida", "Si Diffida", []string{"body"}},
		"a blank line in the text":   {"Si diffida.\r\n\r\n", "Si diffida.\r\n", []string{"body"}},
		"an attachment":              {"Y2lhbw==", "Y2lhbW==", []string{"atto.pdf"}},
		"an attachment in the midst": {"Perch=C3=A9 no", "Perch=C3=A9 si", []string{"perché.txt"}},
		"another name":               {"name=atto.pdf", "name=beta.pdf", []string{"atto.pdf"}},
		"an attached message":        {"Testo allegato", "Testo Allegato", []string{"body"}},
		"another wrapping":           {"\r\nY2lhbw==", "Y2lh\r\nbw==", []string{"body"}},
		"the preamble":               {"Preambolo", "preambolo", []string{"body"}},
		"the epilogue":               {"--b--\r\n", "--b--\r\nEpilogo", []string{"body"}},
		"an attachment removed":      {"--c\r\nContent-Type: text/csv; name=\"dati.csv\"\r\n\r\nuno;due\r\ntre;quattro\r\n", "", []string{"dati.csv", "body"}},
		"two at once":                {"uno;due\r\ntre;quattro\r\n--c--\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: allegato", "uno;tre\r\ntre;quattro\r\n--c--\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: altro", []string{"dati.csv", "body"}},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(sent, c.old, c.new, 1)
			if c.old != "" {
				require.NotEqual(t, sent, changed)
			}
			for _, original := range []string{changed, strings.ReplaceAll(changed, "\r\n", "\n")} {
				got := checkContent(t, sent, delivery(t, n, "completa", original))
				if c.what == nil {
					require.Equal(t, receipt.Content{Result: receipt.ContentMatch}, got)
					continue
				}
				require.Equal(t, receipt.ContentMismatch, got.Result)
				var what []string
				for _, d := range got.Differences {
					what = append(what, d.What)
					require.NotEmpty(t, d.Text)
				}
				require.Equal(t, c.what, what, "%+v", got.Differences)
			}
		})
	}
}

// briefOf returns the original that a provider puts into a brief receipt.
func briefOf(t *testing.T, n *pectest.Network, sent string) string {
	t.Helper()
	d := deliveries(t, n, sent, luigi, bruna)[luigi]
	require.NotNil(t, d)
	r, err := d.Original()
	require.NoError(t, err)
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(b)
}

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

func TestBriefContentThatWasChanged(t *testing.T) {
	n := pectest.Start(t, nil)
	sent := sentBy("breve")
	original := briefOf(t, n, sent)
	hashOf := func(name string) string {
		_, after, found := strings.Cut(original, name)
		require.True(t, found, original)
		_, after, found = strings.Cut(after, "\r\n\r\n")
		require.True(t, found)
		return after[:40]
	}
	pdf, csv, message := hashOf("filename=atto.pdf.hash"), hashOf("filename=dati.csv.hash"), hashOf("filename=message.eml.hash")
	for name, c := range map[string]struct {
		old, new string
		what     []string
	}{
		"nothing":                   {"", "", nil},
		"hashes in upper case":      {pdf, strings.ToUpper(pdf), nil},
		"a hash":                    {pdf[:39], reversed(pdf[:39]), []string{"atto.pdf"}},
		"the hash of another":       {pdf, csv, []string{"atto.pdf"}},
		"a hash of a message":       {message, csv, []string{"message/rfc822"}},
		"another name":              {"atto.pdf.hash", "altro.pdf.hash", []string{"atto.pdf"}},
		"a hash too short":          {pdf, pdf[:38], []string{"atto.pdf"}},
		"a hash too long":           {pdf, pdf + pdf, []string{"atto.pdf"}},
		"no hash":                   {pdf, "", []string{"atto.pdf"}},
		"the text":                  {"Si diffida", "Si Diffida", []string{"body"}},
		"the subject":               {"Diffida", "diffida", []string{"Subject"}},
		"the preamble":              {"Preambolo", "preambolo", []string{"body", "atto.pdf", "perché.txt", "dati.csv", "body"}},
		"the epilogue":              {"--b--", "--b--\r\nEpilogo", []string{"atto.pdf", "perché.txt", "dati.csv", "body"}},
		"the header of a multipart": {"boundary=c", "boundary=c; x=y", []string{"body", "perché.txt", "dati.csv"}},
		"a part more":               {"--b--", "--b\r\n\r\nx\r\n--b--", []string{"atto.pdf", "perché.txt", "dati.csv", "body", "body"}},
		"a text instead of a child": {"Content-Type: multipart/mixed; boundary=c", "Content-Type: text/plain", []string{"perché.txt", "body"}},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(original, c.old, c.new, -1)
			got := checkContent(t, sent, delivery(t, n, "breve", changed))
			if c.what == nil {
				require.Equal(t, receipt.Content{Result: receipt.ContentMatch, Reading: receipt.HashDecoded}, got)
				return
			}
			require.Equal(t, receipt.ContentMismatch, got.Result)
			for _, d := range got.Differences {
				require.Contains(t, c.what, d.What, "%+v", got.Differences)
			}
		})
	}
	// A changed octet in the message that was kept is noticed too.
	other := strings.Replace(sent, "Y2lhbw==", "Y2lhbW==", 1)
	got := checkContent(t, other, delivery(t, n, "breve", original))
	require.Equal(t, "atto.pdf", got.Differences[0].What)
}

// Parts that the rule does not replace must be the same as sent, even if they look like a
// hash.
func TestBriefContentOfSpecialMessages(t *testing.T) {
	n := pectest.Start(t, nil)
	top := "From: mario@alfa-pec.example\r\nTo: luigi@beta-pec.example\r\nCc: bruna@beta-pec.example\r\nMessage-ID: <m1@alfa-pec.example>\r\nX-TipoRicevuta: breve\r\n"
	file := "Content-Type: application/pdf; name=atto.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nY2lhbw=="
	signature := "Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\nMIIB"
	for name, c := range map[string]struct {
		sent     string
		reading  receipt.HashReading
		old, new string // a change that is a mismatch
	}{
		"signed by the sender": {top + "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nTesto\r\n--m\r\n" + file +
			"\r\n--m--\r\n--s\r\n" + signature + "\r\n--s--\r\n", receipt.HashDecoded, "MIIB", "MIIC"},
		"encapsulated":     {top + "Content-Type: application/pkcs7-mime; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\nMIIB\r\n", "", "MIIB", "MIIC"},
		"one file":         {top + file + "\r\n", receipt.HashDecoded, ".hash", ".bash"},
		"no attachment":    {top + "\r\nTesto\r\n", "", "Testo", "testo"},
		"a hash of theirs": {top + "Content-Type: text/plain; name=x.hash\r\n\r\n" + strings.Repeat("ab", 20) + "\r\n", receipt.HashEncodedLine, "x.hash", "y.hash"},
	} {
		t.Run(name, func(t *testing.T) {
			original := briefOf(t, n, c.sent)
			require.Equal(t, receipt.Content{Result: receipt.ContentMatch, Reading: c.reading}, checkContent(t, c.sent, delivery(t, n, "breve", original)), original)
			changed := strings.ReplaceAll(original, c.old, c.new)
			require.NotEqual(t, original, changed)
			require.Equal(t, receipt.ContentMismatch, checkContent(t, c.sent, delivery(t, n, "breve", changed)).Result)
			require.Equal(t, receipt.ContentMatch, checkContent(t, c.sent, delivery(t, n, "breve", c.sent)).Result, "all of it is better still")
			if c.reading != "" {
				require.Equal(t, receipt.ContentMismatch, checkContent(t, c.sent, delivery(t, n, "completa", original)).Result, "hashes where none were asked for")
			}
		})
	}
}

// A hash counts only in place of a part that the rule replaces.
func TestHashWhereNoneBelongs(t *testing.T) {
	n := pectest.Start(t, nil)
	top := "To: luigi@beta-pec.example\r\nMessage-ID: <m1@alfa-pec.example>\r\n"
	sum := func(content string) string {
		s := sha1.Sum([]byte(content))
		return hex.EncodeToString(s[:])
	}
	hashFile := func(name, content string) string {
		return "Content-Type: text/plain; name=" + name + ".hash\r\n\r\n" + sum(content)
	}
	signed := top + "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\nTesto\r\n--s\r\n"
	digits := strings.Repeat("ab", 20)
	for name, c := range map[string]struct{ kind, sent, delivered string }{
		"for a CMS object":              {"breve", top + "Content-Type: application/pkcs7-mime; name=a.p7m\r\n\r\nx", top + hashFile("a.p7m", "x")},
		"for the sender's signature":    {"breve", signed + "Content-Type: application/pkcs7-signature; name=a.p7s\r\n\r\nx\r\n--s--", signed + hashFile("a.p7s", "x") + "\r\n--s--"},
		"for a text without name":       {"breve", top + "\r\nx", top + hashFile("x", "x")},
		"in a full receipt":             {"completa", top + "Content-Type: image/png; name=a.png\r\n\r\nx", top + hashFile("a.png", "x")},
		"for what is a hash in content": {"completa", top + "Content-Type: text/plain; name=a\r\n\r\n" + digits, top + "Content-Type: text/plain; name=a.hash\r\n\r\n" + digits},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, receipt.ContentMatch, checkContent(t, c.sent, delivery(t, n, c.kind, c.sent)).Result)
			require.Equal(t, receipt.ContentMismatch, checkContent(t, c.sent, delivery(t, n, c.kind, c.delivered)).Result)
		})
	}
}

// One provider uses one reading. Hashes that fit one by one, but not all in the same
// reading, are a mismatch.
func TestHashesOfOneReading(t *testing.T) {
	n := pectest.Start(t, nil)
	top := "To: luigi@beta-pec.example\r\nMessage-ID: <m1@alfa-pec.example>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
	message := func(parts ...string) string {
		return top + "--b\r\n" + strings.Join(parts, "\r\n--b\r\n") + "\r\n--b--\r\n"
	}
	part := func(name, encoding, body string) string {
		return "Content-Transfer-Encoding: " + encoding + "\r\nContent-Type: image/png; name=" + name + "\r\n\r\n" + body
	}
	hashFile := func(name, content string) string {
		sum := sha1.Sum([]byte(content))
		return "Content-Type: text/plain; name=" + name + ".hash\r\n\r\n" + hex.EncodeToString(sum[:])
	}
	two := []string{part("a", "base64", "Y2lh\r\nbw=="), part("b", "base64", "Y2lh\r\nbw==")}
	plain := part("b", "7bit", "uno")
	for name, c := range map[string]struct {
		sent   []string
		hashes []string // of the files a, b, c
		want   receipt.HashReading
		what   string // the attachment that differs, "" for a match
	}{
		"decoded":                        {two, []string{"ciao", "ciao"}, receipt.HashDecoded, ""},
		"encoded":                        {two, []string{"Y2lh\r\nbw==", "Y2lh\r\nbw=="}, receipt.HashEncoded, ""},
		"decoded and encoded":            {two, []string{"ciao", "Y2lh\r\nbw=="}, "", "b"},
		"encoded and decoded":            {two, []string{"Y2lh\r\nbw==", "ciao"}, "", "b"},
		"CRLF and LF":                    {two, []string{"Y2lh\r\nbw==", "Y2lh\nbw=="}, "", "b"},
		"with a line end and without":    {two, []string{"Y2lh\nbw==\n", "Y2lh\nbw=="}, "", "b"},
		"one that fits two readings":     {[]string{two[0], plain}, []string{"ciao", "uno"}, receipt.HashDecoded, ""},
		"the same, encoded":              {[]string{two[0], plain}, []string{"Y2lh\nbw==", "uno"}, receipt.HashEncodedLF, ""},
		"it agrees with each, not both":  {[]string{two[0], plain, two[1]}, []string{"ciao", "uno", "Y2lh\r\nbw=="}, "", "c"},
		"two that fit two readings each": {[]string{plain, plain}, []string{"uno", "uno"}, receipt.HashEncoded, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var sent, hashes []string
			for i, content := range c.hashes {
				file := string(rune('a' + i))
				sent = append(sent, strings.Replace(strings.Replace(c.sent[i], "name=a", "name="+file, 1), "name=b", "name="+file, 1))
				hashes = append(hashes, hashFile(file, content))
			}
			got := checkContent(t, message(sent...), delivery(t, n, "breve", message(hashes...)))
			if c.what == "" {
				require.Equal(t, receipt.Content{Result: receipt.ContentMatch, Reading: c.want}, got)
				return
			}
			require.Equal(t, receipt.ContentMismatch, got.Result)
			require.Len(t, got.Differences, 1)
			require.Equal(t, c.what, got.Differences[0].What)
		})
	}
	// A hash of the encoded text does not prove the encoding: with another encoding the
	// same text is another file.
	sent := message(part("a", "7bit", "Y2lhbw=="))
	require.NotEqual(t, receipt.HashDecoded, checkContent(t, sent, delivery(t, n, "breve", message(hashFile("a", "Y2lhbw==")))).Reading)
}

func TestContentOfAnotherMessage(t *testing.T) {
	n := pectest.Start(t, nil)
	sent := strings.Replace(sentBy("completa"), "<m1@", "<m2@", 1)
	for _, original := range []string{"", sent} {
		got := checkContent(t, sent, delivery(t, n, "completa", original))
		require.Equal(t, receipt.ContentMismatch, got.Result)
		require.Equal(t, "Message-ID", got.Differences[0].What)
	}
	for _, d := range []*receipt.Delivery{nil, {}, {Detail: receipt.DetailFull}} {
		got, err := receipt.CheckContent(section(sent), d)
		require.ErrorIs(t, err, receipt.ErrNotProven)
		require.Zero(t, got)
	}
	huge := "X: " + strings.Repeat("x", 1<<20) + "\r\n\r\n"
	_, err := receipt.CheckContent(section(huge), delivery(t, n, "completa", sentBy("completa")))
	require.Error(t, err)
	got := checkContent(t, sentBy("completa"), delivery(t, n, "completa", huge))
	require.Equal(t, "header", got.Differences[0].What)
}

// A full receipt of 100 MiB is compared within a few MiB of memory, whether it matches or
// not.
func TestContentMemoryIsConstant(t *testing.T) {
	const mebibyte = 1 << 20
	n := pectest.Start(t, nil)
	line := strings.Repeat("YWJj", 19) + "\r\n"
	sent := "To: " + luigi + "\r\nMessage-ID: <m1@alfa-pec.example>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nciao\r\n--b\r\n" +
		"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat(line, 100*mebibyte/len(line)) + "--b--\r\n"
	same := delivery(t, n, "completa", sent)
	sum := "Content-Type: text/plain; name=a.pdf.hash\r\n\r\n" + strings.Repeat("0", 40) + "\r\n--b--\r\n"
	brief := delivery(t, n, "breve", sent[:strings.Index(sent, "Content-Type: application/pdf")]+sum)
	other := delivery(t, n, "completa", sent[:len(sent)-1000]+"Y"+sent[len(sent)-999:])
	for name, c := range map[string]struct {
		d    *receipt.Delivery
		want receipt.ContentResult
	}{"match": {same, receipt.ContentMatch}, "mismatch": {other, receipt.ContentMismatch}, "brief": {brief, receipt.ContentMismatch}} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := checkContent(t, sent, c.d)
			runtime.ReadMemStats(&after)
			require.Equal(t, c.want, got.Result)
			if c.want == receipt.ContentMismatch {
				require.Equal(t, "a.pdf", got.Differences[0].What)
			}
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4*mebibyte))
		})
	}
}

// A change of any octet of the body is noticed.
func TestEveryOctetOfTheBodyCounts(t *testing.T) {
	n := pectest.Start(t, nil)
	sent := sentBy("completa")
	for i := strings.Index(sent, "\r\n\r\n") + 4; i < len(sent); i++ {
		changed := sent[:i] + string(sent[i]^1) + sent[i+1:]
		require.Equal(t, receipt.ContentMismatch, checkContent(t, sent, delivery(t, n, "completa", changed)).Result, "%d: %q", i, sent[i])
	}
}

// Line ends are recognised across two reads, and a CR alone is not a line end.
func TestLineEndsOfStorage(t *testing.T) {
	n := pectest.Start(t, nil)
	top := "To: " + luigi + "\r\nMessage-ID: <m1@alfa-pec.example>\r\n\r\n"
	for i := range 6 {
		fill := strings.Repeat("x", 32<<10-4+i)
		sent := top + fill + "\r\nuno\r \r\ndue\rtre\r\n\r\nquattro\r"
		require.Equal(t, receipt.ContentMatch, checkContent(t, sent, delivery(t, n, "completa", strings.ReplaceAll(sent, "\r\n", "\n"))).Result)
		for _, change := range [][2]string{{"\r\n\r\n" + "quattro", "\r\nquattro"}, {"due\rtre", "due\r\ntre"}, {"uno\r ", "uno "}, {"quattro\r", "quattro"}, {fill + "\r\n", fill}} {
			changed := strings.Replace(sent, change[0], change[1], 1)
			require.NotEqual(t, sent, changed)
			require.Equal(t, receipt.ContentMismatch, checkContent(t, sent, delivery(t, n, "completa", changed)).Result, "%q", change)
		}
		sent = top + fill + "\rx"
		require.Equal(t, receipt.ContentMatch, checkContent(t, sent, delivery(t, n, "completa", sent)).Result)
		require.Equal(t, receipt.ContentMismatch, checkContent(t, sent, delivery(t, n, "completa", top+fill+"x")).Result)
	}
}

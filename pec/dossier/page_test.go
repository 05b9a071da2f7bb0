package dossier_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/dossier"
	"github.com/gopec/gopec/pec/pectest"
)

const hostile = `</title><script>document.title='x'</script><img src=http://attacker.example/a.png onerror=alert(1)> "&amp; {{.}} ` + "\u202etxt.exe"

// everyFate sends a message whose recipients have many different fates. Every text that an
// attacker can choose contains an attack.
func everyFate(t *testing.T) (*pectest.Network, dossier.Source) {
	t.Helper()
	n := pectest.Start(t, &pectest.Options{Start: time.Now().Add(-48 * time.Hour)})
	n.SetFate("full@beta-pec.example", pectest.Fate{Error: "altro", ErrorText: "5.2.2 - Beta PEC S.p.A. - casella piena <script>alert(2)</script>"})
	c := newClient(t, n)
	id := send(t, n, c, pec.Message{
		To: []string{
			luigi, "full@beta-pec.example", "silent@beta-pec.example", "delay24@beta-pec.example", "info@example.org", "unknown@example.org",
			"ufficio.protocollo.generale.e.archivio.della.ripartizione.affari.istituzionali@beta-pec.example",
		},
		Cc: []string{bruna}, Subject: "Diffida ad adempiere – contratto n. 12/2026 " + hostile, Key: "pratica <b>12</b>", Text: "Si diffida.",
		Attachments: []pec.Attachment{
			{Name: "contratto <b>firmato<b>.pdf", Content: strings.NewReader("%PDF-1.4")},
			{Name: "perché_un_nome_di_file_molto_lungo_senza_spazi_che_non_deve_uscire_dal_margine_della_pagina.xml", Content: bytes.NewReader(make([]byte, 1234567))},
		},
	})
	n.Advance(25 * time.Hour)
	read(t, n, c)
	return n, dossier.FromLedger(c.Ledger, id)
}

// pages writes the HTML pages of a dossier into a folder.
func pages(t *testing.T, zipped []byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range unzip(t, zipped) {
		if filepath.Ext(name) == ".html" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
		}
	}
	return dir
}

func TestPageInABrowser(t *testing.T) {
	b := startBrowser(t)
	n, source := everyFate(t)
	zipped, report := write(t, n, source, nil)
	_, err := verify(t, n, zipped)
	require.NoError(t, err)
	states := map[string]string{}
	for _, r := range report.Recipients {
		states[r.Address] = r.State
	}
	require.Equal(t, "bounced", states["unknown@example.org"])
	require.True(t, slices.ContainsFunc(report.Proofs, func(p dossier.Proof) bool { return p.Kind == "anomaly" }))
	all := map[string][]byte{"fates": zipped}
	all["genuine"], _ = genuineDossier(t)
	all["received"], _ = received(t, n)
	for name, zipped := range all {
		dir := pages(t, zipped)
		for page, language := range map[string]string{"rapporto.html": "it", "report.html": "en"} {
			for _, width := range []int{320, 794} { // a small phone; A4 at 96 dpi
				for _, e := range b.open(filepath.Join(dir, page), width) {
					require.Truef(t, e.Method != "Network.requestWillBeSent" || strings.HasPrefix(e.Params.Request.URL, "file://"+dir), "%+v", e)
					require.NotEqual(t, "Log.entryAdded", e.Method, e.Params.Entry.Text)
				}
				require.Equal(t, language, b.eval("document.documentElement.lang"))
				require.EqualValues(t, 0, b.eval("document.scripts.length + document.images.length + document.querySelectorAll('[onerror],[onclick],iframe,object,link,form,input').length"))
				require.EqualValues(t, 1, b.eval("document.styleSheets.length"), "the style is admitted by the policy")
				require.NotEqual(t, "x", b.eval("document.title"))
				require.Equal(t, []any{}, b.eval(`[...document.querySelectorAll("body *")].filter(e => {
					const box = e.getBoundingClientRect();
					return box.right > document.documentElement.clientWidth + 1 || box.left < -1 || e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline";
				}).map(e => e.tagName + ": " + e.textContent.slice(0, 60))`), "%s %s at %d overflows", name, page, width)
				b.keep(name+"-"+language, width)
			}
			pdf := b.print()
			require.Regexp(t, regexp.MustCompile(`/MediaBox ?\[0 0 59[45](\.\d+)? 84[12](\.\d+)?\]`), string(pdf), "A4")
			if dir := os.Getenv("DOSSIER_PICTURES"); dir != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name+"-"+language+".pdf"), pdf, 0o600))
			}
		}
	}
	b.open(filepath.Join(pages(t, zipped), "rapporto.html"), 794)
	text := b.eval("document.body.innerText").(string)
	require.Contains(t, text, "<script>document.title='x'</script><img src=http://attacker.example/a.png", "shown as text")
	require.NotContains(t, text, "\u202e")
	for _, r := range report.Recipients {
		require.Contains(t, text, r.Address)
	}
	require.Contains(t, text, "Spett.le Beta PEC S.p.A.")
}

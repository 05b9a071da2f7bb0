package dossier_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/dossier"
	"github.com/gopec/gopec/pec/pectest"
)

// small writes a dossier with an original, an acceptance and a delivery.
func small(t *testing.T) (*pectest.Network, []byte) {
	t.Helper()
	n := pectest.Start(t, nil)
	c := newClient(t, n)
	id := send(t, n, c, pec.Message{To: []string{luigi}, Subject: "Diffida", Text: "Si diffida."})
	zipped, report := write(t, n, dossier.FromLedger(c.Ledger, id), nil)
	require.Equal(t, pec.ResultDelivered, report.Result)
	return n, zipped
}

// Verify refuses a dossier in which a single bit was changed. The test changes each byte of
// the zip headers and of the central directory, and a dense sample of the others. Verify
// also refuses a dossier that was cut or extended.
func TestEveryChangedByteIsFound(t *testing.T) {
	n, zipped := small(t)
	_, err := verify(t, n, zipped)
	require.NoError(t, err)
	var places []int
	for at := range zipped {
		start := bytes.LastIndex(zipped[:min(len(zipped), at+4)], []byte("PK"))
		if at%499 == 0 || start >= 0 && at-start < 46+80 {
			places = append(places, at)
		}
	}
	require.Greater(t, len(places), 1000)
	for _, at := range places {
		changed := bytes.Clone(zipped)
		changed[at] ^= 1 << (at % 8)
		report, err := verify(t, n, changed)
		require.Error(t, err, "byte %d", at)
		require.Nil(t, report)
		e := reason(t, err)
		require.Contains(t, []dossier.Reason{dossier.ReasonAltered, dossier.ReasonNoDossier}, e.Reason, "byte %d: %v", at, err)
		require.True(t, e.Reason == dossier.ReasonNoDossier || len(e.Alterations) > 0)
	}
	for _, size := range []int{0, 1, 29, 30, 100, len(zipped) / 2, len(zipped) - 22, len(zipped) - 1} {
		_, err := verify(t, n, zipped[:size])
		require.Error(t, err, "cut at %d", size)
	}
	_, err = verify(t, n, append(bytes.Clone(zipped), 0))
	require.Equal(t, []dossier.Alteration{{Kind: dossier.AlterationStructure}}, reason(t, err).Alterations)
	_, err = verify(t, n, append([]byte("#!"), zipped...))
	require.Error(t, err)
}

// When a single file of a dossier was changed, the error names that file.
func TestWhatWasAlteredIsNamed(t *testing.T) {
	n, zipped := small(t)
	files := unzip(t, zipped)
	require.Equal(t, zipped, dossier.Forge(files), "the files and their names determine the zip")
	for name, content := range files {
		at := bytes.Index(zipped, content)
		require.Positive(t, at)
		for _, place := range []int{at, at + len(content)/2, at + len(content) - 1} {
			changed := bytes.Clone(zipped)
			changed[place] ^= 1
			_, err := verify(t, n, changed)
			e := reason(t, err)
			require.Equal(t, dossier.ReasonAltered, e.Reason)
			if name == "manifest.sha256" {
				continue // the error may name the file on the changed line instead
			}
			require.Len(t, e.Alterations, 1, "%s: %v", name, e)
			require.Equal(t, name, e.Alterations[0].File)
		}
	}
}

// The attacks of somebody who can write a dossier as we do: the manifest and the form of the
// zip match what was changed.
func TestForgeries(t *testing.T) {
	n, zipped := small(t)
	other, err := n.Providers()[1].Emit(pectest.Notice{
		Kind: pectest.KindDelivery, Sender: bruna, MessageID: "<x@beta-pec.example>", Delivered: luigi,
		Recipients: []pectest.Recipient{{Address: luigi}},
	})
	require.NoError(t, err)
	stranger := pectest.Start(t, nil)
	files := unzip(t, zipped)
	const delivery, acceptance = "notices/0002-delivery.eml", "notices/0001-acceptance.eml"
	require.Contains(t, files, delivery)
	replace := func(name, old, new string) func(map[string][]byte) {
		return func(f map[string][]byte) {
			changed := bytes.Replace(f[name], []byte(old), []byte(new), 1)
			if bytes.Equal(changed, f[name]) {
				panic(name + " does not hold " + old)
			}
			f[name] = changed
		}
	}
	for name, c := range map[string]struct {
		change func(map[string][]byte)
		file   string
		how    dossier.AlterationKind
	}{
		"the page says something else":      {replace("rapporto.html", luigi, "lucia@beta-pec.example"), "rapporto.html", dossier.AlterationDerived},
		"the page gets a script":            {replace("report.html", "</body>", "<script>1</script></body>"), "report.html", dossier.AlterationDerived},
		"the report says something else":    {replace("report.json", `"state": "delivered"`, `"state": "failed"`), "report.json", dossier.AlterationDerived},
		"another time in the timeline":      {replace("timeline.json", `"certified": true`, `"certified": false`), "timeline.json", dossier.AlterationDerived},
		"another form":                      {replace("report.json", "dossier/v1", "dossier/v2"), "report.json", dossier.AlterationDerived},
		"a notice is altered":               {replace(delivery, "Content-Type: multipart/mixed", "Content-Type: Multipart/mixed"), delivery, dossier.AlterationUnproven},
		"a notice of another message":       {func(f map[string][]byte) { f[delivery] = other }, delivery, dossier.AlterationUnexpected},
		"a notice under another name":       {func(f map[string][]byte) { f["notices/0003-delivery.eml"] = f[delivery] }, "notices/0003-delivery.eml", dossier.AlterationUnexpected},
		"a notice is no proof":              {func(f map[string][]byte) { f[delivery] = []byte("Subject: consegna\r\n\r\n") }, delivery, dossier.AlterationUnproven},
		"a notice is taken away":            {func(f map[string][]byte) { delete(f, acceptance) }, "notices/0001-delivery.eml", dossier.AlterationMissing},
		"a proof hidden among the unproven": {func(f map[string][]byte) { f["unproven/0001.eml"] = f[delivery]; delete(f, delivery) }, "unproven/0001.eml", dossier.AlterationUnexpected},
		"an anchor of the forger's":         {func(f map[string][]byte) { f["anchors.pem"] = stranger.TLSRootPEM() }, "anchors.pem", dossier.AlterationDerived},
		"a file of any kind":                {func(f map[string][]byte) { f["zzz.txt"] = nil }, "zzz.txt", dossier.AlterationUnexpected},
		"the original is taken away":        {func(f map[string][]byte) { delete(f, "original.eml") }, "report.json", dossier.AlterationDerived},
		"the original is another":           {replace("original.eml", "Si diffida", "Si Diffida"), "", ""},
		"facts of a form that nobody knows": {replace("facts.json", "dossier/v1", "dossier/v2"), "", ""},
		"facts that are no object":          {func(f map[string][]byte) { f["facts.json"] = []byte("[]") }, "", ""},
		"facts of a received message":       {replace("facts.json", `"direction": "sent"`, `"direction": "received"`), "", ""},
		"no facts":                          {func(f map[string][]byte) { delete(f, "facts.json") }, "", ""},
		"nothing but facts": {func(f map[string][]byte) {
			maps.DeleteFunc(f, func(n string, _ []byte) bool { return n != "facts.json" })
		}, "report.json", dossier.AlterationMissing},
		"an invalid revocation list":               {func(f map[string][]byte) { f["revocation/x.crl"] = []byte("x") }, "", ""},
		"a timestamp for something else":           {func(f map[string][]byte) { f["timestamp.tsr"] = []byte("token") }, "timestamp.tsr", dossier.AlterationTimestamp},
		"the legacy policy switched on":            {replace("facts.json", `"allowLegacy": false`, `"allowLegacy": true`), "", ""},
		"another Message-ID beside our own":        {replace("facts.json", `"messageID": "`, `"messageID": "x`), "facts.json", dossier.AlterationDerived},
		"a fact that occurs twice":                 {replace("facts.json", `"sender": "`, `"sender": "vittima@alfa-pec.example", "SENDER": "`), "facts.json", dossier.AlterationDerived},
		"facts in another layout":                  {replace("facts.json", `": `, `":  `), "facts.json", dossier.AlterationDerived},
		"another notice in front of the facts":     {replace("facts.json", "Nothing in this file is certified", "All in this file is certified"), "facts.json", dossier.AlterationDerived},
		"another subject beside the certified one": {replace("facts.json", `"Subject": "Diffida"`, `"Subject": "Revoca"`), "", ""},
		"a fact of a later version":                {replace("facts.json", `"intent": {`, `"intent": {"Novel": 1,`), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			forged := maps.Clone(files)
			c.change(forged)
			report, err := verify(t, n, dossier.Forge(forged))
			switch name {
			case "the legacy policy switched on", "another subject beside the certified one":
				// No signature covers these facts. The change does not affect the report.
				require.NoError(t, err)
				require.Equal(t, pec.ResultDelivered, report.Result)
				require.NotContains(t, report.MessageID, "x@")
				require.Equal(t, "Diffida", report.Subject)
				return
			}
			require.Nil(t, report)
			e := reason(t, err)
			if c.file == "" {
				require.NotEqual(t, name == "the original is another", e.Reason != dossier.ReasonContradiction)
				return
			}
			require.Equal(t, dossier.ReasonAltered, e.Reason, "%v", e)
			found := map[string]dossier.AlterationKind{}
			for _, a := range e.Alterations {
				found[a.File] = a.Kind
			}
			require.Equal(t, c.how, found[c.file], "%v", e)
		})
	}
}

// A manifest that is too large to be read is an alteration like any other.
func TestManifestThatIsTooLarge(t *testing.T) {
	n, zipped := small(t)
	_, err := verify(t, n, dossier.ForgeManifest(unzip(t, zipped), make([]byte, 32<<20+1)))
	e := reason(t, err)
	require.Equal(t, dossier.ReasonAltered, e.Reason)
	require.Equal(t, []dossier.Alteration{{File: "manifest.sha256", Kind: dossier.AlterationDerived}}, e.Alterations)
}

// Verify trusts nothing in a dossier: if its CA is not among the anchors, it proves nothing.
func TestAnchorsComeFromTheReader(t *testing.T) {
	_, zipped := small(t)
	stranger := pectest.Start(t, nil)
	_, err := verify(t, stranger, zipped)
	e := reason(t, err)
	require.Equal(t, dossier.ReasonAltered, e.Reason)
	for _, a := range e.Alterations {
		require.Equal(t, dossier.AlterationUnproven, a.Kind)
		require.Equal(t, envelope.CodeUntrusted, a.Code)
	}
	require.Len(t, e.Alterations, 2)
	_, err = dossier.Verify(t.Context(), bytes.NewReader(zipped), int64(len(zipped)), nil, nil)
	require.ErrorIs(t, err, envelope.ErrNoAnchors)
}

// The name that the caller of Verify gives an anchor does not matter.
func TestAnchorsByAnyName(t *testing.T) {
	n, zipped := small(t)
	renamed := trusttest.Anchors(n)
	renamed[0].Name, renamed[0].Issuer = "public key 1", ""
	_, err := dossier.Verify(t.Context(), bytes.NewReader(zipped), int64(len(zipped)), renamed, nil)
	require.NoError(t, err)
}

func TestNoDossier(t *testing.T) {
	n := pectest.Start(t, nil)
	local := binary.LittleEndian.AppendUint32(nil, 0x04034b50)
	for _, b := range [][]byte{nil, []byte("PK"), local, []byte(strings.Repeat("x", 1000)), dossier.Forge(nil), dossier.Forge(map[string][]byte{"a": nil})} {
		_, err := verify(t, n, b)
		require.Equal(t, dossier.ReasonNoDossier, reason(t, err).Reason)
	}
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	n, zipped := small(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := dossier.Verify(ctx, bytes.NewReader(zipped), int64(len(zipped)), trusttest.Anchors(n), nil)
	require.ErrorIs(t, err, context.Canceled)
}

func FuzzVerify(f *testing.F) {
	zipped, _ := genuineDossier(f)
	f.Add(zipped)
	f.Fuzz(func(t *testing.T, b []byte) {
		report, err := dossier.Verify(t.Context(), bytes.NewReader(b), int64(len(b)), envelope.BuiltinAnchors(), nil)
		require.Equal(t, err == nil, report != nil)
		// No other bytes are a dossier of the same evidence.
		require.Equal(t, err == nil, bytes.Equal(b, zipped))
	})
}

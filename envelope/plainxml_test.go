package envelope

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/multipart"
	"github.com/gopec/gopec/internal/vectors"
)

const plainExample = `<?xml version="1.0" encoding="UTF-8"?>
<postacert tipo="avvenuta-consegna" errore="nessuno">
	<intestazione>
		<mittente>a@pec.example</mittente>
		<destinatari tipo="certificato">b@pec.example</destinatari>
		<risposte>a@pec.example</risposte>
		<oggetto>Perch&#233; &quot;no&quot; &amp; s&#236; &lt;x&gt;</oggetto>
	</intestazione>
	<dati>
		<gestore-emittente>Città PEC</gestore-emittente>
		<data zona="+0100"><giorno>21/11/2026</giorno><ora>10:20:30</ora></data>
		<identificativo>p1@pec.example</identificativo>
		<msgid>&lt;m1@pec.example&gt;</msgid>
		<ricevuta tipo="completa"/>
		<consegna>b@pec.example</consegna>
	</dati>
</postacert>
`

// agrees reports whether readPlainXML reads b. If it does, encoding/xml must find the same.
func agrees(t *testing.T, b []byte) (plain bool) {
	t.Helper()
	p := newCertDataParser()
	if plain = readPlainXML(b, p); !plain {
		return false
	}
	want, wantErr := parseAnyCertData(b)
	got, err := p.finish()
	require.Equal(t, wantErr, err)
	require.Equal(t, want, got)
	return true
}

func TestPlainXML(t *testing.T) {
	require.True(t, agrees(t, []byte(plainExample)))
	require.True(t, agrees(t, []byte(strings.ReplaceAll(plainExample, "\n", "\r\n"))))
	require.True(t, agrees(t, []byte(strings.ReplaceAll(plainExample, "\n", ""))))
	d, err := parseCertData([]byte(plainExample))
	require.NoError(t, err)
	require.Equal(t, `Perché "no" & sì <x>`, d.Subject)

	for old, not := range map[string]string{
		"<dati>":                  "<dati><!-- x -->",
		"<risposte>":              "<risposte><![CDATA[x]]>",
		"<risposte>a":             "<risposte>]]>",
		"<mittente>":              "<mittente><?x?>",
		"</dati>":                 "</Dati>",
		"</postacert>\n":          "</postacert>x",
		"</postacert>":            "</postacert><postacert/>",
		"</giorno>":               "</ora>",
		"<ricevuta ":              "<x:ricevuta ",
		"&amp;":                   "&egrave;",
		"&#233;":                  "&#7;",
		"&#236;":                  "&#55296;",
		`&quot;no`:                `& no`,
		`zona="+0100"`:            `zona=+0100`,
		`tipo="completa"`:         `tipo="com<pleta"`,
		`errore="nessuno"`:        `errore="nessuno" tipo="accettazione"`,
		`"UTF-8"`:                 `"ISO-8859-1"`,
		"Città":                   "Citt\xe0",
		"PEC":                     "PEC\x01",
		"Citt":                    "Citt\uffff",
		"<oggetto>":               "<oggetto>\r\n",
		`<?xml version="1.0"`:     `<!DOCTYPE postacert [<!ENTITY a "b">]><?xml version="1.0"`,
		"<consegna>b@pec.example": "<consegna>b@pec.example</consegna><consegna>c@pec.example",
	} {
		require.Contains(t, plainExample, old)
		require.False(t, agrees(t, []byte(strings.Replace(plainExample, old, not, 1))), not)
	}
}

// certDataOf returns the contents of the parts named daticert.xml in all vectors.
func certDataOf(t testing.TB) [][]byte {
	t.Helper()
	all, err := vectors.Load()
	require.NoError(t, err)
	var found [][]byte
	for _, v := range all {
		outer, err := multipart.ReadPart(io.NewSectionReader(bytes.NewReader(v.Message), 0, int64(len(v.Message))))
		require.NoError(t, err)
		signed, err := outer.SplitSigned(nil, func(bool) io.Writer { return io.Discard })
		if err != nil {
			continue
		}
		for _, section := range signed.Children {
			if p, err := multipart.ReadPart(section); err == nil && len(p.Names) > 0 && p.Names[0] == "daticert.xml" {
				if content, err := p.Content(maxCertData, nil); err == nil {
					found = append(found, content)
				}
			}
		}
	}
	require.Greater(t, len(found), 200)
	return found
}

func TestPlainXMLOfVectors(t *testing.T) {
	plain := 0
	for _, b := range certDataOf(t) {
		if agrees(t, b) {
			plain++
		}
	}
	require.Greater(t, plain, 150, "most are plain")
}

// FuzzPlainXML compares the quick reader with encoding/xml.
func FuzzPlainXML(f *testing.F) {
	f.Add([]byte(plainExample))
	for _, b := range certDataOf(f) {
		f.Add(b)
	}
	for _, s := range []string{"<postacert/>", "<postacert a=\"b\"></postacert >", "<postacert>]]&gt;</postacert>", "\xef\xbb\xbf<postacert/>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { agrees(t, b) })
}

package receipt_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/receipt"
)

// The texts of differences are in dossiers, which are verified by writing them again.
func TestTextsOfDifferencesStay(t *testing.T) {
	const head = "Message-ID: <1@alfa-pec.example>\r\nSubject: Prova\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
	file := func(name, content string) string {
		return "--b\r\nContent-Type: text/plain; name=\"" + name + "\"\r\n\r\n" + content + "\r\n"
	}
	const end = "--b--\r\n"
	const wrong = "0123456789012345678901234567890123456789"
	sent := head + file("a.txt", "Primo.") + file("b.txt", "Secondo.") + end
	for name, c := range map[string]struct {
		delivered string
		brief     bool
		want      []string
	}{
		"a field":         {strings.Replace(sent, "Prova", "Altro", 1), false, []string{`["Prova"] was sent, ["Altro"] delivered`}},
		"no field":        {strings.Replace(sent, "Subject", "nonsense\r\nSubject", 1), false, []string{`"nonsense" is no field, and what readers make of it and what follows was changed`}},
		"parts":           {head + file("a.txt", "Primo.") + end, false, []string{"2 parts were sent, 1 delivered"}},
		"a name":          {strings.Replace(sent, "b.txt", "c.txt", 1), false, []string{`delivered under the name ["c.txt"]`}},
		"around them":     {strings.Replace(sent, "--b--", "--b-- ", 1), false, []string{"the parts are the same once decoded, the octets around them or their encoding are not"}},
		"a hash of other": {head + file("a.txt.hash", wrong) + file("b.txt", "Secondo.") + end, true, []string{"SHA-1 " + wrong + " was delivered, which no reading of the rule gives"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := receipt.CompareContents(sent, c.delivered, c.brief)
			require.NoError(t, err)
			var texts []string
			for _, d := range got.Differences {
				texts = append(texts, d.Text)
			}
			require.Equal(t, c.want, texts)
		})
	}
}

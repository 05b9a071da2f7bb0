package envelope

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
)

func TestFindTitle(t *testing.T) {
	for text, want := range map[string]title{
		"Messaggio di posta certificata\nIl giorno":                                      {KindTransport},
		"--Questo \xe8 un Messaggio di Posta Certificata--\n":                            {KindTransport},
		"--Questo è un Messaggio di Posta Certificata--\r\n":                             {KindTransport},
		"--QUESTO È UN MESSAGGIO DI POSTA CERTIFICATA--\r\n":                             {KindTransport},
		"Questo e' un messaggio di posta certificata":                                    {KindTransport},
		"-- Ricevuta di accettazione del messaggio indirizzato a a@b.example (\"x\") --": {KindAcceptance},
		"Ricevuta  di\tavvenuta\u00a0consegna\n":                                         {KindDelivery},
		"\r\n \t\r\n\u00a0\r\n\xa0Ricevuta\xa0di avvenuta consegna.":                     {KindDelivery},
		"Ricevuta breve di avvenuta consegna":                                            {KindDelivery},
		"Ricevuta sintetica di avvenuta consegna":                                        {KindDelivery},
		"– Ricevuta di presa in carico –":                                                {KindTakeInCharge},
		"Errore nell'accettazione del messaggio":                                         {KindNonAcceptance},
		"Errore nell’accettazione del messaggio per presenza di virus":                   {KindNonAcceptance},
		"Errore nell\x92accettazione":                                                    {KindNonAcceptance},
		"Avviso di non accettazione":                                                     {KindNonAcceptance},
		"--Avviso di mancata consegna del messaggio--":                                   {KindNonDelivery, KindDeliveryDelay},
		"Avviso di mancata consegna per virus":                                           {KindNonDelivery},
		"Avviso di mancata consegna per superamento dei tempi massimi":                   {KindDeliveryDelay},
		"Avviso di mancata consegna per sup. tempo massimo":                              {KindDeliveryDelay},
		"Avviso di rilevazione virus informatico":                                        {KindVirusDetection},
		"Anomalia nel messaggio":                                                         {KindAnomaly},
		"Anomalia messaggio":                                                             {KindAnomaly},

		"":              nil,
		"\r\n\r\n \r\n": nil,
		"Il giorno 14/11/2014 il messaggio \"Ricevuta di avvenuta consegna\"":     nil,
		"\"Ricevuta di avvenuta consegna\" inviato da x":                          nil,
		"Oggetto: Ricevuta di avvenuta consegna":                                  nil,
		"Il giorno\r\nRicevuta di avvenuta consegna":                              nil,
		"-----\r\nRicevuta di avvenuta consegna":                                  nil,
		"Ricevuta di avvenuta consegnabile":                                       nil,
		"Ricevuta di avvenuta consegn\xe0":                                        nil,
		"Ricevuta di avvenuta consegna\xe0":                                       nil,
		"Ricevuta di\r\navvenuta consegna":                                        nil,
		"Messaggio \"di posta certificata\"":                                      nil,
		"Messaggio: di posta certificata":                                         nil,
		"Ricevuta di accettazione2":                                               nil,
		"Anomalie":                                                                nil,
		strings.Repeat("x", 4096):                                                 nil,
		strings.Repeat(" ", 4096) + "\r" + strings.Repeat("-", 4096) + "Anomalia": {KindAnomaly},
	} {
		t.Run(text, func(t *testing.T) { require.Equal(t, want, findTitle([]byte(text))) })
	}
}

// Each kind in the rules has a title, and no other kind has one. No title hides a later
// one in the table.
func TestTitlesNameEveryKind(t *testing.T) {
	named := map[Kind]bool{}
	for i, entry := range titles {
		require.NotEmpty(t, entry.kinds)
		require.Less(t, len(entry.text), maxTitle)
		require.Equal(t, entry.kinds, findTitle([]byte(strings.ToUpper(entry.text))), "a title before it hides %q", titles[i].text)
		for _, k := range entry.kinds {
			named[k] = true
		}
	}
	for _, k := range kinds {
		require.Equal(t, k != KindNone && k != KindUnknown, named[k], k)
	}
}

func TestUnquote(t *testing.T) {
	for text, want := range map[string]string{
		"Questo =E8 un=\r\n messaggio=\n di": "Questo \xe8 un messaggio di",
		"=":                                  "=",
		"=4":                                 "=4",
		"=zz=3d=3D":                          "=zz==",
		"=52icevuta":                         "Ricevuta",
		"a=\rb":                              "a=\rb",
	} {
		require.Equal(t, want, string(unquote([]byte(text))))
	}
}

// In every genuine message the first line names the kind.
func TestTitlesOfGenuineMessages(t *testing.T) {
	dir := testenv.Corpus(t, "genuine")
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 12)
	v, err := NewVerifier(BuiltinAnchors(), nil)
	require.NoError(t, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		c := check{ctx: t.Context(), verifier: v, room: new(room), source: io.NewSectionReader(bytes.NewReader(raw), 0, int64(len(raw)))}
		require.NoError(t, c.checkStructure())
		children, err := c.signedChildren()
		require.NoError(t, err)
		parts, err := c.sortParts(children)
		require.NoError(t, err)
		require.True(t, parts.title.names(c.headerKind()), "%s: %v", file, parts.title)
		require.Len(t, parts.data, 1, file)
	}
}

package dossier_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/dossier"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

// message returns a message with an attachment that asks for a kind of receipt.
func message(kind receipt.Detail) pec.Message {
	return pec.Message{
		To: []string{luigi}, Cc: []string{bruna}, Subject: "Diffida", Text: "Si diffida.", Receipt: kind,
		Attachments: []pec.Attachment{{Name: "atto.txt", Type: "text/plain", Content: strings.NewReader(strings.Repeat("Perché no.\r\n", 12))}},
	}
}

// Each kind of receipt proves as much as the rules allow, for recipients in To and in Cc,
// and whatever form of an attachment the recipient's provider hashes in a brief receipt.
func TestContentOfEveryKindOfReceipt(t *testing.T) {
	account := func(address string) pectest.Account { return pectest.Account{Address: address, Password: "p"} }
	readings := map[pectest.BriefHash]receipt.HashReading{
		pectest.BriefHashDecoded: receipt.HashDecoded, pectest.BriefHashEncoded: receipt.HashEncoded, pectest.BriefHashEncodedLine: receipt.HashEncodedLine,
		pectest.BriefHashEncodedLF: receipt.HashEncodedLF, pectest.BriefHashEncodedLFLine: receipt.HashEncodedLFLine,
	}
	for style, reading := range readings {
		n := pectest.Start(t, &pectest.Options{Providers: []pectest.ProviderOptions{
			{Domain: "alfa-pec.example", Accounts: []pectest.Account{account(mario)}},
			{Domain: "beta-pec.example", Accounts: []pectest.Account{account(luigi), account(bruna)}, BriefHash: style},
		}})
		c := newClient(t, n)
		for kind, want := range map[receipt.Detail]receipt.ContentResult{
			receipt.DetailFull: receipt.ContentMatch, receipt.DetailBrief: receipt.ContentMatch, receipt.DetailConcise: receipt.ContentUnchecked,
		} {
			t.Run(string(kind)+"/"+string(reading), func(t *testing.T) {
				id := send(t, n, c, message(kind))
				zipped, _ := write(t, n, dossier.FromLedger(c.Ledger, id), nil)
				report, err := verify(t, n, zipped)
				require.NoError(t, err)
				require.Equal(t, pec.ResultDelivered, report.Result)
				require.False(t, report.Mismatch())
				require.Empty(t, report.Missing)
				to, cc := report.Recipients[0], report.Recipients[1]
				require.Equal(t, []any{luigi, "to", kind, want}, []any{to.Address, to.Role, to.Detail, to.Content})
				require.Equal(t, []any{bruna, "cc", receipt.DetailConcise, receipt.ContentUnchecked}, []any{cc.Address, cc.Role, cc.Detail, cc.Content})
				proof := report.Proofs[to.Proof-1]
				require.Equal(t, string(want), proof.Content)
				require.Equal(t, "delivery", proof.Kind)
				require.Equal(t, luigi, proof.Recipient)
				identical := 1 // the words of the recipient and of the proof
				if kind == receipt.DetailBrief {
					require.Equal(t, reading, proof.HashReading)
				}
				if kind == receipt.DetailBrief && reading != receipt.HashDecoded || kind == receipt.DetailConcise {
					identical = 0
				}
				require.Equal(t, 2*identical, strings.Count(string(unzip(t, zipped)["rapporto.html"]), "Contenuto identico"))
				require.Equal(t, "atto.txt", report.Original.Attachments[0].Name)
			})
		}
	}
}

// One changed byte in the delivered content shows, and the report says where it is.
func TestDeliveredContentThatDiffers(t *testing.T) {
	n := pectest.Start(t, nil)
	for what, c := range map[string][2]string{
		"body": {"Si diffida.", "Si Diffida."}, "atto.txt": {"Primo.", "Prima."}, "Subject": {"Subject: Diffida", "Subject: diffida"},
	} {
		delivered := bytes.Replace(original, []byte(c[0]), []byte(c[1]), 1)
		require.NotEqual(t, original, delivered)
		zipped, report := write(t, n, asFolder(saved(t, n, original, delivered, "completa")), nil)
		require.True(t, report.Mismatch())
		report, err := verify(t, n, zipped)
		require.NoError(t, err, "the dossier itself is intact")
		require.True(t, report.Mismatch())
		require.Equal(t, receipt.ContentMismatch, report.Recipients[0].Content)
		differences := report.Proofs[report.Recipients[0].Proof-1].Differences
		require.Len(t, differences, 1)
		require.Equal(t, what, differences[0].What)
		require.Contains(t, string(unzip(t, zipped)["rapporto.html"]), "Contenuto diverso dall")
	}
	_, report := write(t, n, asFolder(saved(t, n, original, nil, "completa")), nil)
	require.Equal(t, receipt.ContentAbsent, report.Recipients[0].Content)
	require.Equal(t, []dossier.Missing{{What: dossier.GapContent, Recipient: luigi}}, report.Missing)
}

func TestOrderAndNamesOfFilesDoNotMatter(t *testing.T) {
	n := pectest.Start(t, nil)
	files := saved(t, n, original, original, "completa")
	first, report := write(t, n, asFolder(files), nil)
	require.Equal(t, receipt.ContentMatch, report.Recipients[0].Content)
	require.NotNil(t, report.Original)
	renamed := map[string][]byte{"z/1.eml": files["accettazione.eml"], "2.eml": files["consegna.EML"], "a.eml": files["sotto/inviata.eml"], "copia.eml": files["accettazione.eml"]}
	again, _ := write(t, n, asFolder(renamed), nil)
	require.Equal(t, first, again)
	_, err := verify(t, n, first)
	require.NoError(t, err)
	require.NotContains(t, slices.Collect(maps.Keys(unzip(t, first))), "note.txt")
}

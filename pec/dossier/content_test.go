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

func message(kind receipt.Detail) pec.Message {
	return pec.Message{
		To: []string{luigi}, Cc: []string{bruna}, Subject: "Diffida", Text: "Si diffida.", Receipt: kind,
		Attachments: []pec.Attachment{{Name: "atto.txt", Type: "text/plain", Content: strings.NewReader(strings.Repeat("Perché no.\r\n", 12))}},
	}
}

// Each kind of receipt gives the proof that the rules let it give, in To and in Cc,
// however the recipient's provider reads the rule on hashes.
func TestContentOfEveryKindOfReceipt(t *testing.T) {
	account := func(address string) pectest.Account { return pectest.Account{Address: address, Password: "p"} }
	readings := map[pectest.BriefHash]receipt.HashReading{
		pectest.BriefHashDecoded: receipt.HashDecoded, pectest.BriefHashEncoded: receipt.HashEncoded, pectest.BriefHashEncodedLine: receipt.HashEncodedLine,
		pectest.BriefHashEncodedLF: receipt.HashEncodedLF, pectest.BriefHashEncodedLFLine: receipt.HashEncodedLFLine,
	}
	for hash, reading := range readings {
		n := pectest.Start(t, &pectest.Options{Providers: []pectest.ProviderOptions{
			{Domain: "alfa-pec.example", Accounts: []pectest.Account{account(mario)}},
			{Domain: "beta-pec.example", Accounts: []pectest.Account{account(luigi), account(bruna)}, BriefHash: hash},
		}})
		c := newClient(t, n)
		for kind, want := range map[receipt.Detail]receipt.ContentResult{
			receipt.DetailFull: receipt.ContentMatch, receipt.DetailBrief: receipt.ContentMatch, receipt.DetailConcise: receipt.ContentUnchecked,
		} {
			t.Run(string(kind)+"/"+string(reading), func(t *testing.T) {
				id := send(t, n, c, message(kind))
				zip, _ := write(t, n, dossier.FromLedger(c.Ledger, id), nil)
				report, err := verify(t, n, zip)
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
				require.Equal(t, 2*identical, strings.Count(string(unzip(t, zip)["rapporto.html"]), "Contenuto identico"))
				require.Equal(t, "atto.txt", report.Original.Attachments[0].Name)
			})
		}
	}
}

// saved is what somebody has of a message that another program sent: the original, and
// a delivery receipt that carries it, or something else.
func saved(t *testing.T, n *pectest.Network, sent, delivered []byte, kind string) map[string][]byte {
	t.Helper()
	notice := pectest.Notice{
		Kind: pectest.KindAcceptance, Sender: mario, MessageID: "<m1@alfa-pec.example>", CertID: "p1@alfa-pec.example", Subject: "Diffida",
		Recipients: []pectest.Recipient{{Address: luigi}},
	}
	acceptance, err := n.Providers()[0].Emit(notice)
	require.NoError(t, err)
	notice.Kind, notice.Delivered, notice.Original, notice.ReceiptKind = pectest.KindDelivery, luigi, delivered, kind
	delivery, err := n.Providers()[1].Emit(notice)
	require.NoError(t, err)
	return map[string][]byte{"accettazione.eml": acceptance, "consegna.EML": delivery, "sotto/inviata.eml": sent, "note.txt": []byte("x")}
}

func asFolder(files map[string][]byte) dossier.Source {
	f := folder("", nil)
	delete(f, "")
	for name, content := range files {
		maps.Copy(f, folder(name, content))
	}
	return dossier.FromFolder(f, "")
}

var original = []byte(strings.ReplaceAll(`From: Mario <mario@alfa-pec.example>
To: luigi@beta-pec.example
Subject: Diffida
Message-ID: <m1@alfa-pec.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

Si diffida.
--b
Content-Type: text/plain; name="atto.txt"

Primo.
--b--
`, "\n", "\r\n"))

// One changed byte shows, and the report names what it is in.
func TestDeliveredContentThatDiffers(t *testing.T) {
	n := pectest.Start(t, nil)
	for what, c := range map[string][2]string{
		"body": {"Si diffida.", "Si Diffida."}, "atto.txt": {"Primo.", "Prima."}, "Subject": {"Subject: Diffida", "Subject: diffida"},
	} {
		delivered := bytes.Replace(original, []byte(c[0]), []byte(c[1]), 1)
		require.NotEqual(t, original, delivered)
		zip, report := write(t, n, asFolder(saved(t, n, original, delivered, "completa")), nil)
		require.True(t, report.Mismatch())
		report, err := verify(t, n, zip)
		require.NoError(t, err, "the dossier is intact, and tells it")
		require.True(t, report.Mismatch())
		require.Equal(t, receipt.ContentMismatch, report.Recipients[0].Content)
		differences := report.Proofs[report.Recipients[0].Proof-1].Differences
		require.Len(t, differences, 1)
		require.Equal(t, what, differences[0].What)
		require.Contains(t, string(unzip(t, zip)["rapporto.html"]), "Contenuto diverso dall")
	}
	_, report := write(t, n, asFolder(saved(t, n, original, nil, "completa")), nil)
	require.Equal(t, receipt.ContentAbsent, report.Recipients[0].Content)
	require.Equal(t, []dossier.Missing{{What: dossier.GapContent, Recipient: luigi}}, report.Missing)
}

func TestFolderGivesTheSameInAnyOrderAndUnderAnyNames(t *testing.T) {
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

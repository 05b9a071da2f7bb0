package dossier_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/dossier"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

func TestReceived(t *testing.T) {
	n := pectest.Start(t, nil)
	zipped, report := received(t, n)
	again, err := verify(t, n, zipped)
	require.NoError(t, err)
	require.Equal(t, report, again)
	require.Equal(t, dossier.DirectionReceived, report.Direction)
	require.Equal(t, "Offerta", report.Subject)
	require.Equal(t, mario, report.Sender)
	require.NotEmpty(t, report.SentAt)
	require.Empty(t, report.Result)
	require.Equal(t, []dossier.Attachment{{Name: "offerta.pdf", Size: 4, SHA256: envelope.Digest(sha256.Sum256([]byte("%PDF"))).String()}}, report.Original.Attachments)
	require.Len(t, report.Proofs, 1)
	folderZip, _ := write(t, n, dossier.FromFolder(folder("a.eml", unzip(t, zipped)["notices/0001-transport.eml"]), ""), nil)
	require.Equal(t, zipped, folderZip)

	notice, err := n.Providers()[0].Emit(pectest.Notice{Kind: pectest.KindAcceptance, Sender: mario, MessageID: "<m1@alfa-pec.example>", Recipients: []pectest.Recipient{{Address: luigi}}})
	require.NoError(t, err)
	for _, raw := range [][]byte{notice, []byte("Subject: ciao\r\n\r\nciao\r\n"), nil} {
		_, err = dossier.Write(t.Context(), io.Discard, dossier.FromEnvelope(section(raw)), trusttest.Anchors(n), nil)
		require.Equal(t, dossier.ReasonUnknown, reason(t, err).Reason)
	}
}

func TestDayDoesNotMatter(t *testing.T) {
	n := pectest.Start(t, &pectest.Options{Start: time.Now().Add(-48 * time.Hour)})
	c := newClient(t, n)
	id := send(t, n, c, pec.Message{To: []string{luigi, "silent@beta-pec.example"}, Subject: "Diffida", Key: "k"})
	first, report := write(t, n, dossier.FromLedger(c.Ledger, id), nil)
	n.Advance(30 * time.Hour)
	second, _ := write(t, n, dossier.FromLedger(c.Ledger, id), nil)
	require.Equal(t, first, second, "the dossier must not depend on the day")
	require.Equal(t, "k", report.Key)
	require.False(t, report.Elsewhere)
	_, err := verify(t, n, first)
	require.NoError(t, err)
	raw, err := c.Raw(t.Context(), id, pec.Intent{})
	require.NoError(t, err)
	defer raw.Close()
	sent, err := io.ReadAll(raw)
	require.NoError(t, err)
	require.Equal(t, sent, unzip(t, first)["original.eml"])
	for name, content := range unzip(t, first) {
		require.False(t, bytes.Contains(content, []byte("-password")), "%s holds a secret", name)
	}
	_, err = dossier.Write(t.Context(), io.Discard, dossier.FromLedger(c.Ledger, "nothing@alfa-pec.example"), trusttest.Anchors(n), nil)
	require.Equal(t, dossier.ReasonUnknown, reason(t, err).Reason)
	_, err = dossier.Write(t.Context(), io.Discard, dossier.Source{}, trusttest.Anchors(n), nil)
	require.Equal(t, dossier.ReasonUnknown, reason(t, err).Reason)
	_, err = dossier.Write(t.Context(), io.Discard, dossier.FromLedger(c.Ledger, id), nil, nil)
	require.ErrorIs(t, err, envelope.ErrNoAnchors)
}

// A message that another program sent from the mailbox, and whose notices the ledger read.
func TestLedgerOfASendMadeElsewhere(t *testing.T) {
	n := pectest.Start(t, nil)
	c := newClient(t, n)
	files := saved(t, n, original, original, "completa")
	for _, name := range []string{"consegna.EML", "accettazione.eml"} {
		require.NoError(t, n.Providers()[0].Deliver(mario, pectest.InboxFolder, files[name]))
	}
	read(t, n, c)
	zipped, report := write(t, n, dossier.FromLedger(c.Ledger, "<M1@alfa-pec.example>"), nil)
	require.True(t, report.Elsewhere)
	require.Equal(t, pec.ResultDelivered, report.Result)
	require.Equal(t, []dossier.Missing{{What: dossier.GapOriginal}}, report.Missing)
	_, err := verify(t, n, zipped)
	require.NoError(t, err)
}

// Missing evidence is listed with the provider to ask and the last day to ask.
func TestMissing(t *testing.T) {
	n := pectest.Start(t, &pectest.Options{Start: time.Date(2026, 8, 31, 12, 0, 0, 0, time.UTC)})
	n.SetFate("silent@beta-pec.example", pectest.Fate{Transit: pectest.Never, NoDelays: true, Missing: []string{pectest.KindAcceptance}})
	c := newClient(t, n)
	id := send(t, n, c, pec.Message{To: []string{luigi, "silent@beta-pec.example", "silent@gamma-pec.example", "info@example.org"}, Subject: "Diffida"})
	_, report := write(t, n, dossier.FromLedger(c.Ledger, id), nil)
	require.Len(t, report.Missing, 1)
	m := report.Missing[0]
	require.Equal(t, []any{dossier.GapOutcome, "silent@beta-pec.example", "Beta PEC S.p.A.", "2029-02-28"}, []any{m.What, m.Recipient, m.Provider, m.Until})
	for _, part := range []string{"Spett.le Beta PEC S.p.A.", "silent@beta-pec.example", id, report.CertID, "31/08/2026 14:00", "28/02/2029", "gestore Alfa PEC S.p.A."} {
		require.Contains(t, m.Request, part)
	}

	delivery, err := n.Providers()[1].Emit(pectest.Notice{
		Kind: pectest.KindDelivery, Sender: mario, MessageID: "<m1@alfa-pec.example>", Delivered: luigi,
		Recipients: []pectest.Recipient{{Address: luigi}, {Address: bruna}},
	})
	require.NoError(t, err)
	zipped, report := write(t, n, dossier.FromFolder(folder("a.eml", delivery), ""), nil)
	var gaps []string
	for _, m := range report.Missing {
		gaps = append(gaps, string(m.What)+" "+m.Recipient+" "+m.Provider+" "+m.Domain)
	}
	require.Equal(t, []string{"original   ", "acceptance   alfa-pec.example", "outcome " + bruna + " Beta PEC S.p.A. beta-pec.example"}, gaps)
	require.Contains(t, report.Missing[1].Request, "Gestore di posta elettronica certificata del dominio alfa-pec.example")
	_, err = verify(t, n, zipped)
	require.NoError(t, err)
}

// A message that was refused at submission is in the report, and no provider is asked for
// its log.
func TestNothingIsMissingOfARefusedMessage(t *testing.T) {
	n := pectest.Start(t, &pectest.Options{Providers: []pectest.ProviderOptions{{Domain: "alfa-pec.example", RefuseAtSMTP: true, CertifiedOnly: true, Accounts: []pectest.Account{{Address: mario, Password: "p"}}}}})
	c := newClient(t, n)
	_, err := c.Send(t.Context(), pec.Message{To: []string{"info@example.org"}, Subject: "Diffida"})
	failed, ok := errors.AsType[*pec.SendError](err)
	require.True(t, ok)
	zipped, report := write(t, n, dossier.FromLedger(c.Ledger, failed.MessageID), nil)
	require.Equal(t, "refused", report.Recipients[0].State)
	require.Empty(t, report.Missing)
	require.Empty(t, report.Proofs)
	_, err = verify(t, n, zipped)
	require.NoError(t, err)
}

// A forged notice is kept in unproven, is reported, and changes no state.
func TestUnproven(t *testing.T) {
	n, stranger := pectest.Start(t, nil), pectest.Start(t, nil)
	files := saved(t, n, original, original, "completa")
	forged, err := stranger.Providers()[1].Emit(pectest.Notice{
		Kind: pectest.KindNonDelivery, Sender: mario, MessageID: "<m1@alfa-pec.example>", Delivered: luigi, Error: "no-dest",
		Recipients: []pectest.Recipient{{Address: luigi}},
	})
	require.NoError(t, err)
	files["forged.eml"] = forged
	zipped, _ := write(t, n, asFolder(files), nil)
	report, err := verify(t, n, zipped)
	require.NoError(t, err)
	require.Equal(t, pec.ResultDelivered, report.Result)
	require.Equal(t, []pec.Flag{pec.FlagUnverified}, report.Flags)
	require.Len(t, report.Unproven, 1)
	require.Equal(t, envelope.CodeUntrusted, report.Unproven[0].Failure)
	require.Equal(t, forged, unzip(t, zipped)["unproven/0001.eml"])
	_, err = dossier.Write(t.Context(), io.Discard, dossier.FromFolder(folder("a.eml", forged), ""), trusttest.Anchors(n), nil)
	require.Equal(t, dossier.ReasonUnknown, reason(t, err).Reason)
}

func TestFolderWithSeveralMessages(t *testing.T) {
	n := pectest.Start(t, nil)
	f := folder("none.eml", []byte("Subject: ciao\r\n\r\n"))
	for _, id := range []string{"m1", "m2"} {
		raw, err := n.Providers()[0].Emit(pectest.Notice{Kind: pectest.KindAcceptance, Sender: mario, MessageID: "<" + id + "@alfa-pec.example>", Recipients: []pectest.Recipient{{Address: luigi}}})
		require.NoError(t, err)
		f[id+".eml"] = folder("", raw)[""]
	}
	_, err := dossier.Write(t.Context(), io.Discard, dossier.FromFolder(f, ""), trusttest.Anchors(n), nil)
	e := reason(t, err)
	require.Equal(t, dossier.ReasonAmbiguous, e.Reason)
	require.Equal(t, []string{"m1@alfa-pec.example", "m2@alfa-pec.example"}, e.MessageIDs)
	_, report := write(t, n, dossier.FromFolder(f, "<M2@alfa-pec.example>"), nil)
	require.Equal(t, "m2@alfa-pec.example", report.MessageID)
	require.Len(t, report.Proofs, 1)
	_, err = dossier.Write(t.Context(), io.Discard, dossier.FromFolder(f, "m3@alfa-pec.example"), trusttest.Anchors(n), nil)
	require.Equal(t, dossier.ReasonUnknown, reason(t, err).Reason)
}

// An attack: a recipient used our Message-ID for a PEC of its own, and puts the genuine
// receipts for it into the folder. They are about its message, not ours.
func TestGenuineReceiptForAnotherSender(t *testing.T) {
	n := pectest.Start(t, nil)
	files := saved(t, n, original, original, "completa")
	foreign, err := n.Providers()[1].Emit(pectest.Notice{
		Kind: pectest.KindDelivery, Sender: bruna, MessageID: "<m1@alfa-pec.example>", Delivered: luigi, Recipients: []pectest.Recipient{{Address: luigi}},
	})
	require.NoError(t, err)
	delete(files, "consegna.EML")
	files["foreign.eml"] = foreign
	_, err = dossier.Write(t.Context(), io.Discard, asFolder(files), trusttest.Anchors(n), nil)
	require.Equal(t, dossier.ReasonAmbiguous, reason(t, err).Reason)
}

func TestRevocationLists(t *testing.T) {
	n := pectest.Start(t, &pectest.Options{Start: time.Now().Add(-time.Hour)})
	c := newClient(t, n)
	id := send(t, n, c, pec.Message{To: []string{luigi}, Subject: "Diffida"})
	n.Advance(30 * time.Minute)
	n.Revoke(n.Providers()[1].Leaf(), n.Now())
	crl, err := n.CRL()
	require.NoError(t, err)
	zipped, _ := write(t, n, dossier.FromLedger(c.Ledger, id), &dossier.Options{CRLs: [][]byte{crl}})
	report, err := verify(t, n, zipped)
	require.NoError(t, err)
	require.Equal(t, envelope.RevocationGood, report.Proofs[0].Revocation)
	require.Equal(t, envelope.RevocationLater, report.Proofs[1].Revocation)
	plain, report := write(t, n, dossier.FromLedger(c.Ledger, id), nil)
	require.NotEqual(t, zipped, plain)
	require.Equal(t, envelope.RevocationUnchecked, report.Proofs[1].Revocation)
	_, err = dossier.Write(t.Context(), io.Discard, dossier.FromLedger(c.Ledger, id), trusttest.Anchors(n), &dossier.Options{CRLs: [][]byte{[]byte("x")}})
	require.Error(t, err)
}

func TestTimestamp(t *testing.T) {
	n := pectest.Start(t, nil)
	source := asFolder(saved(t, n, original, original, "completa"))
	token := func(ctx context.Context, manifest [32]byte) ([]byte, error) {
		return append([]byte("imprint: \x04\x20"), manifest[:]...), nil
	}
	zipped, _ := write(t, n, source, &dossier.Options{Timestamp: token})
	_, err := verify(t, n, zipped)
	require.NoError(t, err)
	files := unzip(t, zipped)
	sum := sha256.Sum256(files["manifest.sha256"])
	require.True(t, bytes.HasSuffix(files["timestamp.tsr"], sum[:]))
	failed := errors.New("no authority")
	for _, f := range []func(context.Context, [32]byte) ([]byte, error){
		func(context.Context, [32]byte) ([]byte, error) { return nil, failed },
		func(context.Context, [32]byte) ([]byte, error) { return []byte("another"), nil },
	} {
		_, err := dossier.Write(t.Context(), io.Discard, source, trusttest.Anchors(n), &dossier.Options{Timestamp: f, Now: n.Now})
		require.Error(t, err)
	}
}

// Evidence of 100 MiB is written and verified in less than 32 MiB of memory each.
func TestMemoryDoesNotGrowWithTheMessage(t *testing.T) {
	n := pectest.Start(t, nil)
	line := bytes.Repeat([]byte("A"), 76)
	big := bytes.NewBuffer(bytes.Replace(original, []byte("--b--\r\n"), []byte("--b\r\nContent-Type: application/pdf; name=big.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"), 1))
	for big.Len() < 50<<20 {
		big.Write(line)
		big.WriteString("\r\n")
	}
	big.WriteString("--b--\r\n")
	files := saved(t, n, big.Bytes(), big.Bytes(), "completa")
	dir := t.TempDir()
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(name)), content, 0o600))
	}
	out, err := os.Create(filepath.Join(dir, "out.zip"))
	require.NoError(t, err)
	defer out.Close()
	allocated := func(f func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	written := allocated(func() {
		report, err := dossier.Write(t.Context(), out, dossier.FromFolder(os.DirFS(dir), ""), trusttest.Anchors(n), nil)
		require.NoError(t, err)
		require.Equal(t, receipt.ContentMatch, report.Recipients[0].Content)
	})
	info, err := out.Stat()
	require.NoError(t, err)
	require.Greater(t, info.Size(), int64(100<<20))
	verified := allocated(func() {
		_, err := dossier.Verify(t.Context(), out, info.Size(), trusttest.Anchors(n), nil)
		require.NoError(t, err)
	})
	t.Logf("writing allocated %d KiB in all, verifying %d KiB", written>>10, verified>>10)
	require.Less(t, written, uint64(32<<20))
	require.Less(t, verified, uint64(32<<20))
}

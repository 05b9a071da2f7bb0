package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/examples/internal/account/accounttest"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec/dossier"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

func pecverify(t *testing.T, stdin string, args ...string) (exit int, reports []receipt.Report, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	exit = run(t.Context(), append([]string{"-json"}, args...), strings.NewReader(stdin), &out, &errs)
	for line := range strings.Lines(out.String()) {
		var r receipt.Report
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		reports = append(reports, r)
	}
	return exit, reports, errs.String()
}

// Every genuine message gets the verdict that the index of the corpus lists.
func TestGenuineMessages(t *testing.T) {
	dir := testenv.Corpus(t, "genuine")
	index, err := os.ReadFile(filepath.Join(dir, "INDEX.tsv"))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(index)), "\n")[1:]
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	require.Len(t, lines, len(files))
	for _, line := range lines {
		fields := strings.Split(line, "\t")
		file, kind, verifies := fields[0], fields[1], fields[2]
		t.Run(file, func(t *testing.T) {
			path := filepath.Join(dir, file)
			exit, reports, _ := pecverify(t, "", path)
			require.Len(t, reports, 1)
			r := reports[0]
			require.Equal(t, kind, r.Kind)
			require.Equal(t, verifies == "yes", r.Verified, r.Failure)
			require.Equal(t, verifies != "yes", exit == exitNotVerified)

			exit, reports, _ = pecverify(t, "", "-legacy", path)
			require.Len(t, reports, 1)
			require.Equal(t, verifies != "no", reports[0].Verified, reports[0].Failure)
			require.Equal(t, verifies == "no", exit == exitNotVerified)

			switch verifies {
			case "legacy":
				require.EqualValues(t, "legacy", r.Failure)
				require.Equal(t, "DigitPA CA1", reports[0].Anchor)
			case "no":
				// All three were changed in storage, after signing.
				require.EqualValues(t, "digest-mismatch", r.Failure)
			case "yes":
				require.Empty(t, r.Failure)
				require.Equal(t, "AgID CA1", r.Anchor)
			default:
				t.Fatalf("verdict %q in the index", verifies)
			}
		})
	}
}

func TestFolderStandardInputAndAnchors(t *testing.T) {
	n := pectest.Start(t, nil)
	raw, err := n.Providers()[0].Emit(pectest.Notice{
		Kind:       pectest.KindNonAcceptance,
		Error:      "virus",
		ErrorText:  "virus trovato",
		Sender:     "mario@alfa-pec.example",
		Recipients: []pectest.Recipient{{Address: "luigi@beta-pec.example"}, {Address: "x@example.org", Type: pectest.RecipientOrdinary}},
		MessageID:  "<m1@alfa-pec.example>",
	})
	require.NoError(t, err)
	dir := t.TempDir()
	anchors := filepath.Join(dir, "ca.pem")
	require.NoError(t, os.WriteFile(anchors, accounttest.AnchorPEM(n), 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "in"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "in", "a.eml"), raw, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "in", "b.EML"), []byte("Subject: ciao\n\nciao\n"), 0o600))

	exit, reports, _ := pecverify(t, string(raw), "-anchors", anchors, "-")
	require.Equal(t, exitVerified, exit)
	require.Len(t, reports, 1)
	r := reports[0]
	require.True(t, r.Verified)
	require.Equal(t, "-", r.File)
	require.Equal(t, "non-acceptance", r.Kind)
	require.EqualValues(t, "virus", r.Reason)
	require.EqualValues(t, "virus", r.Cause)
	require.Equal(t, "m1@alfa-pec.example", r.MessageID)
	require.Equal(t, []receipt.ReportRecipient{{Address: "luigi@beta-pec.example", Certified: true}, {Address: "x@example.org"}}, r.Recipients)

	exit, reports, _ = pecverify(t, "", "-anchors", anchors, filepath.Join(dir, "in"))
	require.Equal(t, exitNotVerified, exit)
	require.Len(t, reports, 2)
	require.Equal(t, "none", reports[1].Kind)
	require.EqualValues(t, "unsigned", reports[1].Failure)

	exit, reports, _ = pecverify(t, string(raw), "-")
	require.Equal(t, exitNotVerified, exit, "the built-in anchors do not know the test CA")
	require.EqualValues(t, "untrusted", reports[0].Failure)
	require.Equal(t, "non-acceptance", reports[0].Kind)
}

func TestTroubleIsExitTwo(t *testing.T) {
	empty := t.TempDir()
	for name, args := range map[string][]string{
		"no file":         {filepath.Join(empty, "absent.eml")},
		"empty folder":    {empty},
		"no argument":     {},
		"unknown flag":    {"-x"},
		"no such anchors": {"-anchors", filepath.Join(empty, "absent.pem"), "-"},
	} {
		t.Run(name, func(t *testing.T) {
			exit, reports, stderr := pecverify(t, "", args...)
			require.Equal(t, exitTrouble, exit)
			require.Empty(t, reports)
			require.NotEmpty(t, stderr)
		})
	}
}

func TestTextForPeople(t *testing.T) {
	raw := "X-Ricevuta: avvenuta-consegna\r\nContent-Type: text/plain\r\n\r\nconsegnato\r\n"
	var out, errs bytes.Buffer
	require.Equal(t, exitNotVerified, run(t.Context(), []string{"-"}, strings.NewReader(raw), &out, &errs))
	require.Equal(t, "-\nNOT VERIFIED (unsigned); it claims to be: delivery\n  revocation      unchecked\n", out.String())

	out.Reset()
	path := filepath.Join(t.TempDir(), "a\x1b[2J.eml")
	require.NoError(t, os.WriteFile(path, []byte(raw), 0o600))
	require.Equal(t, exitNotVerified, run(t.Context(), []string{"-", path}, strings.NewReader(raw), &out, &errs))
	lines := strings.Split(out.String(), "\n")
	require.Len(t, lines, 4)
	require.True(t, strings.HasPrefix(lines[0], "VERDICT               KIND            CERTIFIED TIME"), lines[0])
	require.True(t, strings.HasPrefix(lines[1], "NO: unsigned          delivery   "), lines[1])
	require.True(t, strings.HasSuffix(lines[2], "a?[2J.eml"), "a file name cannot control the terminal")
	require.Empty(t, errs.String())
}

// exchange returns a message that was sent, and a folder with it, its notices and the anchor.
func exchange(t *testing.T) (n *pectest.Network, dir string, sent []byte) {
	t.Helper()
	n = pectest.Start(t, nil)
	dir = t.TempDir()
	sent = []byte("From: mario@alfa-pec.example\r\nTo: luigi@beta-pec.example\r\nSubject: Diffida\r\nMessage-ID: <m1@alfa-pec.example>\r\n\r\nSi diffida.\r\n")
	notice := pectest.Notice{
		Kind: pectest.KindAcceptance, Sender: "mario@alfa-pec.example", MessageID: "<m1@alfa-pec.example>", CertID: "p1@alfa-pec.example",
		Recipients: []pectest.Recipient{{Address: "luigi@beta-pec.example"}},
	}
	acceptance, err := n.Providers()[0].Emit(notice)
	require.NoError(t, err)
	notice.Kind, notice.Delivered, notice.Original = pectest.KindDelivery, "luigi@beta-pec.example", sent
	delivery, err := n.Providers()[1].Emit(notice)
	require.NoError(t, err)
	ca := accounttest.AnchorPEM(n)
	for name, content := range map[string][]byte{"ca.pem": ca, "sent.eml": sent, "a.eml": acceptance, "d.eml": delivery} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	return n, dir, sent
}

func TestContentAgainstWhatWasSent(t *testing.T) {
	_, dir, sent := exchange(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	exit, reports, stderr := pecverify(t, "", "-anchors", in("ca.pem"), "-sent", in("sent.eml"), in("a.eml"), in("d.eml"))
	require.Equal(t, exitVerified, exit, stderr)
	require.Equal(t, []string{"unchecked", "match"}, []string{reports[0].Content, reports[1].Content})
	_, reports, _ = pecverify(t, "", "-anchors", in("ca.pem"), in("d.eml"))
	require.Equal(t, "unchecked", reports[0].Content)

	require.NoError(t, os.WriteFile(in("other.eml"), bytes.Replace(sent, []byte("Si diffida"), []byte("Si Diffida"), 1), 0o600))
	exit, reports, _ = pecverify(t, "", "-anchors", in("ca.pem"), "-sent", in("other.eml"), in("d.eml"))
	require.Equal(t, exitNotVerified, exit)
	require.Equal(t, "mismatch", reports[0].Content)
	require.True(t, reports[0].Verified, "the receipt is genuine")
	var out, errs bytes.Buffer
	require.Equal(t, exitNotVerified, run(t.Context(), []string{"-anchors", in("ca.pem"), "-sent", in("other.eml"), in("d.eml")}, nil, &out, &errs))
	require.Contains(t, out.String(), "verified: delivery, but NOT of what was sent")
	require.Contains(t, out.String(), "different       body: ")
	out.Reset()
	run(t.Context(), []string{"-anchors", in("ca.pem"), "-sent", in("other.eml"), in("a.eml"), in("d.eml")}, nil, &out, &errs)
	require.Contains(t, out.String(), "NO: other content     delivery")

	exit, _, _ = pecverify(t, "", "-sent", in("absent.eml"), in("d.eml"))
	require.Equal(t, exitTrouble, exit)
}

func TestDossier(t *testing.T) {
	n, dir, _ := exchange(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	var zip bytes.Buffer
	_, err := dossier.Write(t.Context(), &zip, dossier.FromFolder(os.DirFS(dir), ""), trusttest.Anchors(n), nil)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(in("d.zip"), zip.Bytes(), 0o600))
	verdict := func(stdin string, args ...string) (int, []receipt.Report, dossierReport) {
		var out, errs bytes.Buffer
		exit := run(t.Context(), append([]string{"-json", "-anchors", in("ca.pem")}, args...), strings.NewReader(stdin), &out, &errs)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		var last dossierReport
		require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &last), errs.String())
		var reports []receipt.Report
		for _, line := range lines[:len(lines)-1] {
			var r receipt.Report
			require.NoError(t, json.Unmarshal([]byte(line), &r))
			reports = append(reports, r)
		}
		return exit, reports, last
	}
	exit, reports, d := verdict("", in("d.zip"))
	require.Equal(t, exitVerified, exit)
	require.True(t, d.Verified)
	require.Equal(t, "dossier", d.Kind)
	require.Equal(t, "m1@alfa-pec.example", d.MessageID)
	require.Len(t, reports, 2)
	require.Equal(t, in("d.zip")+"/notices/0002-delivery.eml", reports[1].File)
	require.Equal(t, "match", reports[1].Content)
	exit, _, d = verdict(zip.String(), "-")
	require.Equal(t, exitVerified, exit)
	require.True(t, d.Verified)

	altered := bytes.Replace(zip.Bytes(), []byte("luigi@beta"), []byte("lucia@beta"), 1)
	exit, reports, d = verdict(string(altered), "-")
	require.Equal(t, exitNotVerified, exit)
	require.Empty(t, reports)
	require.Equal(t, dossier.ReasonAltered, d.Failure)
	require.NotEmpty(t, d.Alterations)
	var out, errs bytes.Buffer
	require.Equal(t, exitNotVerified, run(t.Context(), []string{"-anchors", in("ca.pem"), "-"}, bytes.NewReader(altered), &out, &errs))
	require.Contains(t, out.String(), "NOT VERIFIED (altered): dossier\n  altered         ")
	out.Reset()
	require.Equal(t, exitVerified, run(t.Context(), []string{"-anchors", in("ca.pem"), in("d.zip")}, nil, &out, &errs))
	require.Contains(t, out.String(), "verified: dossier of m1@alfa-pec.example: delivered\n")
	require.Equal(t, exitTrouble, run(t.Context(), []string{"-anchors", in("ca.pem"), "-sent", in("sent.eml"), in("d.zip")}, nil, &out, &errs))
	exit, _, d = verdict("PK\x03\x04 and nothing else", "-")
	require.Equal(t, exitNotVerified, exit)
	require.Equal(t, dossier.ReasonNoDossier, d.Failure)
}

// An intact dossier whose content differs does not verify what was sent.
func TestDossierWithOtherContent(t *testing.T) {
	n, dir, sent := exchange(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sent.eml"), bytes.Replace(sent, []byte("Si diffida"), []byte("Si Diffida"), 1), 0o600))
	var zip, out, errs bytes.Buffer
	_, err := dossier.Write(t.Context(), &zip, dossier.FromFolder(os.DirFS(dir), ""), trusttest.Anchors(n), nil)
	require.NoError(t, err)
	require.Equal(t, exitNotVerified, run(t.Context(), []string{"-anchors", filepath.Join(dir, "ca.pem"), "-"}, &zip, &out, &errs))
	require.Contains(t, out.String(), "different       body")
}

// A dossier with the acceptance of one copy and the delivery of another, under one
// Message-ID, is flagged.
func TestDossierOfTwoCopiesIsFlagged(t *testing.T) {
	n, dir, _ := exchange(t)
	early, err := n.Providers()[0].Emit(pectest.Notice{
		Kind: pectest.KindAcceptance, Sender: "mario@alfa-pec.example", MessageID: "<m1@alfa-pec.example>", CertID: "p0@alfa-pec.example",
		Recipients: []pectest.Recipient{{Address: "luigi@beta-pec.example"}},
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.eml"), early, 0o600))
	var zip, out, errs bytes.Buffer
	_, err = dossier.Write(t.Context(), &zip, dossier.FromFolder(os.DirFS(dir), ""), trusttest.Anchors(n), nil)
	require.NoError(t, err)
	ca := filepath.Join(dir, "ca.pem")
	run(t.Context(), []string{"-anchors", ca, "-"}, bytes.NewReader(zip.Bytes()), &out, &errs)
	require.Contains(t, out.String(), "delivered\n  warning         conflict\n")
	out.Reset()
	run(t.Context(), []string{"-json", "-anchors", ca, "-"}, bytes.NewReader(zip.Bytes()), &out, &errs)
	require.Contains(t, out.String(), `"flags":["conflict"]`)
}

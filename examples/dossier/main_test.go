package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/examples/internal/account/accounttest"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/dossier"
	"github.com/gopec/gopec/pec/pectest"
)

// fill sends a message, and reads its notices into a store and into a folder.
func fill(t *testing.T) (dir string, anchors []envelope.Anchor) {
	t.Helper()
	dir = t.TempDir()
	n := pectest.Start(t, nil)
	const owner = "mario@alfa-pec.example"
	store, closer, err := account.OpenStore(t.Context(), filepath.Join(dir, "pec.db"))
	require.NoError(t, err)
	defer closer.Close()
	client := accounttest.Client(t, n, owner, &pec.Options{Store: store})
	_, err = client.Send(t.Context(), pec.Message{To: []string{"luigi@beta-pec.example", "silent@beta-pec.example"}, Subject: "Diffida", Key: "pratica 12"})
	require.NoError(t, err)
	require.NoError(t, n.Idle(t.Context()))
	for _, err := range client.Sync(t.Context()) {
		require.NoError(t, err)
	}
	messages, err := n.ProviderOf(owner).Messages(owner, pectest.InboxFolder)
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "saved"), 0o700))
	for i, raw := range messages {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "saved", string(rune('a'+i))+".eml"), raw, 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ca.pem"), accounttest.AnchorPEM(n), 0o600))
	return dir, trusttest.Anchors(n)
}

func TestStoreAndFolder(t *testing.T) {
	dir, anchors := fill(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	for name, source := range map[string][]string{
		"store.zip": {"-store", in("pec.db"), "-key", "pratica 12"}, "folder.zip": {"-folder", in("saved"), "-lang", "en"},
	} {
		var out, errs bytes.Buffer
		exit := run(t.Context(), append(source, "-out", in(name), "-anchors", in("ca.pem")), &out, &errs)
		require.Zero(t, exit, errs.String())
		require.Contains(t, out.String(), "luigi@beta-pec.example           delivered")
		require.Contains(t, out.String(), "Spett.le Beta PEC S.p.A.")
		file, err := os.Open(in(name))
		require.NoError(t, err)
		defer file.Close()
		info, err := file.Stat()
		require.NoError(t, err)
		report, err := dossier.Verify(t.Context(), file, info.Size(), anchors, nil)
		require.NoError(t, err)
		require.Equal(t, name == "folder.zip", report.Elsewhere)
		require.Equal(t, name == "store.zip", report.Original != nil)
	}
	left, err := filepath.Glob(in(".dossier-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestExitStatus(t *testing.T) {
	dir, _ := fill(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	for name, c := range map[string]struct {
		exit int
		args []string
	}{
		"no flag":           {2, nil},
		"no file":           {2, []string{"-store", in("pec.db"), "-key", "k"}},
		"no key":            {2, []string{"-store", in("pec.db"), "-out", in("x.zip")}},
		"both":              {2, []string{"-store", in("pec.db"), "-key", "k", "-folder", dir, "-out", in("x.zip")}},
		"a language":        {2, []string{"-folder", dir, "-out", in("x.zip"), "-lang", "fr"}},
		"no such store":     {2, []string{"-store", in("none.db"), "-key", "k", "-out", in("x.zip")}},
		"no such folder":    {2, []string{"-folder", in("none"), "-out", in("x.zip")}},
		"no such key":       {1, []string{"-store", in("pec.db"), "-key", "k", "-out", in("x.zip")}},
		"nothing is proven": {1, []string{"-folder", in("saved"), "-out", in("x.zip")}},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			require.Equal(t, c.exit, run(t.Context(), c.args, &out, &errs), errs.String())
			require.NotEmpty(t, errs.String())
			require.NoFileExists(t, in("x.zip"))
			require.NoFileExists(t, in("none.db"))
		})
	}
}

package dossier_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/dossier"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/smtpclient"
)

const (
	mario = "mario@alfa-pec.example"
	luigi = "luigi@beta-pec.example"
	bruna = "bruna@beta-pec.example"
)

// newClient makes the client of a network's first account.
func newClient(t *testing.T, n *pectest.Network) *pec.Client {
	t.Helper()
	account := n.Accounts()[0]
	provider, trust := n.ProviderOf(account.Address), trusttest.TLS(n)
	login := pec.Password(account.Login, account.Password)
	submitter, err := smtpclient.New(provider.SMTPAddr(), login, &smtpclient.Options{TLS: trust})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, submitter.Close()) })
	mailbox, err := imapclient.New(provider.IMAPAddr(), login, &imapclient.Options{TLS: trust})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mailbox.Close()) })
	verifier := trusttest.Verifier(t, n, &envelope.VerifierOptions{Now: n.Now})
	client, err := pec.New(account.Address, submitter, mailbox, verifier, &pec.Options{Now: n.Now})
	require.NoError(t, err)
	return client
}

// send sends a message, reads the notices that come back at once, and returns the
// Message-ID.
func send(t *testing.T, n *pectest.Network, c *pec.Client, m pec.Message) string {
	t.Helper()
	id, err := c.Send(t.Context(), m)
	require.NoError(t, err)
	read(t, n, c)
	return id
}

// read waits until the network has nothing left to do, and has the client read its mailbox.
func read(t *testing.T, n *pectest.Network, c *pec.Client) {
	t.Helper()
	require.NoError(t, n.Idle(t.Context()))
	for _, err := range c.Sync(t.Context()) {
		require.NoError(t, err)
	}
}

// write writes the dossier of a source under the anchors and the clock of the network.
func write(t *testing.T, n *pectest.Network, s dossier.Source, opts *dossier.Options) ([]byte, *dossier.Report) {
	t.Helper()
	if opts == nil {
		opts = &dossier.Options{}
	}
	opts.Now = n.Now
	var b bytes.Buffer
	report, err := dossier.Write(t.Context(), &b, s, trusttest.Anchors(n), opts)
	require.NoError(t, err)
	return b.Bytes(), report
}

// verify verifies a dossier under the anchors and the clock of the network.
func verify(t *testing.T, n *pectest.Network, zipped []byte) (*dossier.Report, error) {
	t.Helper()
	return dossier.Verify(t.Context(), bytes.NewReader(zipped), int64(len(zipped)), trusttest.Anchors(n), &dossier.VerifyOptions{Now: n.Now})
}

// reason requires a *dossier.Error and returns it.
func reason(t *testing.T, err error) *dossier.Error {
	t.Helper()
	e, ok := errors.AsType[*dossier.Error](err)
	require.True(t, ok, "%v", err)
	return e
}

// section returns bytes as a section reader.
func section(b []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))
}

// folder returns a folder with a file. more are further files: name and content in turn.
func folder(name string, content []byte, more ...any) fstest.MapFS {
	f := fstest.MapFS{name: &fstest.MapFile{Data: content}}
	for i := 0; i < len(more); i += 2 {
		f[more[i].(string)] = &fstest.MapFile{Data: more[i+1].([]byte)}
	}
	return f
}

// unzip returns the files of a dossier, as archive/zip reads them.
func unzip(t *testing.T, b []byte) map[string][]byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	files := map[string][]byte{}
	for _, f := range r.File {
		content, err := f.Open()
		require.NoError(t, err)
		files[f.Name], err = io.ReadAll(content)
		require.NoError(t, err)
	}
	return files
}

// received writes the dossier of a PEC that luigi received.
func received(t *testing.T, n *pectest.Network) ([]byte, *dossier.Report) {
	t.Helper()
	c := newClient(t, n)
	send(t, n, c, pec.Message{To: []string{luigi}, Subject: "Offerta", Attachments: []pec.Attachment{{Name: "offerta.pdf", Content: bytes.NewReader([]byte("%PDF"))}}})
	messages, err := n.ProviderOf(luigi).Messages(luigi, pectest.InboxFolder)
	require.NoError(t, err)
	return write(t, n, dossier.FromEnvelope(section(messages[len(messages)-1])), nil)
}

// saved returns the files that somebody saved of a message that another program sent: the
// original (sent), the acceptance, and a delivery receipt that carries delivered.
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

// asFolder returns a source that reads the files.
func asFolder(files map[string][]byte) dossier.Source {
	f := folder("", nil)
	delete(f, "")
	for name, content := range files {
		maps.Copy(f, folder(name, content))
	}
	return dossier.FromFolder(f, "")
}

// original is a message from mario to luigi.
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

// genuine returns genuine messages of the corpus as a folder.
func genuine(t testing.TB, names ...string) fs.FS {
	t.Helper()
	folder := fstest.MapFS{}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(testenv.Corpus(t, "genuine"), name))
		require.NoError(t, err)
		folder[name] = &fstest.MapFile{Data: b}
	}
	return folder
}

// genuineDossier writes the dossier of the acceptance and the delivery of a message of 2018.
// The national CA issued the signers' certificates.
func genuineDossier(t testing.TB) ([]byte, *dossier.Report) {
	t.Helper()
	var b bytes.Buffer
	folder := genuine(t, "aruba-2018-acceptance.eml", "aruba-2018-delivery.eml")
	report, err := dossier.Write(context.Background(), &b, dossier.FromFolder(folder, ""), envelope.BuiltinAnchors(), nil)
	require.NoError(t, err)
	return b.Bytes(), report
}

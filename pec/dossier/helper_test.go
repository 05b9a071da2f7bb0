package dossier_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/imapclient"
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

func anchors(n *pectest.Network) []envelope.Anchor {
	return []envelope.Anchor{envelope.AnchorFromCertificate(n.SigningCA())}
}

// newClient makes the client of a network's first account.
func newClient(t *testing.T, n *pectest.Network) *pec.Client {
	t.Helper()
	account := n.Accounts()[0]
	provider, trust := n.ProviderOf(account.Address), &tls.Config{RootCAs: n.TLSRoots()}
	login := pec.Password(account.Login, account.Password)
	submitter, err := smtpclient.New(provider.SMTPAddr(), login, &smtpclient.Options{TLS: trust})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, submitter.Close()) })
	mailbox, err := imapclient.New(provider.IMAPAddr(), login, &imapclient.Options{TLS: trust})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mailbox.Close()) })
	verifier, err := envelope.NewVerifier(anchors(n), &envelope.VerifierOptions{Now: n.Now})
	require.NoError(t, err)
	client, err := pec.New(account.Address, submitter, mailbox, verifier, &pec.Options{Now: n.Now})
	require.NoError(t, err)
	return client
}

// send sends a message and reads all that comes back at once.
func send(t *testing.T, n *pectest.Network, c *pec.Client, m pec.Message) string {
	t.Helper()
	id, err := c.Send(t.Context(), m)
	require.NoError(t, err)
	read(t, n, c)
	return id
}

func read(t *testing.T, n *pectest.Network, c *pec.Client) {
	t.Helper()
	require.NoError(t, n.Idle(t.Context()))
	for _, err := range c.Sync(t.Context()) {
		require.NoError(t, err)
	}
}

func write(t *testing.T, n *pectest.Network, s dossier.Source, opts *dossier.Options) ([]byte, *dossier.Report) {
	t.Helper()
	if opts == nil {
		opts = &dossier.Options{}
	}
	opts.Now = n.Now
	var b bytes.Buffer
	report, err := dossier.Write(t.Context(), &b, s, anchors(n), opts)
	require.NoError(t, err)
	return b.Bytes(), report
}

func verify(t *testing.T, n *pectest.Network, zip []byte) (*dossier.Report, error) {
	t.Helper()
	return dossier.Verify(t.Context(), bytes.NewReader(zip), int64(len(zip)), anchors(n), &dossier.VerifyOptions{Now: n.Now})
}

func reason(t *testing.T, err error) *dossier.Error {
	t.Helper()
	e, ok := errors.AsType[*dossier.Error](err)
	require.True(t, ok, "%v", err)
	return e
}

func section(b []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))
}

// folder is one with a file, and more of them by name and content.
func folder(name string, content []byte, more ...any) fstest.MapFS {
	f := fstest.MapFS{name: &fstest.MapFile{Data: content}}
	for i := 0; i < len(more); i += 2 {
		f[more[i].(string)] = &fstest.MapFile{Data: more[i+1].([]byte)}
	}
	return f
}

package envelope_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/vectors"
	"github.com/gopec/gopec/pec/pectest"
)

// delivery returns a genuine delivery receipt of the second provider.
func delivery(t *testing.T, n *pectest.Network) []byte {
	t.Helper()
	raw, err := n.Providers()[1].Emit(pectest.Notice{
		Kind:       pectest.KindDelivery,
		Sender:     "mario@alfa-pec.example",
		Recipients: []pectest.Recipient{{Address: "luigi@beta-pec.example"}},
		Subject:    "Fattura 12/2026",
		CertID:     "p1@alfa-pec.example",
		MessageID:  "<m1@alfa-pec.example>",
		Delivered:  "luigi@beta-pec.example",
		Original:   []byte("From: mario@alfa-pec.example\r\nSubject: Fattura 12/2026\r\n\r\nIn allegato.\r\n"),
	})
	require.NoError(t, err)
	return raw
}

// refusal returns the code with which raw is refused.
func refusal(t *testing.T, raw []byte, v *envelope.Verifier) envelope.Code {
	t.Helper()
	return refused(t, raw, v).Code
}

func refused(t *testing.T, raw []byte, v *envelope.Verifier) *envelope.VerifyError {
	t.Helper()
	m, err := envelope.Open(context.Background(), bytes.NewReader(raw), v)
	require.Nil(t, m, "a message that must be refused was accepted")
	ve, ok := errors.AsType[*envelope.VerifyError](err)
	require.True(t, ok, "%v", err)
	require.Error(t, ve.Err)
	return ve
}

func accepted(t *testing.T, raw []byte, v *envelope.Verifier) *envelope.Message {
	t.Helper()
	m, err := envelope.Open(context.Background(), bytes.NewReader(raw), v)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

// authority is a CA with one provider's certificate, whose keys the test holds. It signs
// what a network of package pectest would not.
type authority struct {
	t       testing.TB
	cert    *x509.Certificate
	key     *rsa.PrivateKey
	leaf    *x509.Certificate
	leafKey *rsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t}
	var err error
	a.key, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	a.leafKey, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	now := time.Now()
	a.cert = a.issue(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"},
		NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		SubjectKeyId: []byte{1},
	}, nil, &a.key.PublicKey)
	a.leaf = a.issue(&x509.Certificate{
		SerialNumber: big.NewInt(77), Subject: pkix.Name{CommonName: "Posta Certificata"},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		EmailAddresses: []string{"posta-certificata@pec.example"},
	}, a.cert, &a.leafKey.PublicKey)
	return a
}

func (a *authority) issue(template, issuer *x509.Certificate, key *rsa.PublicKey) *x509.Certificate {
	a.t.Helper()
	if issuer == nil {
		issuer = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key, a.key)
	require.NoError(a.t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(a.t, err)
	return cert
}

// anchor returns the CA as an anchor.
func (a *authority) anchor() envelope.Anchor { return envelope.AnchorFromCertificate(a.cert) }

func (a *authority) verifier(opts *envelope.VerifierOptions) *envelope.Verifier {
	a.t.Helper()
	v, err := envelope.NewVerifier([]envelope.Anchor{a.anchor()}, opts)
	require.NoError(a.t, err)
	return v
}

// deliveryOf returns a delivery receipt with the given original, signed now.
func (a *authority) deliveryOf(original string) []byte {
	a.t.Helper()
	var part bytes.Buffer
	part.WriteString("Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/plain\r\n\r\nRicevuta\r\n" +
		"--m\r\nContent-Type: application/xml; name=\"daticert.xml\"\r\n\r\n" + certData("avvenuta-consegna", "") + "\r\n")
	if original != "" {
		part.WriteString("--m\r\nContent-Type: message/rfc822; name=\"postacert.eml\"\r\n\r\n")
		part.WriteString(original)
		part.WriteString("\r\n")
	}
	part.WriteString("--m--\r\n")
	return a.sign(part.Bytes())
}

// certData returns a daticert.xml about one message, as of now. The element dati ends
// with more.
func certData(token, more string) string {
	now := time.Now()
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><postacert tipo="%s" errore="nessuno"><intestazione>`+
		`<mittente>mario@pec.example</mittente><destinatari tipo="certificato">luigi@pec.example</destinatari>`+
		`<risposte>mario@pec.example</risposte><oggetto>Prova</oggetto></intestazione><dati>`+
		`<gestore-emittente>Test</gestore-emittente><data zona="%s"><giorno>%s</giorno><ora>%s</ora></data>`+
		`<identificativo>p1@pec.example</identificativo><msgid>&lt;m1@pec.example&gt;</msgid>`+
		`<consegna>luigi@pec.example</consegna>%s</dati></postacert>`,
		token, now.Format("-0700"), now.Format("02/01/2006"), now.Format("15:04:05"), more)
}

// sign returns a message with a part that the provider has signed.
func (a *authority) sign(part []byte) []byte {
	a.t.Helper()
	sd, err := pkcs7.NewSignedData(part)
	require.NoError(a.t, err)
	sd.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	require.NoError(a.t, sd.AddSigner(a.leaf, a.leafKey, pkcs7.SignerInfoConfig{}))
	sd.Detach()
	p7s, err := sd.Finish()
	require.NoError(a.t, err)
	var out bytes.Buffer
	out.WriteString("From: posta-certificata@pec.example\r\nX-Ricevuta: avvenuta-consegna\r\n" +
		"X-Riferimento-Message-ID: <m1@pec.example>\r\n" +
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=s\r\n\r\n--s\r\n")
	out.Write(part)
	out.WriteString("\r\n--s\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	encoded := base64.StdEncoding.EncodeToString(p7s)
	for len(encoded) > 76 {
		out.WriteString(encoded[:76] + "\r\n")
		encoded = encoded[76:]
	}
	out.WriteString(encoded + "\r\n--s--\r\n")
	return out.Bytes()
}

// crl returns a revocation list of the CA that revokes another certificate, and the leaf
// at each of the given times.
func (a *authority) crl(issued time.Time, extensions []pkix.Extension, revoked ...time.Time) *x509.RevocationList {
	a.t.Helper()
	entries := []x509.RevocationListEntry{{SerialNumber: big.NewInt(5), RevocationTime: issued.AddDate(-1, 0, 0)}}
	for _, at := range revoked {
		entries = append(entries, a.crlEntry(at, 0))
	}
	return a.crlOf(issued, extensions, entries...)
}

// source returns a RevocationSource that always gives the same answer.
func source(err error, lists ...*x509.RevocationList) envelope.RevocationSource {
	return func(context.Context, *x509.Certificate, time.Time) ([]*x509.RevocationList, error) { return lists, err }
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func loadVectors(t testing.TB) []vectors.Vector {
	t.Helper()
	all, err := vectors.Load()
	require.NoError(t, err)
	require.Equal(t, vectors.Count, len(all))
	return all
}

func vectorVerifier(t testing.TB, v vectors.Vector) *envelope.Verifier {
	t.Helper()
	anchors, err := envelope.ParseAnchors(vectors.Anchors())
	require.NoError(t, err)
	opts := &envelope.VerifierOptions{AllowLegacy: v.Legacy, Now: func() time.Time { return v.Now }}
	if v.CRL != nil {
		list, err := x509.ParseRevocationList(v.CRL)
		require.NoError(t, err)
		opts.Revocation = source(nil, list)
	}
	verifier, err := envelope.NewVerifier(anchors, opts)
	require.NoError(t, err)
	return verifier
}

func replaceOnce(t *testing.T, raw []byte, old, new string) []byte {
	t.Helper()
	require.Equal(t, 1, bytes.Count(raw, []byte(old)), "%q in the message", old)
	return bytes.Replace(raw, []byte(old), []byte(new), 1)
}

// crlEntry returns an entry about the leaf.
func (a *authority) crlEntry(at time.Time, reason int, extensions ...pkix.Extension) x509.RevocationListEntry {
	return x509.RevocationListEntry{SerialNumber: a.leaf.SerialNumber, RevocationTime: at, ReasonCode: reason, ExtraExtensions: extensions}
}

// crlOf returns a revocation list of the CA with the given entries.
func (a *authority) crlOf(issued time.Time, extensions []pkix.Extension, entries ...x509.RevocationListEntry) *x509.RevocationList {
	a.t.Helper()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: issued, NextUpdate: issued.AddDate(0, 0, 1), ExtraExtensions: extensions, RevokedCertificateEntries: entries,
	}, a.cert, a.key)
	require.NoError(a.t, err)
	list, err := x509.ParseRevocationList(der)
	require.NoError(a.t, err)
	return list
}

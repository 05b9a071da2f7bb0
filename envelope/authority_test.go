package envelope_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
)

// authority is a CA of the test's own, with one provider's certificate, for what
// a network of providers does not let a test change.
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

// anchor trusts the CA.
func (a *authority) anchor() envelope.Anchor { return envelope.AnchorFromCertificate(a.cert) }

func (a *authority) verifier(opts *envelope.VerifierOptions) *envelope.Verifier {
	a.t.Helper()
	v, err := envelope.NewVerifier([]envelope.Anchor{a.anchor()}, opts)
	require.NoError(a.t, err)
	return v
}

// deliveryOf is a delivery receipt with the given original, signed now.
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

// certData is a daticert.xml about one message, as of now; more is put into dati.
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

// sign puts a part under the provider's signature.
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

func TestAuthorityMakesProvenMessages(t *testing.T) {
	a := newAuthority(t)
	m := accepted(t, a.deliveryOf(""), a.verifier(nil))
	require.Empty(t, m.Warnings)
	require.True(t, strings.HasSuffix(m.From, "@pec.example"))
}

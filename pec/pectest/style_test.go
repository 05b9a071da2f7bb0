package pectest_test

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec/pectest"
)

// deliveryIn emits a delivery notice in a style.
func deliveryIn(t *testing.T, n *pectest.Network, style pectest.Style) []byte {
	t.Helper()
	raw, err := n.ProviderOf(luigi).Emit(pectest.Notice{
		Kind: pectest.KindDelivery, Sender: mario, Recipients: []pectest.Recipient{{Address: luigi}}, Delivered: luigi,
		Subject: "Perché no", MessageID: "<a@x>", Original: []byte("Subject: x\r\n\r\nciao\r\n"), Style: &style,
		Header: []pectest.Field{{Name: "X-TipoRicevuta", Value: "completa"}},
	})
	require.NoError(t, err)
	return raw
}

// signature decodes smime.p7s with another library.
func signature(t *testing.T, raw []byte) ([]byte, *pkcs7.PKCS7) {
	t.Helper()
	_, last, ok := bytes.Cut(raw, []byte(`filename="smime.p7s"`))
	require.True(t, ok)
	encoded, _, _ := bytes.Cut(bytes.TrimSpace(last), []byte("\r\n\r\n--"))
	der, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(encoded), "\r\n", ""))
	require.NoError(t, err)
	p7, err := pkcs7.Parse(der)
	require.NoError(t, err)
	return der, p7
}

func TestStyles(t *testing.T) {
	testenv.Program(t, "openssl")
	n := pectest.Start(t, nil)
	for name, c := range map[string]struct {
		style    pectest.Style
		has, not []string
	}{
		"zero": {pectest.Style{}, []string{"micalg=sha-256;", `name="daticert.xml"`, "x-pkcs7-signature", "X-TipoRicevuta:", "quoted-printable"},
			[]string{"text/html", "avvertenze"}},
		"SHA-1":        {pectest.Style{SHA1: true}, []string{"micalg=sha1;"}, nil},
		"BER":          {pectest.Style{BER: true}, nil, nil},
		"SHA-1 in BER": {pectest.Style{SHA1: true, BER: true}, nil, nil},
		"micalg":       {pectest.Style{MicAlg: `"SHA1"`}, []string{`micalg="SHA1";`}, nil},
		"short type":   {pectest.Style{ShortType: true}, []string{`protocol="application/pkcs7-signature"`, "Content-Type: application/pkcs7-signature;"}, []string{"x-pkcs7"}},
		"HTML":         {pectest.Style{HTML: true}, []string{"multipart/alternative", "text/html", "Ricevuta di avvenuta consegna<br>"}, nil},
		"header case":  {pectest.Style{OddHeaderCase: true}, []string{"\r\nX-Tiporicevuta: completa\r\n", "\r\nX-Ricevuta: "}, []string{"X-TipoRicevuta"}},
		"own wording": {pectest.Style{OwnWording: true}, []string{"-- Ricevuta di avvenuta consegna del messaggio", "messaggio con Oggetto", "Identificativo del messaggio:"},
			[]string{"Identificativo messaggio:", "proveniente da"}},
		"folded ids":      {pectest.Style{FoldIDs: true}, []string{"\r\nX-Riferimento-Message-ID:", "-ID: \r\n <", "\r\nMessage-ID: \r\n <"}, nil},
		"extra part":      {pectest.Style{ExtraPart: true}, []string{`name="avvertenze.txt"`}, nil},
		"InfoCert":        {pectest.Style{Engine: pectest.EngineInfoCert}, []string{"application/xml; charset=UTF-8; name=daticert.xml", "\r\nX-CrmlId: ", "(CET)\r\n", "From: Posta Certificata <posta", "e' stato consegnato", "This is a message", "\r\n  <ricevuta tipo=\"completa\"></ricevuta>\r\n"}, []string{"quoted-printable"}},
		"original first":  {pectest.Style{OriginalFirst: true}, nil, nil},
		"without subject": {pectest.Style{NoSubject: true}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			raw := deliveryIn(t, n, c.style)
			out, err := openssl(t, n, raw)
			require.NoError(t, err, out)
			for _, s := range c.has {
				if s == "(CET)\r\n" && n.Now().Format("-0700") == "+0200" {
					s = "(CEST)\r\n"
				}
				require.Contains(t, string(raw), s)
			}
			for _, s := range c.not {
				require.NotContains(t, string(raw), s)
			}
			der, p7 := signature(t, raw)
			require.Equal(t, c.style.BER, der[1] == 0x80, "indefinite length")
			require.Equal(t, c.style.SHA1, p7.Signers[0].DigestAlgorithm.Algorithm.Equal(pkcs7.OIDDigestAlgorithmSHA1))
			require.Equal(t, c.style.OriginalFirst, bytes.Index(raw, []byte("postacert.eml")) < bytes.Index(raw, []byte("daticert.xml")))
			_, err = mail.ReadMessage(bytes.NewReader(raw))
			require.NoError(t, err)
			var data struct {
				Subject *string `xml:"intestazione>oggetto"`
			}
			require.NoError(t, xml.Unmarshal(certData(t, raw), &data))
			if c.style.NoSubject {
				require.Nil(t, data.Subject)
			} else {
				require.Equal(t, "Perché no", *data.Subject)
			}
		})
	}
}

// certData returns the daticert.xml in a message of either engine.
func certData(t *testing.T, raw []byte) []byte {
	t.Helper()
	_, rest, ok := bytes.Cut(raw, []byte("Content-Type: application/xml"))
	require.True(t, ok)
	_, rest, _ = bytes.Cut(rest, []byte("\r\n\r\n"))
	body, _, _ := bytes.Cut(rest, []byte("\r\n--"))
	if bytes.HasPrefix(body, []byte("<?xml")) {
		return body
	}
	data, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(body), "\r\n", ""))
	require.NoError(t, err)
	return data
}

func TestStyleOfAProvider(t *testing.T) {
	// A dispatch between providers of different styles: each understands the other.
	testenv.Program(t, "openssl")
	options := pair(pectest.ProviderOptions{Style: pectest.Style{SHA1: true, OriginalFirst: true, HTML: true}})
	options.Providers[1].Style = pectest.Style{Engine: pectest.EngineInfoCert, BER: true, ShortType: true}
	n := pectest.Start(t, options)
	submit(t, n, mario, []string{luigi}, plain("<a@x>", mario, luigi, "Subject: Perché"))
	all, err := n.ProviderOf(mario).Messages(mario, pectest.InboxFolder)
	require.NoError(t, err)
	require.Len(t, all, 2)
	for i, want := range []string{"X-Ricevuta: accettazione", "X-Ricevuta: avvenuta-consegna"} {
		require.Contains(t, string(all[i]), want)
		out, err := openssl(t, n, all[i])
		require.NoError(t, err, out)
	}
	require.Contains(t, string(all[0]), "micalg=sha1")
	require.Contains(t, string(all[1]), "X-CrmlId")
}

func TestCertificateVariants(t *testing.T) {
	testenv.Program(t, "openssl")
	n := pectest.Start(t, nil)
	for variant, want := range map[pectest.Certificate]string{
		pectest.CertificateGood:         "",
		pectest.CertificateExpired:      "certificate has expired",
		pectest.CertificateOtherAddress: "",
		pectest.CertificateForeignCA:    "certificate verify error",
	} {
		raw := deliveryIn(t, n, pectest.Style{Certificate: variant})
		require.Equal(t, raw != nil, bytes.Contains(raw, []byte("From: posta-certificata@beta-pec.example")))
		out, err := openssl(t, n, raw)
		require.Equal(t, want != "", err != nil, out)
		require.Contains(t, out, want)
		_, p7 := signature(t, raw)
		leaf := p7.GetOnlySigner()
		address := "posta-certificata@beta-pec.example"
		if variant == pectest.CertificateOtherAddress {
			address = "posta-certificata@altro.example"
		}
		require.Equal(t, []string{address}, leaf.EmailAddresses)
		require.Equal(t, n.ProviderOf(luigi).Leaf().PublicKey, leaf.PublicKey)
	}
	_, err := n.Providers()[0].Emit(pectest.Notice{Style: &pectest.Style{Certificate: "99"}})
	require.Error(t, err)
}

func TestRevocation(t *testing.T) {
	testenv.Program(t, "openssl")
	n := pectest.Start(t, nil)
	raw := deliveryIn(t, n, pectest.Style{})
	check := func() (string, error) {
		der, err := n.CRL()
		require.NoError(t, err)
		list, err := x509.ParseRevocationList(der)
		require.NoError(t, err)
		require.NoError(t, list.CheckSignatureFrom(n.SigningCA()))
		dir := t.TempDir()
		file, crl, ca := filepath.Join(dir, "m.eml"), filepath.Join(dir, "crl.pem"), filepath.Join(dir, "ca.pem")
		require.NoError(t, os.WriteFile(file, raw, 0o600))
		require.NoError(t, os.WriteFile(ca, append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: n.SigningCA().Raw}),
			pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})...), 0o600))
		require.NoError(t, os.WriteFile(crl, nil, 0o600))
		out, err := exec.Command("openssl", "cms", "-verify", "-inform", "SMIME", "-crl_check", "-in", file, "-CAfile", ca, "-out", os.DevNull).CombinedOutput()
		return string(out), err
	}
	out, err := check()
	require.NoError(t, err, out)
	n.Revoke(n.ProviderOf(luigi).Leaf(), n.Now().Add(-time.Minute))
	out, err = check()
	require.Error(t, err)
	require.Contains(t, out, "revoked")
}

func TestMalformations(t *testing.T) {
	testenv.Program(t, "openssl")
	n := pectest.Start(t, nil)
	count := func(raw []byte, s string) int { return bytes.Count(raw, []byte(s)) }
	for m, c := range map[pectest.Malformed]struct {
		verifies bool // by openssl: the fault is elsewhere
		holds    func(raw []byte) bool
	}{
		pectest.MalformedChanged:   {false, func(raw []byte) bool { return count(raw, "Identificativo Messaggio") == 1 }},
		pectest.MalformedRewrapped: {false, func(raw []byte) bool { return count(raw, `filename="daticert.xml"`) == 1 }},
		pectest.MalformedTruncated: {false, func(raw []byte) bool { return count(raw, `filename="smime.p7s"`) == 1 }},
		pectest.MalformedUnsigned:  {false, func(raw []byte) bool { return count(raw, "multipart/signed") == 0 }},
		pectest.MalformedNoData:    {true, func(raw []byte) bool { return count(raw, `filename="daticert.xml"`) == 0 }},
		pectest.MalformedTwoData:   {true, func(raw []byte) bool { return count(raw, `filename="daticert.xml"`) == 2 }},
		pectest.MalformedData:      {true, func(raw []byte) bool { return xml.Unmarshal(certData(t, raw), new(struct{})) != nil }},
		pectest.MalformedKind:      {true, func(raw []byte) bool { return count(raw, "X-Ricevuta: accettazione\r\n") == 1 }},
		pectest.MalformedReference: {true, func(raw []byte) bool {
			return count(raw, "X-Riferimento-Message-ID: <altro@altrove.example>\r\n") == 1
		}},
		pectest.MalformedLF: {true, func(raw []byte) bool { return count(raw, "\r") == 0 }},
	} {
		raw := deliveryIn(t, n, pectest.Style{Malformed: m})
		out, err := openssl(t, n, raw)
		require.Equal(t, c.verifies, err == nil, "%s: %s", m, out)
		require.True(t, c.holds(raw), "%s: %s", m, raw)
		require.False(t, c.holds(deliveryIn(t, n, pectest.Style{})) && m != pectest.MalformedRewrapped && m != pectest.MalformedTruncated, m)
	}
}

func TestRouteInAnotherStyle(t *testing.T) {
	// A malformed notice reaches the mailbox beside the correct one.
	n := pectest.Start(t, nil)
	defer n.Route(only(pectest.KindDelivery, pectest.Posting{Style: &pectest.Style{Malformed: pectest.MalformedUnsigned}}, pectest.Posting{}))()
	submit(t, n, mario, []string{luigi}, plain("<a@x>", mario, luigi))
	all, err := n.ProviderOf(mario).Messages(mario, pectest.InboxFolder)
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.NotContains(t, string(all[1]), "multipart/signed")
	require.Contains(t, string(all[1]), "X-Ricevuta: avvenuta-consegna")
	require.Contains(t, string(all[2]), "multipart/signed")

	// With a wrong certificate the other provider treats it as ordinary mail.
	options := pair(pectest.ProviderOptions{})
	options.Providers[1].Style.Certificate = pectest.CertificateExpired
	n = pectest.Start(t, options)
	submit(t, n, mario, []string{luigi}, plain("<a@x>", mario, luigi))
	all, err = n.ProviderOf(mario).Messages(mario, pectest.InboxFolder)
	require.NoError(t, err)
	require.Contains(t, string(all[1]), "X-Trasporto: errore")
}

func TestSigningTime(t *testing.T) {
	signed := func(o pectest.Options) (signing, network time.Time) {
		n := pectest.Start(t, &o)
		n.Advance(12 * time.Hour)
		_, p7 := signature(t, deliveryIn(t, n, pectest.Style{}))
		require.NoError(t, p7.UnmarshalSignedAttribute(pkcs7.OIDAttributeSigningTime, &signing))
		return signing, n.Now()
	}
	signing, network := signed(pectest.Options{Start: time.Now().AddDate(0, 0, -30)})
	require.WithinDuration(t, network, signing, time.Minute)
	require.WithinDuration(t, time.Now().AddDate(0, 0, -30).Add(12*time.Hour), network, time.Hour+time.Minute)
	signing, _ = signed(pectest.Options{MachineSigningTime: true})
	require.WithinDuration(t, time.Now(), signing, time.Minute)
}

package cms

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/floor"
)

// BenchmarkVerify measures reading and verifying a signature, as a multiple of the floor
// measured in the same run: one hash of the content, one of the attributes and one RSA-2048
// verification. Another library does the same work on the same bytes.
func BenchmarkVerify(b *testing.B) {
	der := signed(b)
	sig, err := Parse(der, x509.ParseCertificate)
	require.NoError(b, err)
	key := sig.Certificate.PublicKey.(*rsa.PublicKey)
	attributes := append([]byte{0x31}, sig.attributes[1:]...)
	hash := func() []byte {
		digest := sha256.Sum256(content)
		return digest[:]
	}
	least := func() {
		hash()
		digest := sha256.Sum256(attributes)
		if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], sig.value) != nil {
			b.Fatal("not verified")
		}
	}
	for name, work := range map[string]func() bool{
		"ours": func() bool {
			sig, err := Parse(der, x509.ParseCertificate)
			return err == nil && sig.MatchesDigest(hash()) && sig.Verify() == nil
		},
		"digitorus": func() bool {
			p7, err := pkcs7.Parse(der)
			if err != nil {
				return false
			}
			p7.Content = content
			return p7.Verify() == nil
		},
	} {
		b.Run(name, func(b *testing.B) {
			require.True(b, work())
			floor.Compare(b, least, func() { work() })
		})
	}
}

// signed returns a detached signature over content, with the certificates of the signer and
// of a CA, as providers write it.
func signed(b *testing.B) []byte {
	b.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(b, err)
	certificate := func(serial int64) *x509.Certificate {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		require.NoError(b, err)
		cert, err := x509.ParseCertificate(der)
		require.NoError(b, err)
		return cert
	}
	sd, err := pkcs7.NewSignedData(content)
	require.NoError(b, err)
	sd.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	require.NoError(b, sd.AddSigner(certificate(1), key, pkcs7.SignerInfoConfig{}))
	sd.AddCertificate(certificate(2))
	sd.Detach()
	der, err := sd.Finish()
	require.NoError(b, err)
	return der
}

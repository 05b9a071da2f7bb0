package cms

import (
	"crypto"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/digitorus/pkcs7"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
)

// openssl signs content with a certificate made for the test, in a folder.
type openssl struct {
	t    *testing.T
	dir  string
	path string
}

func newOpenSSL(t *testing.T, keyArgs ...string) *openssl {
	o := &openssl{t: t, dir: t.TempDir(), path: testenv.Program(t, "openssl")}
	require.NoError(t, os.WriteFile(filepath.Join(o.dir, "content"), content, 0o600))
	o.run(append([]string{"req", "-x509", "-nodes", "-subj", "/CN=test", "-days", "30", "-keyout", "key", "-out", "cert"}, keyArgs...)...)
	return o
}

func (o *openssl) run(args ...string) {
	o.t.Helper()
	cmd := exec.Command(o.path, args...)
	cmd.Dir = o.dir
	out, err := cmd.CombinedOutput()
	require.NoError(o.t, err, "%s", out)
}

func (o *openssl) sign(args ...string) []byte {
	o.t.Helper()
	o.run(append([]string{"cms", "-sign", "-binary", "-in", "content", "-signer", "cert", "-inkey", "key", "-outform", "DER", "-out", "p7s"}, args...)...)
	b, err := os.ReadFile(filepath.Join(o.dir, "p7s"))
	require.NoError(o.t, err)
	return b
}

// sum returns the digest of content.
func sum(h crypto.Hash) []byte {
	hash := h.New()
	hash.Write(content)
	return hash.Sum(nil)
}

func TestSignaturesOfOpenSSL(t *testing.T) {
	rsaSigner := newOpenSSL(t, "-newkey", "rsa:2048")
	ecSigner := newOpenSSL(t, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
	for name, c := range map[string]struct {
		from *openssl
		args []string
		hash crypto.Hash
	}{
		"RSA, SHA-256":      {rsaSigner, []string{"-md", "sha256"}, crypto.SHA256},
		"RSA, SHA-384":      {rsaSigner, []string{"-md", "sha384"}, crypto.SHA384},
		"RSA, SHA-512":      {rsaSigner, []string{"-md", "sha512"}, crypto.SHA512},
		"RSA, SHA-1":        {rsaSigner, []string{"-md", "sha1"}, crypto.SHA1},
		"PSS":               {rsaSigner, []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss"}, crypto.SHA256},
		"PSS, salt of 20":   {rsaSigner, []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:20"}, crypto.SHA256},
		"key identifier":    {rsaSigner, []string{"-md", "sha256", "-keyid"}, crypto.SHA256},
		"CAdES":             {rsaSigner, []string{"-md", "sha256", "-cades"}, crypto.SHA256},
		"ECDSA, SHA-256":    {ecSigner, []string{"-md", "sha256"}, crypto.SHA256},
		"ECDSA, SHA-512":    {ecSigner, []string{"-md", "sha512"}, crypto.SHA512},
		"other certificate": {rsaSigner, []string{"-md", "sha256", "-certfile", filepath.Join(ecSigner.dir, "cert")}, crypto.SHA256},
	} {
		t.Run(name, func(t *testing.T) {
			sig, err := Parse(c.from.sign(c.args...), x509.ParseCertificate)
			require.NoError(t, err)
			require.Equal(t, c.hash, sig.Digest)
			require.Equal(t, "test", sig.Certificate.Subject.CommonName)
			require.False(t, sig.SigningTime.IsZero())
			require.True(t, sig.MatchesDigest(sum(c.hash)))
			require.NoError(t, sig.Verify())

			require.False(t, sig.MatchesDigest(make([]byte, c.hash.Size())))
			sig.value = append([]byte(nil), sig.value...)
			sig.value[len(sig.value)-1] ^= 1
			requireReason(t, BadSignature, sig.Verify())
		})
	}
}

func TestOpenSSLVariantsThatAreRefused(t *testing.T) {
	o, other := newOpenSSL(t, "-newkey", "rsa:2048"), newOpenSSL(t, "-newkey", "rsa:2048")
	otherCert, otherKey := filepath.Join(other.dir, "cert"), filepath.Join(other.dir, "key")
	for name, c := range map[string]struct {
		args []string
		want Reason
	}{
		"no signed attributes":   {[]string{"-md", "sha256", "-noattr"}, Attributes},
		"no certificate":         {[]string{"-md", "sha256", "-nocerts"}, NoSignerCertificate},
		"two signers":            {[]string{"-md", "sha256", "-signer", otherCert, "-inkey", otherKey}, SignerCount},
		"content inside":         {[]string{"-md", "sha256", "-nodetach"}, BadCMS},
		"content inside, in BER": {[]string{"-md", "sha256", "-nodetach", "-stream", "-indef"}, BadCMS},
		"MD5":                    {[]string{"-md", "md5"}, WeakAlgorithm},
		"SHA-224":                {[]string{"-md", "sha224"}, WeakAlgorithm},
		"other content type":     {[]string{"-md", "sha256", "-econtent_type", "1.2.3.4"}, BadCMS},
		"PSS without salt":       {[]string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:0"}, WeakAlgorithm},
		"PSS of two hashes":      {[]string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_mgf1_md:sha1"}, WeakAlgorithm},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(o.sign(c.args...), x509.ParseCertificate)
			requireReason(t, c.want, err)
		})
	}
}

// Turning a name into text takes time quadratic in its length, and anybody can make a
// certificate.
func TestCertificateWithAHugeNameIsRefused(t *testing.T) {
	subject := strings.Repeat("/OU="+strings.Repeat("x", 60), 100)
	o := newOpenSSL(t, "-newkey", "rsa:2048", "-subj", subject)
	_, err := Parse(o.sign("-md", "sha256"), x509.ParseCertificate)
	requireReason(t, TooLarge, err)
}

func TestIndefiniteLengths(t *testing.T) {
	der := newOpenSSL(t, "-newkey", "rsa:2048").sign("-md", "sha256")
	require.Equal(t, []byte{0x30, 0x82}, der[:2])
	ber := slices.Concat([]byte{0x30, 0x80}, der[4:], []byte{0, 0})
	sig, err := Parse(ber, x509.ParseCertificate)
	require.NoError(t, err)
	require.True(t, sig.BER)
	require.True(t, sig.MatchesDigest(sum(crypto.SHA256)))
	require.NoError(t, sig.Verify())
}

// A signature with one bit changed fails, or says the same as the genuine one: the change
// is in a place that nobody reads. A library that shares no code with this package gives
// nearly always the same verdict.
func TestMutantsSayTheSameOrFail(t *testing.T) {
	der := newOpenSSL(t, "-newkey", "rsa:2048").sign("-md", "sha256")
	genuine, err := Parse(der, x509.ParseCertificate)
	require.NoError(t, err)
	verified, agreed := 0, 0
	for i := range der {
		mutant := slices.Clone(der)
		mutant[i] ^= 0x01
		sig, err := Parse(mutant, x509.ParseCertificate)
		ours := err == nil && sig.MatchesDigest(sum(sig.Digest)) && sig.Verify() == nil
		if ours {
			verified++
			// The rest of the certificate is protected by its issuer's signature.
			require.Equal(t, genuine.Certificate.PublicKey, sig.Certificate.PublicKey, "byte %d", i)
			require.Equal(t, genuine.attributes, sig.attributes, "byte %d", i)
		}
		p7, err := pkcs7.Parse(mutant)
		theirs := err == nil
		if theirs {
			p7.Content = content
			theirs = p7.Verify() == nil
		}
		if ours == theirs {
			agreed++
		}
	}
	require.Positive(t, verified)
	require.Greater(t, agreed, len(der)*95/100)
	t.Logf("%d of %d mutants verify, the other library agrees on %d", verified, len(der), agreed)
}

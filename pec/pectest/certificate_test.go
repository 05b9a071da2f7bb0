package pectest_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

func TestCertificateProfile(t *testing.T) {
	n := pectest.Start(t, nil)
	ca := n.SigningCA()
	require.Equal(t, "PEC test CA", ca.Subject.CommonName)
	require.True(t, ca.IsCA)
	for _, p := range n.Providers() {
		leaf := p.Leaf()
		require.NoError(t, leaf.CheckSignatureFrom(ca))
		require.Equal(t, x509.SHA256WithRSA, leaf.SignatureAlgorithm)
		require.Equal(t, 2048, leaf.PublicKey.(*rsa.PublicKey).N.BitLen())
		require.Equal(t, []string{"posta-certificata@" + p.Domain()}, leaf.EmailAddresses)
		require.Equal(t, []string{p.Name()}, leaf.Subject.Organization)
		require.Equal(t, x509.KeyUsageDigitalSignature, leaf.KeyUsage)
		require.Equal(t, []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, leaf.ExtKeyUsage)
		require.Len(t, leaf.Policies, 1)
		require.Equal(t, "1.3.76.16.3.1.1", leaf.Policies[0].String())
		require.Equal(t, ca.SubjectKeyId, leaf.AuthorityKeyId)
		require.NotEmpty(t, leaf.SubjectKeyId)
		require.False(t, leaf.BasicConstraintsValid)
		require.Equal(t, leaf.NotBefore.AddDate(3, 0, 0), leaf.NotAfter)
		require.WithinDuration(t, time.Now().Add(-time.Hour), leaf.NotBefore, time.Minute)
		critical := map[string]bool{}
		for _, e := range leaf.Extensions {
			critical[e.Id.String()] = e.Critical
		}
		require.Equal(t, map[string]bool{
			"2.5.29.15": true, "2.5.29.37": false, "2.5.29.14": false, "2.5.29.35": false, "2.5.29.17": false, "2.5.29.32": false,
		}, critical)
	}
	require.NotEqual(t, n.Providers()[0].Leaf().PublicKey, n.Providers()[1].Leaf().PublicKey)
	require.NotEqual(t, ca.PublicKey, pectest.Start(t, nil).SigningCA().PublicKey, "each network has its own CA key")
	require.Contains(t, string(n.TLSRootPEM()), "BEGIN CERTIFICATE")
	var raw asn1.RawValue
	_, err := asn1.Unmarshal(ca.Raw, &raw)
	require.NoError(t, err)
}

func TestNameConstraints(t *testing.T) {
	require.Empty(t, pectest.Start(t, nil).SigningCA().PermittedEmailAddresses)
	n := pectest.Start(t, &pectest.Options{NameConstraints: true})
	require.Equal(t, []string{"alfa-pec.example", "beta-pec.example"}, n.SigningCA().PermittedEmailAddresses)
	require.False(t, n.SigningCA().PermittedDNSDomainsCritical)
}

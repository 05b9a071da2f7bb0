package envelope_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
)

func publicKeyPEM(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestParseAnchors(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	raw := a.deliveryOf("")
	for name, pemBytes := range map[string][]byte{
		"certificate":            certificatePEM(a.cert.Raw),
		"public key":             publicKeyPEM(t, &a.key.PublicKey),
		"several, with comments": append(append([]byte("The CAs\n"), certificatePEM(other.cert.Raw)...), append([]byte("and\n"), publicKeyPEM(t, &a.key.PublicKey)...)...),
	} {
		t.Run(name, func(t *testing.T) {
			anchors, err := envelope.ParseAnchors(pemBytes)
			require.NoError(t, err)
			v, err := envelope.NewVerifier(anchors, nil)
			require.NoError(t, err)
			m := accepted(t, raw, v)
			require.Equal(t, anchors[len(anchors)-1].Name, m.Anchor)
			require.Equal(t, envelope.CodeUntrusted, refusal(t, newAuthority(t).deliveryOf(""), v))
		})
	}
	for name, pemBytes := range map[string][]byte{
		"a leaf":               certificatePEM(a.leaf.Raw),
		"damaged certificate":  certificatePEM(a.cert.Raw[:100]),
		"damaged key":          pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte{1}}),
		"a private key":        pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}),
		"one good and one bad": append(certificatePEM(a.cert.Raw), certificatePEM(a.leaf.Raw)...),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := envelope.ParseAnchors(pemBytes)
			require.Error(t, err)
		})
	}
}

func TestAnchorRestrictions(t *testing.T) {
	a := newAuthority(t)
	raw := a.deliveryOf("")
	for name, c := range map[string]struct {
		change func(*envelope.Anchor)
		want   envelope.Code
	}{
		"none":                {func(*envelope.Anchor) {}, ""},
		"its host":            {func(x *envelope.Anchor) { x.Hosts = []string{"other.example", "PEC.example"} }, ""},
		"another host":        {func(x *envelope.Anchor) { x.Hosts = []string{"example"} }, envelope.CodeUntrusted},
		"a host below":        {func(x *envelope.Anchor) { x.Hosts = []string{"a.pec.example"} }, envelope.CodeUntrusted},
		"no host at all":      {func(x *envelope.Anchor) { x.Hosts = []string{} }, envelope.CodeUntrusted},
		"a policy it lacks":   {func(x *envelope.Anchor) { x.Policy = asn1.ObjectIdentifier{1, 3, 76, 16, 3, 1, 1} }, envelope.CodeWrongUsage},
		"another issuer":      {func(x *envelope.Anchor) { x.Issuer = "CN=Other CA" }, envelope.CodeUntrusted},
		"whatever the issuer": {func(x *envelope.Anchor) { x.Issuer = "" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			anchor := a.anchor()
			c.change(&anchor)
			v, err := envelope.NewVerifier([]envelope.Anchor{anchor}, nil)
			require.NoError(t, err)
			if c.want == "" {
				accepted(t, raw, v)
				return
			}
			require.Equal(t, c.want, refusal(t, raw, v))
		})
	}
}

func TestAnchorKeysAreChecked(t *testing.T) {
	key, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	for _, bad := range []any{nil, key, "key", (*rsa.PublicKey)(nil), new(rsa.PublicKey), (*ecdsa.PublicKey)(nil), new(ecdsa.PublicKey)} {
		_, err := envelope.NewVerifier([]envelope.Anchor{{Name: "x", PublicKey: bad}}, nil)
		require.Error(t, err)
	}
	require.Len(t, envelope.BuiltinAnchors(), 2)
}

// The arguments of NewVerifier may be changed afterwards without effect.
func TestVerifierKeepsItsOwnAnchors(t *testing.T) {
	a := newAuthority(t)
	anchors := []envelope.Anchor{a.anchor()}
	anchors[0].Hosts = []string{"other.example"}
	v, err := envelope.NewVerifier(anchors, nil)
	require.NoError(t, err)
	anchors[0].Hosts[0] = "pec.example"
	require.Equal(t, envelope.CodeUntrusted, refusal(t, a.deliveryOf(""), v))
}

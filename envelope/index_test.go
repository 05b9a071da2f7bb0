package envelope_test

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec/pectest"
)

// directory returns a directory of a network's providers as it is in practice: with a
// folded value, values in base64, an option, and no empty line between the first entries.
func directory(n *pectest.Network, managed ...string) string {
	var b strings.Builder
	b.WriteString("version: 1\n# the providers\ndn: o=postacert\nobjectclass: top\n")
	for i, p := range n.Providers() {
		sum := sha1.Sum(p.Leaf().Raw)
		digest := strings.ToUpper(hex.EncodeToString(sum[:]))
		b.WriteString("dn: providerName=" + p.Name() + ",o=postacert\r\nproviderName: " + p.Name() + "\r\n" +
			"providerCertificateHash:\r\n " + digest[:10] + "\r\n " + digest[10:] + "\r\n" +
			"providerCertificate;binary:: " + base64.StdEncoding.EncodeToString(p.Leaf().Raw) + "\r\n" +
			"managedDomains:: " + base64.StdEncoding.EncodeToString([]byte(managed[i])) + "\r\n" +
			"managedDomains: More." + managed[i] + "\r\n\r\n")
	}
	return b.String()
}

func indexed(t *testing.T, n *pectest.Network, ldif string) *envelope.Verifier {
	t.Helper()
	x, err := envelope.ParseIndex(strings.NewReader(ldif))
	require.NoError(t, err)
	return trusttest.Verifier(t, n, &envelope.VerifierOptions{Index: x})
}

func TestIndexKnowsDomains(t *testing.T) {
	n := pectest.Start(t, nil)
	x, err := envelope.ParseIndex(strings.NewReader(directory(n, "alfa-pec.example", "beta-pec.example")))
	require.NoError(t, err)
	for domain, want := range map[string]bool{
		"alfa-pec.example": true, "BETA-PEC.example": true, "more.alfa-pec.example": true,
		"other.alfa-pec.example": false, "example": false, "": false,
	} {
		require.Equal(t, want, x.IsPEC(domain), domain)
	}
}

func TestIndexRestrictsProvidersToTheirDomains(t *testing.T) {
	n := pectest.Start(t, nil)
	right := indexed(t, n, directory(n, "alfa-pec.example", "beta-pec.example"))
	swapped := indexed(t, n, directory(n, "beta-pec.example", "alfa-pec.example"))
	for kind, want := range map[string]envelope.Code{
		pectest.KindAcceptance:  envelope.CodeUntrusted,
		pectest.KindTransport:   envelope.CodeUntrusted,
		pectest.KindNonDelivery: "", // either provider may say so
	} {
		raw, err := n.Providers()[0].Emit(pectest.Notice{
			Kind: kind, Sender: "mario@alfa-pec.example", Delivered: "luigi@beta-pec.example",
			Recipients: []pectest.Recipient{{Address: "luigi@beta-pec.example"}},
		})
		require.NoError(t, err)
		accepted(t, raw, right)
		if want == "" {
			accepted(t, raw, swapped)
			continue
		}
		require.Equal(t, want, refusal(t, raw, swapped), kind)
	}
	accepted(t, delivery(t, n), right)
	require.Equal(t, envelope.CodeUntrusted, refusal(t, delivery(t, n), swapped))
}

func TestSignerThatIsNotInTheIndexIsRefused(t *testing.T) {
	n, other := pectest.Start(t, nil), pectest.Start(t, nil)
	v := indexed(t, n, directory(other, "alfa-pec.example", "beta-pec.example"))
	require.Equal(t, envelope.CodeUntrusted, refusal(t, delivery(t, n), v))
}

func TestIndexThatCannotBeReadIsAnError(t *testing.T) {
	for _, bad := range []string{
		"", "dn: o=postacert\n", "providerCertificateHash: 00\n\ndn: x\nproviderName: P\nmanagedDomains: a.example\n", "managedDomains:: ###\n", "managedDomains: " + strings.Repeat("x", 2<<20),
		"managedDomains: x\n" + strings.Repeat(" "+strings.Repeat("x", 1000)+"\n", 2000),
	} {
		_, err := envelope.ParseIndex(strings.NewReader(bad))
		require.Error(t, err)
	}
}

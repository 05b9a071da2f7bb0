package envelope_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec/pectest"
)

// verifierFor trusts the signing CA of a network.
func verifierFor(t *testing.T, n *pectest.Network) *envelope.Verifier {
	t.Helper()
	v, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(n.SigningCA())}, nil)
	require.NoError(t, err)
	return v
}

// delivery is a genuine delivery receipt of the second provider.
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

// refusal is the code with which raw is refused.
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

func replaceOnce(t *testing.T, raw []byte, old, new string) []byte {
	t.Helper()
	require.Equal(t, 1, bytes.Count(raw, []byte(old)), "%q in the message", old)
	return bytes.Replace(raw, []byte(old), []byte(new), 1)
}

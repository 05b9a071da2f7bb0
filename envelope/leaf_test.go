package envelope_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/vectors"
)

// verdict returns all that Open reports about a message.
func verdict(t *testing.T, raw []byte, v *envelope.Verifier) (envelope.Findings, envelope.Code) {
	t.Helper()
	m, err := envelope.Open(t.Context(), bytes.NewReader(raw), v)
	if err == nil {
		defer m.Close()
		return m.Findings, ""
	}
	ve, ok := errors.AsType[*envelope.VerifyError](err)
	require.True(t, ok, "%v", err)
	return ve.Findings, ve.Code
}

// A verifier that has seen other messages gives the same verdicts as a new one. Each
// vector is verified several times, in random order and at different times.
func TestVerifierThatHasSeenMessagesJudgesAlike(t *testing.T) {
	anchors, err := envelope.ParseAnchors(vectors.Anchors())
	require.NoError(t, err)
	all := loadVectors(t)
	random := rand.New(rand.NewPCG(7, 8))
	for _, legacy := range []bool{false, true} {
		var now time.Time
		verifier := func() *envelope.Verifier {
			v, err := envelope.NewVerifier(anchors, &envelope.VerifierOptions{AllowLegacy: legacy, Now: func() time.Time { return now }})
			require.NoError(t, err)
			return v
		}
		warm := verifier()
		for range 2 {
			random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			for _, v := range all {
				for _, now = range []time.Time{v.Now, v.Signed.AddDate(-1, 0, 0), v.Signed.AddDate(20, 0, 0)} {
					wantFacts, wantCode := verdict(t, v.Message, verifier())
					facts, code := verdict(t, v.Message, warm)
					require.Equal(t, wantCode, code, "%s at %v", v.Name, now)
					require.Equal(t, wantFacts, facts, "%s at %v", v.Name, now)
				}
			}
		}
	}
}

// Time and revocation are checked again for each message of a signer.
func TestKnownSignerExpiresAndIsRevoked(t *testing.T) {
	a := newAuthority(t)
	now, raw := time.Now(), a.deliveryOf("")
	clock, list := now, a.crl(now.Add(time.Hour), nil)
	v := a.verifier(&envelope.VerifierOptions{
		Now: func() time.Time { return clock },
		Revocation: func(ctx context.Context, leaf *x509.Certificate, at time.Time) ([]*x509.RevocationList, error) {
			return source(nil, list)(ctx, leaf, at)
		},
	})
	require.Empty(t, accepted(t, raw, v).Warnings)
	clock = now.AddDate(3, 0, 0)
	require.Equal(t, []envelope.Warning{envelope.WarningExpiredNow}, accepted(t, raw, v).Warnings)
	clock = now.Add(-time.Hour)
	require.Equal(t, envelope.CodeFuture, refusal(t, raw, v), "signed in the future")
	clock = now
	list = a.crl(now.Add(time.Hour), nil, now.Add(-time.Hour))
	require.Equal(t, envelope.CodeRevoked, refusal(t, raw, v))
}

// A forged certificate with the names and number of a known one is refused.
func TestCertificateLikeAKnownOneIsNotKnown(t *testing.T) {
	a, forger := newAuthority(t), newAuthority(t)
	v := a.verifier(nil)
	accepted(t, a.deliveryOf(""), v)
	// Another CA of the same name certifies another key with the same name and number.
	forger.leaf = forger.issue(&x509.Certificate{
		SerialNumber: a.leaf.SerialNumber, Subject: a.leaf.Subject, NotBefore: a.leaf.NotBefore, NotAfter: a.leaf.NotAfter,
		KeyUsage: a.leaf.KeyUsage, ExtKeyUsage: a.leaf.ExtKeyUsage, EmailAddresses: a.leaf.EmailAddresses,
		SubjectKeyId: a.leaf.SubjectKeyId,
	}, forger.cert, &forger.leafKey.PublicKey)
	require.Equal(t, a.leaf.RawIssuer, forger.leaf.RawIssuer)
	for range 2 {
		require.Equal(t, envelope.CodeUntrusted, refusal(t, forger.deliveryOf(""), v))
		accepted(t, a.deliveryOf(""), v)
	}
}

// Verdicts stay the same when there are more signers than the verifier remembers.
func TestManySigners(t *testing.T) {
	a := newAuthority(t)
	v := a.verifier(nil)
	template := *a.leaf
	for serial := range int64(150) {
		template.SerialNumber = big.NewInt(1000 + serial)
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
		if serial%3 == 0 {
			template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}
		a.leaf = a.issue(&template, a.cert, &a.leafKey.PublicKey)
		raw := a.deliveryOf("")
		for range 2 {
			if serial%3 == 0 {
				require.Equal(t, envelope.CodeWrongUsage, refusal(t, raw, v))
				continue
			}
			accepted(t, raw, v)
		}
	}
}

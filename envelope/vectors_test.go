package envelope_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/vectors"
	"github.com/gopec/gopec/receipt"
)

// Each vector is one scenario with its expected verdict. The program that made the
// vectors shares no code with this package.
func TestVectors(t *testing.T) {
	for _, v := range loadVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			m, err := envelope.Open(t.Context(), bytes.NewReader(v.Message), vectorVerifier(t, v))
			if v.Grade == vectors.Invalid {
				require.Nil(t, m, "accepted: %s", v.Comment)
				ve, ok := errors.AsType[*envelope.VerifyError](err)
				require.True(t, ok, "%v", err)
				require.EqualValues(t, v.Code, ve.Code, "%s: %v", v.Comment, ve.Err)
				require.Equal(t, v.Kind, ve.Findings.Kind.String(), v.Comment)
				return
			}
			require.NoError(t, err, v.Comment)
			defer m.Close()
			require.Equal(t, v.Kind, m.Kind.String(), v.Comment)
			warnings := []string{}
			for _, w := range m.Warnings {
				warnings = append(warnings, string(w))
			}
			require.ElementsMatch(t, v.Warnings, warnings, v.Comment)
			facts := factsOf(t, m)
			for name, want := range v.Fields {
				got, known := facts[name]
				require.True(t, known, "the vector states the unknown fact %q", name)
				require.Equal(t, want, got, name)
			}
		})
	}
}

// factsOf returns what a message says, under the names that the vectors use.
func factsOf(t *testing.T, m *envelope.Message) map[string]string {
	t.Helper()
	facts := map[string]string{"from": m.From, "original": originalDigest(t, m)}
	d := m.CertData
	if d == nil {
		return facts
	}
	var recipients []string
	for _, r := range d.Recipients {
		class := "ordinary"
		if r.Certified {
			class = "certified"
		}
		recipients = append(recipients, r.Address+":"+class)
	}
	failure := d.Failure()
	maps.Copy(facts, map[string]string{
		"sender": d.Sender, "replyTo": d.ReplyTo, "subject": d.Subject, "provider": d.Provider,
		"certID": d.CertID, "messageID": d.MessageID, "recipient": d.Recipient,
		"recipients": strings.Join(recipients, " "), "takenCharge": strings.Join(d.TakenInCharge, " "),
		"errorToken": d.ErrorToken, "detail": d.ErrorText, "code": failure.Code, "cause": string(failure.Cause),
		"time": d.Time.Format(time.RFC3339), "unknownToken": "", "requested": english(d.Receipt), "content": "",
	})
	if m.Kind == envelope.KindUnknown {
		facts["unknownToken"] = d.Token
	}
	if m.Kind == envelope.KindDelivery {
		n, err := receipt.New(m)
		require.NoError(t, err)
		facts["content"] = string(n.(*receipt.Delivery).Detail)
	}
	return facts
}

func english(token string) string {
	switch strings.ToLower(token) {
	case "completa":
		return "full"
	case "breve":
		return "brief"
	case "sintetica":
		return "concise"
	default:
		return token
	}
}

// originalDigest returns the SHA-256 of the original in CRLF form; "" without one.
func originalDigest(t *testing.T, m *envelope.Message) string {
	t.Helper()
	r, err := m.Original()
	if err != nil {
		require.ErrorIs(t, err, envelope.ErrNoOriginal)
		return ""
	}
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	b = bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	return fmt.Sprintf("%x", sha256.Sum256(b))
}

package inbound_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/inbound"
	"github.com/gopec/gopec/pec/pectest"
)

// bounceOf reads the bounce in an anomaly around an original, whose lines end in LF.
func bounceOf(t *testing.T, n *pectest.Network, original string) (*inbound.Bounce, error) {
	t.Helper()
	return open(t, n, pectest.KindAnomaly, crlf(original)).Bounce()
}

func TestBounce(t *testing.T) {
	n := pectest.Start(t, nil)
	want := &inbound.Bounce{
		Recipients: []inbound.BouncedRecipient{{
			Original: "info@example.org", Final: "nessuno@example.org", Code: "5.1.1",
			Diagnostic: "550 5.1.1 <nessuno@example.org>: User    unknown",
		}},
		CertID: "P1@alfa-pec.example", MessageID: "m1@alfa-pec.example",
	}
	headers := strings.Replace(report, "message/rfc822", "text/rfc822-headers", 1)
	for name, original := range map[string]string{"the message returned": report, "its header returned": headers} {
		got, err := bounceOf(t, n, original)
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
	_, err := open(t, n, pectest.KindTransport, crlf(report)).Bounce()
	require.ErrorIs(t, err, inbound.ErrNotBounce, "a PEC is never a bounce")
}

func TestErrNoBounce(t *testing.T) {
	n := pectest.Start(t, nil)
	status := report[strings.Index(report, "--r\nContent-Description"):strings.Index(report, "--r\nContent-Type: message/rfc822")]
	require.NotEmpty(t, status)
	for name, change := range map[string][2]string{
		"delayed only":                    {"Action: failed", "Action: delayed"},
		"failed is part of a word":        {"Action: failed", "Action: not-failed"},
		"success called failed":           {"Status: 5.1.1", "Status: 2.1.5"},
		"no action":                       {"Action: failed\n", ""},
		"two actions":                     {"Action: failed", "Action: failed\nAction: delivered"},
		"two recipients in a group":       {"Final-Recipient: rfc822; nessuno", "Final-Recipient: rfc822; altro@example.org\nFinal-Recipient: rfc822; nessuno"},
		"two reports":                     {status, status + status},
		"not a report":                    {"multipart/report", "multipart/mixed"},
		"no boundary":                     {`boundary="r"`, ""},
		"no delivery status":              {"message/delivery-status", "text/plain"},
		"a report in base64 that is none": {"Content-Description: Delivery report", "Content-Transfer-Encoding: base64"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(report, change[0], change[1], 1)
			require.NotEqual(t, report, changed)
			_, err := bounceOf(t, n, changed)
			require.ErrorIs(t, err, inbound.ErrNotBounce)
		})
	}
	// The attack: somebody sends a message with a report inside, and hopes that it is read
	// where the message is forwarded, wrapped or returned.
	wrapped := "Content-Type: message/rfc822\n\n" + report
	for name, original := range map[string]string{
		"a report in a message":          "From: a@example.org\n" + wrapped,
		"a report attached":              "From: a@example.org\nContent-Type: multipart/mixed; boundary=m\n\n--m\n" + wrapped + "\n--m--\n",
		"a multipart report attached":    "From: a@example.org\nContent-Type: multipart/mixed; boundary=m\n\n--m\n" + report + "\n--m--\n",
		"a report returned in a report":  "Content-Type: multipart/report; boundary=m\n\n--m\n\nx\n--m\n" + wrapped + "\n--m--\n",
		"a report in a part of a report": "Content-Type: multipart/report; boundary=m\n\n--m\n\nx\n--m\n" + report + "\n--m--\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := bounceOf(t, n, original)
			require.ErrorIs(t, err, inbound.ErrNotBounce)
		})
	}
}

// Ambiguous and hostile values are left out.
func TestBounceReadsOnlyWhatIsClear(t *testing.T) {
	n := pectest.Start(t, nil)
	for name, c := range map[string]struct {
		from, to string
		check    func(t *testing.T, b *inbound.Bounce)
	}{
		"two Message-IDs": {"Message-ID: <P1@", "Message-ID: <P0@alfa-pec.example>\nMessage-ID: <P1@", func(t *testing.T, b *inbound.Bounce) {
			require.Empty(t, b.CertID)
			require.Equal(t, "m1@alfa-pec.example", b.MessageID)
		}},
		"no returned message": {"Content-Type: message/rfc822", "Content-Type: text/plain", func(t *testing.T, b *inbound.Bounce) {
			require.Empty(t, b.CertID+b.MessageID)
		}},
		"an endless header returned": {"Return-Path: <mario@alfa-pec.example>", strings.Repeat("X-A: "+strings.Repeat("x", 70)+"\n", 20_000), func(t *testing.T, b *inbound.Bounce) {
			require.Empty(t, b.CertID+b.MessageID)
		}},
		"an address that is none": {"rfc822;info@example.org", "rfc822; Info, <info@example.org>", func(t *testing.T, b *inbound.Bounce) {
			require.Empty(t, b.Recipients[0].Original)
			require.Equal(t, "nessuno@example.org", b.Recipients[0].Final)
		}},
		"an address of another kind": {"rfc822; nessuno@example.org", "x400; nessuno@example.org", func(t *testing.T, b *inbound.Bounce) {
			require.Empty(t, b.Recipients[0].Final)
			require.Equal(t, "info@example.org", b.Recipients[0].Original)
		}},
		"brackets and comments": {"rfc822; nessuno@example.org\n", "rfc822; <nessuno@example.org>\n", func(t *testing.T, b *inbound.Bounce) {
			require.Equal(t, "nessuno@example.org", b.Recipients[0].Final)
		}},
		"eight bits": {"550 5.1.1", "550 5.1.1 citt\xe0", func(t *testing.T, b *inbound.Bounce) {
			require.Contains(t, b.Recipients[0].Diagnostic, "città")
		}},
		"a status with words": {"Status: 5.1.1", "Status: 5.1.1 (bad destination)", func(t *testing.T, b *inbound.Bounce) {
			require.Equal(t, "5.1.1", b.Recipients[0].Code)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(report, c.from, c.to, 1)
			require.NotEqual(t, report, changed)
			b, err := bounceOf(t, n, changed)
			require.NoError(t, err)
			c.check(t, b)
		})
	}
	var groups strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&groups, "Final-Recipient: rfc822; r%d@e.it\nAction: failed\n\n", i)
	}
	b, err := bounceOf(t, n, strings.Replace(report, "Reporting-MTA: dns; mx.example.org\n", groups.String(), 1))
	require.NoError(t, err)
	require.Len(t, b.Recipients, 1000)
}

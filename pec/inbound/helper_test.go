package inbound_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec/inbound"
	"github.com/gopec/gopec/pec/pectest"
)

// The mailbox that receives, and the one that sends.
const (
	me    = "mario@alfa-pec.example"
	luigi = "luigi@beta-pec.example"
)

// arrived is the time of arrival that open passes on.
var arrived = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// prove emits a genuine message and opens it.
func prove(t testing.TB, n *pectest.Network, notice pectest.Notice) *envelope.Message {
	t.Helper()
	raw, err := n.Providers()[1].Emit(notice)
	require.NoError(t, err)
	m, err := envelope.Open(context.Background(), bytes.NewReader(raw), trusttest.Verifier(t, n, nil))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

// open opens an envelope of the given kind around an original.
func open(t testing.TB, n *pectest.Network, kind, original string) *inbound.Message {
	t.Helper()
	in, err := inbound.Open(prove(t, n, pectest.Notice{
		Kind: kind, Sender: luigi, Subject: "Certificato", MessageID: "<m9@beta-pec.example>", CertID: "p9@beta-pec.example",
		Recipients: []pectest.Recipient{{Address: me}}, Original: []byte(original),
	}), arrived)
	require.NoError(t, err)
	return in
}

// attachments returns all attachments of a message.
func attachments(t testing.TB, in *inbound.Message) []inbound.Attachment {
	t.Helper()
	var all []inbound.Attachment
	for a, err := range in.Attachments() {
		require.NoError(t, err)
		all = append(all, a)
	}
	return all
}

// contentOf reads an attachment, and checks its Size.
func contentOf(t testing.TB, a inbound.Attachment) string {
	t.Helper()
	b, err := io.ReadAll(a.Open())
	require.NoError(t, err)
	require.Len(t, b, int(a.Size))
	return string(b)
}

// crlf gives text the line ends of mail.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// sound asserts what holds for every inbound message, whatever is in it.
func sound(t testing.TB, in *inbound.Message) {
	t.Helper()
	for _, body := range []func() (string, error){in.Text, in.HTML} {
		text, err := body()
		require.True(t, utf8.ValidString(text))
		if err != nil {
			_, ok := errors.AsType[*inbound.Defect](err)
			require.True(t, ok, "%v", err)
		}
	}
	h := in.Header
	for _, s := range append(append([]string{h.Subject, h.MessageID}, h.InReplyTo...), h.References...) {
		require.True(t, utf8.ValidString(s), "%q", s)
	}
	for _, a := range attachments(t, in) {
		require.True(t, utf8.ValidString(a.Name))
		require.NotEmpty(t, a.SafeName)
		require.LessOrEqual(t, len(a.SafeName), 255)
		require.True(t, filepath.IsLocal(a.SafeName), "%q", a.SafeName)
		require.Equal(t, a.SafeName, filepath.Base(a.SafeName))
		size, err := io.Copy(io.Discard, a.Open())
		require.Equal(t, a.Size, size)
		if a.Defect == nil {
			require.NoError(t, err)
		}
	}
	b, err := in.Bounce()
	if err != nil {
		require.ErrorIs(t, err, inbound.ErrNotBounce)
		return
	}
	require.Equal(t, envelope.KindAnomaly, in.Kind)
	require.NotEmpty(t, b.Recipients)
}

// reply is an original with text, HTML, and attachments of several kinds; its lines end in LF.
const reply = `From: =?iso-8859-1?q?Luigi_Verd=EC?= <luigi@beta-pec.example>
To: Mario <mario@alfa-pec.example>, ufficio@alfa-pec.example
Cc: altri@alfa-pec.example
Subject: =?utf-8?q?Scritto_da_Luigi=2C_perch=C3=A9?=
Message-ID: <p9@beta-pec.example>
X-Riferimento-Message-ID: <m9@beta-pec.example>
In-Reply-To:
 <P1@alfa-pec.example>
References: <P0@alfa-pec.example>
 <P1@alfa-pec.example>
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=iso-8859-15
Content-Transfer-Encoding: quoted-printable

Perch=E9 no? 10 =A4
--a
Content-Type: text/html; charset=windows-1252
Content-Transfer-Encoding: base64

PGI+UGVyY2jpPC9iPg==
--a--
--b
Content-Type: application/byte-stream; name=x.bin
Content-Disposition: attachment; filename*=utf-8''atto%2012%2F2026.pdf
Content-Transfer-Encoding: base64

Y2lhbw==
--b
Content-Type: message/rfc822

Subject: dentro
Content-Type: multipart/mixed; boundary=c

--c

nascosto
--c--
--b
Content-Type: text/plain

In calce.
--b--
`

// report is a delivery status notification as Postfix writes it; its lines end in LF.
const report = `From: MAILER-DAEMON@example.org
Subject: Undelivered Mail Returned to Sender
Message-ID: <20261121@mx.example.org>
Content-Type: multipart/report; report-type=delivery-status;
 boundary="r"

--r
Content-Type: text/plain

I'm sorry.
--r
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
X-Postfix-Queue-ID: 4F1

Final-Recipient: rfc822; nessuno@example.org
Original-Recipient: rfc822;info@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <nessuno@example.org>: User
    unknown

Final-Recipient: RFC822; lento@example.org
Action: delayed
Status: 4.4.1

Final-Recipient: rfc822; arrivato@example.org
Action: relayed
Status: 2.0.0
--r
Content-Type: message/rfc822

Return-Path: <mario@alfa-pec.example>
Message-ID: <P1@alfa-pec.example>
X-Riferimento-Message-ID:
 <m1@alfa-pec.example>
Content-Type: multipart/signed

body
--r--
`

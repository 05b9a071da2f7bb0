package receipt_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
	"github.com/gopec/gopec/smtpclient"
)

// The mailbox that sends, and the two that receive.
const (
	me    = "mario@alfa-pec.example"
	luigi = "luigi@beta-pec.example"
	bruna = "bruna@beta-pec.example"
)

// crlf returns s with CRLF line ends.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

var when = time.Date(2026, 11, 21, 10, 20, 30, 0, time.FixedZone("", 3600))

func emit(t *testing.T, n *pectest.Network, change func(*pectest.Notice)) []byte {
	t.Helper()
	notice := pectest.Notice{
		Sender: "mario@alfa-pec.example", Subject: "Città", Time: when,
		Recipients: []pectest.Recipient{{Address: "luigi@beta-pec.example"}, {Address: "info@example.org", Type: pectest.RecipientOrdinary}},
		ReplyTo:    "ufficio@alfa-pec.example", Provider: "Alfa PEC", CertID: "p1@alfa-pec.example", MessageID: "<m1@alfa-pec.example>",
	}
	change(&notice)
	raw, err := n.Providers()[0].Emit(notice)
	require.NoError(t, err)
	return raw
}

func section(s string) *io.SectionReader {
	return io.NewSectionReader(strings.NewReader(s), 0, int64(len(s)))
}

// sentBy returns a message with attachments of every encoding, which asks for a kind of
// receipt.
func sentBy(kind string) string {
	return crlf(`From: mario@alfa-pec.example
To: luigi@beta-pec.example
Cc: bruna@beta-pec.example
Subject: Diffida
 ad adempiere
Message-ID: <m1@alfa-pec.example>
X-TipoRicevuta: ` + kind + `
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

Preambolo.
--b
Content-Type: text/plain

Si diffida.

--b
Content-Type: application/pdf; name=atto.pdf
Content-Transfer-Encoding: base64

` + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("atto "), 12)) + `
Y2lhbw==
--b
Content-Type: multipart/mixed; boundary=c

--c
Content-Disposition: attachment; filename*=utf-8''perch%C3%A9.txt
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Perch=C3=A9 no
--c
Content-Type: text/csv; name="dati.csv"

uno;due
tre;quattro
--c--
--b
Content-Type: message/rfc822

Subject: allegato

Testo allegato.
--b--
`)
}

// deliveries sends a message through a network and returns the delivery receipts, by
// recipient.
func deliveries(t *testing.T, n *pectest.Network, raw string, to ...string) map[string]*receipt.Delivery {
	t.Helper()
	account := n.Accounts()[0]
	provider := n.ProviderOf(account.Address)
	submitter, err := smtpclient.New(provider.SMTPAddr(), pec.Password(account.Login, account.Password), &smtpclient.Options{TLS: trusttest.TLS(n)})
	require.NoError(t, err)
	outcome := submitter.Submit(t.Context(), pec.Submission{From: account.Address, To: to, Size: int64(len(raw)), Body: strings.NewReader(raw)})
	require.Equal(t, pec.OutcomeSubmitted, outcome.Kind, outcome.Err)
	require.NoError(t, n.Idle(t.Context()))
	all, err := provider.Messages(account.Address, pectest.InboxFolder)
	require.NoError(t, err)
	found := map[string]*receipt.Delivery{}
	for _, m := range all {
		if d, ok := openNotice(t, n, m).(*receipt.Delivery); ok {
			found[d.Recipient] = d
		}
	}
	return found
}

func openNotice(t testing.TB, n *pectest.Network, raw []byte) receipt.Notice {
	t.Helper()
	notice, err := receipt.Open(context.Background(), bytes.NewReader(raw), trusttest.Verifier(t, n, nil))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, notice.Close()) })
	return notice
}

// delivery returns a genuine receipt with any original, or with none if it is "".
func delivery(t testing.TB, n *pectest.Network, kind, original string) *receipt.Delivery {
	t.Helper()
	notice := pectest.Notice{
		Kind: pectest.KindDelivery, Sender: me, MessageID: "<m1@alfa-pec.example>", Delivered: luigi,
		Recipients: []pectest.Recipient{{Address: luigi}, {Address: bruna}}, ReceiptKind: kind,
	}
	if original != "" {
		notice.Original = []byte(original)
	}
	raw, err := n.Providers()[1].Emit(notice)
	require.NoError(t, err)
	return openNotice(t, n, raw).(*receipt.Delivery)
}

func checkContent(t testing.TB, sent string, d *receipt.Delivery) receipt.Content {
	t.Helper()
	c, err := receipt.CheckContent(section(sent), d)
	require.NoError(t, err)
	if c.Result == receipt.ContentMismatch {
		require.NotEmpty(t, c.Differences)
	} else {
		require.Empty(t, c.Differences)
	}
	return c
}

// plainSent is the message that was sent, in attacks.
const plainSent = "From: mario@alfa-pec.example\r\nTo: luigi@beta-pec.example\r\nSubject: Diffida ad adempiere\r\nX-Mailer: gopec\r\n" +
	"Message-ID: <m1@alfa-pec.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nSi diffida.\r\n"

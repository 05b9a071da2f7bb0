package receipt_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

// Each kind has its own type, with what that kind certifies.
func TestKinds(t *testing.T) {
	n := pectest.Start(t, nil)
	failure := envelope.Failure{Reason: envelope.FailureOther, Cause: envelope.CauseUnknownAddress, Code: "5.1.1", Text: "5.1.1 - G - no"}
	with := func(kind, errore string) func(*pectest.Notice) {
		return func(n *pectest.Notice) {
			n.Kind, n.Error, n.ErrorText, n.Delivered = kind, errore, "5.1.1 - G - no", "luigi@beta-pec.example"
		}
	}
	cause := func(c envelope.Cause) envelope.Failure {
		f := failure
		f.Cause = c
		return f
	}
	for _, c := range []struct {
		change func(*pectest.Notice)
		kind   envelope.Kind
		want   receipt.Notice
	}{
		{with(pectest.KindAcceptance, ""), envelope.KindAcceptance, &receipt.Acceptance{}},
		{with(pectest.KindNonAcceptance, "altro"), envelope.KindNonAcceptance, &receipt.NonAcceptance{Failure: failure}},
		{func(n *pectest.Notice) {
			n.Kind, n.TakenInCharge = pectest.KindTakeInCharge, []string{"luigi@beta-pec.example"}
		},
			envelope.KindTakeInCharge, &receipt.TakeInCharge{TakenInCharge: []string{"luigi@beta-pec.example"}}},
		{with(pectest.KindDelivery, ""), envelope.KindDelivery,
			&receipt.Delivery{Recipient: "luigi@beta-pec.example", Requested: "completa", Detail: receipt.DetailConcise}},
		{with(pectest.KindNonDelivery, "altro"), envelope.KindNonDelivery, &receipt.NonDelivery{Recipient: "luigi@beta-pec.example", Failure: failure}},
		{with(pectest.KindDeliveryDelay, "altro"), envelope.KindDeliveryDelay,
			&receipt.DeliveryDelay{Recipient: "luigi@beta-pec.example", Failure: cause(envelope.CauseTimeout)}},
		{with(pectest.KindVirusDetection, "altro"), envelope.KindVirusDetection,
			&receipt.VirusDetection{Recipient: "luigi@beta-pec.example", Failure: cause(envelope.CauseVirus)}},
		{with("avvenuta-lettura", ""), envelope.KindUnknown, &receipt.Unknown{Token: "avvenuta-lettura"}},
	} {
		t.Run(c.kind.String(), func(t *testing.T) {
			got := openNotice(t, n, emit(t, n, c.change))
			require.Equal(t, c.kind, got.Kind())
			require.Equal(t, c.kind, c.want.Kind())
			data := got.Data()
			require.Equal(t, "m1@alfa-pec.example", data.MessageID)
			require.Equal(t, "p1@alfa-pec.example", data.CertID)
			require.Equal(t, "mario@alfa-pec.example", data.Sender)
			require.Equal(t, "ufficio@alfa-pec.example", data.ReplyTo)
			require.Equal(t, "Città", data.Subject)
			require.Equal(t, "Alfa PEC", data.Provider)
			require.Equal(t, when.Format(time.RFC3339), data.Time.Format(time.RFC3339))
			require.Len(t, data.Recipients, 2)
			require.True(t, data.Recipients[0].Certified)
			require.False(t, data.Recipients[1].Certified)
			// Fill in the common part, then compare the rest.
			reflect.ValueOf(c.want).Elem().FieldByName("Certified").Set(reflect.ValueOf(*data))
			require.Equal(t, c.want, got)
		})
	}
}

func TestEnvelopesAreNoNotices(t *testing.T) {
	n := pectest.Start(t, nil)
	raw := emit(t, n, func(n *pectest.Notice) { n.Kind, n.Original = pectest.KindTransport, []byte("Subject: x\r\n\r\nx\r\n") })
	notice, err := receipt.Open(t.Context(), bytes.NewReader(raw), trusttest.Verifier(t, n, nil))
	require.Nil(t, notice)
	ke, ok := errors.AsType[*receipt.KindError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, envelope.KindTransport, ke.Kind)
}

func TestWhatIsNotProvenIsNoNotice(t *testing.T) {
	n, other := pectest.Start(t, nil), pectest.Start(t, nil)
	raw := emit(t, n, func(n *pectest.Notice) { n.Kind, n.Delivered = pectest.KindDelivery, "luigi@beta-pec.example" })
	notice, err := receipt.Open(t.Context(), bytes.NewReader(raw), trusttest.Verifier(t, other, nil))
	require.Nil(t, notice)
	ve, ok := errors.AsType[*envelope.VerifyError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, envelope.CodeUntrusted, ve.Code)
	require.Equal(t, "luigi@beta-pec.example", ve.Findings.CertData.Recipient)
}

func TestDetailIsToldByContent(t *testing.T) {
	n := pectest.Start(t, nil)
	whole := "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntesto\r\n" +
		"--b\r\nContent-Type: text/plain; name=\"a.pdf\"\r\n\r\nPDF\r\n--b--\r\n"
	hashed := "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntesto\r\n" +
		"--b\r\nContent-Type: text/plain; name=\"a.pdf.hash\"\r\n\r\n" +
		"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709\r\n--b--\r\n"
	for name, c := range map[string]struct {
		requested, original string
		want                receipt.Detail
	}{
		"full":                                  {pectest.ReceiptFull, whole, receipt.DetailFull},
		"full asked, concise given":             {pectest.ReceiptFull, "", receipt.DetailConcise},
		"brief":                                 {pectest.ReceiptBrief, hashed, receipt.DetailBrief},
		"brief asked, nothing to replace":       {pectest.ReceiptBrief, "Subject: x\r\n\r\ntesto\r\n", receipt.DetailFull},
		"brief asked, concise given":            {pectest.ReceiptBrief, "", receipt.DetailConcise},
		"concise":                               {pectest.ReceiptConcise, "", receipt.DetailConcise},
		"full asked, an attachment like a hash": {pectest.ReceiptFull, hashed, receipt.DetailFull},
	} {
		t.Run(name, func(t *testing.T) {
			d := openNotice(t, n, emit(t, n, func(n *pectest.Notice) {
				n.Kind, n.Delivered, n.ReceiptKind = pectest.KindDelivery, "luigi@beta-pec.example", c.requested
				if c.original != "" {
					n.Original = []byte(c.original)
				}
			})).(*receipt.Delivery)
			require.Equal(t, c.want, d.Detail)
			require.Equal(t, c.requested, d.Requested)
			r, err := d.Original()
			if c.original == "" {
				require.ErrorIs(t, err, envelope.ErrNoOriginal)
				return
			}
			require.NoError(t, err)
			got, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Equal(t, c.original, string(got))
		})
	}
}

func TestOnlyAProvenMessageIsANotice(t *testing.T) {
	n, other := pectest.Start(t, nil), pectest.Start(t, nil)
	raw := emit(t, n, func(n *pectest.Notice) { n.Kind, n.Delivered = pectest.KindDelivery, "luigi@beta-pec.example" })
	_, err := envelope.Open(t.Context(), bytes.NewReader(raw), trusttest.Verifier(t, other, nil))
	ve, ok := errors.AsType[*envelope.VerifyError](err)
	require.True(t, ok)
	for _, m := range []*envelope.Message{nil, {}, {Findings: ve.Findings}} {
		notice, err := receipt.New(m)
		require.Nil(t, notice)
		require.ErrorIs(t, err, receipt.ErrNotProven)
		_, err = receipt.NewReport("x", m, nil)
		require.ErrorIs(t, err, receipt.ErrNotProven)
	}
	require.NoError(t, new(receipt.Acceptance).Close())
}

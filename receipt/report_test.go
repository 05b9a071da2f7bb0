package receipt_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

func report(t *testing.T, n *pectest.Network, raw []byte) (receipt.Report, string) {
	t.Helper()
	m, err := envelope.Open(t.Context(), bytes.NewReader(raw), trusttest.Verifier(t, n, nil))
	if err == nil {
		t.Cleanup(func() { m.Close() })
	}
	r, err := receipt.NewReport("a.eml", m, err)
	require.NoError(t, err)
	b, err := json.Marshal(r)
	require.NoError(t, err)
	return r, string(b)
}

// Programs rely on the names and their order.
func TestReportInJSON(t *testing.T) {
	n := pectest.Start(t, nil)
	raw := emit(t, n, func(n *pectest.Notice) {
		n.Kind, n.Error, n.ErrorText, n.Delivered = pectest.KindNonDelivery, "no-dest", "5.1.1 - G - no", "luigi@beta-pec.example"
		n.Header = []pectest.Field{{Name: "Message-ID", Value: "<r1@alfa-pec.example>"}}
	})
	r, got := report(t, n, raw)
	want := `{"schema":"https://github.com/gopec/gopec/report/v1","file":"a.eml","kind":"non-delivery","verified":true,"failure":"",` +
		`"warnings":["time-skew"],"messageID":"m1@alfa-pec.example","certID":"p1@alfa-pec.example","ownMessageID":"r1@alfa-pec.example",` +
		`"sender":"mario@alfa-pec.example","subject":"Città","recipient":"luigi@beta-pec.example",` +
		`"recipients":[{"address":"luigi@beta-pec.example","certified":true},{"address":"info@example.org","certified":false}],"tookCharge":[],` +
		`"reason":"no-recipient","cause":"unknown-address","code":"5.1.1","errorText":"5.1.1 - G - no","detail":"",` +
		`"time":"2026-11-21T10:20:30+01:00","signingTime":"` + r.SigningTime + `","provider":"Alfa PEC",` +
		`"signer":"posta-certificata@alfa-pec.example","anchor":"` + n.SigningCA().Subject.CommonName + `",` +
		`"revocation":"unchecked","content":"unchecked","sha256":"` + r.SHA256 + `"}`
	// The certified time is fixed, so there is a warning unless the test runs at that time.
	require.Equal(t, strings.Replace(want, `["time-skew"]`, warnings(r), 1), got)
	require.Regexp(t, `^[0-9a-f]{64}$`, r.SHA256)
	require.Regexp(t, `^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$`, r.SigningTime)
}

func warnings(r receipt.Report) string {
	if len(r.Warnings) == 0 {
		return "[]"
	}
	return `["time-skew"]`
}

func TestReportOfWhatIsNotVerified(t *testing.T) {
	n := pectest.Start(t, nil)
	r, got := report(t, n, []byte("X-Ricevuta: avvenuta-consegna\r\nMessage-ID: <x@y>\r\n\r\n"))
	require.False(t, r.Verified)
	require.Equal(t, "delivery", r.Kind)
	require.Equal(t, envelope.CodeUnsigned, r.Failure)
	require.Equal(t, "x@y", r.OwnMessageID)
	require.Contains(t, got, `"warnings":[],"messageID":""`)
	require.Contains(t, got, `"recipients":[],"tookCharge":[]`)
	require.Contains(t, got, `"reason":"","cause":"","code":"","errorText":"","detail":"","time":"","signingTime":"","provider":""`)
	require.Contains(t, got, `"sha256":""`)

	r, _ = report(t, n, []byte("Subject: ciao\r\n\r\nciao\r\n"))
	require.Equal(t, "none", r.Kind)
	require.False(t, r.Verified)
}

func TestReportOfADeliveryAndOfAnEnvelope(t *testing.T) {
	n := pectest.Start(t, nil)
	original := []byte("Subject: x\r\n\r\nx\r\n")
	r, _ := report(t, n, emit(t, n, func(n *pectest.Notice) {
		n.Kind, n.Delivered, n.Original = pectest.KindDelivery, "luigi@beta-pec.example", original
	}))
	require.Equal(t, receipt.DetailFull, r.Detail)
	require.Equal(t, envelope.FailureNone, r.Reason)
	r, _ = report(t, n, emit(t, n, func(n *pectest.Notice) { n.Kind, n.Original = pectest.KindTransport, original }))
	require.Equal(t, "transport", r.Kind)
	require.True(t, r.Verified)
	require.Empty(t, r.Detail)
	r, _ = report(t, n, emit(t, n, func(n *pectest.Notice) { n.Kind, n.TakenInCharge = pectest.KindTakeInCharge, []string{"a@b.example"} }))
	require.Equal(t, []string{"a@b.example"}, r.TakenInCharge)
}

func TestAReadingErrorIsNoVerdict(t *testing.T) {
	_, err := receipt.NewReport("a.eml", nil, io.ErrUnexpectedEOF)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

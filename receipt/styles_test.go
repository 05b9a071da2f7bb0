package receipt_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

func styled(t *testing.T, n *pectest.Network, style pectest.Style) []byte {
	t.Helper()
	return emit(t, n, func(n *pectest.Notice) {
		n.Kind, n.Delivered, n.Style = pectest.KindDelivery, "luigi@beta-pec.example", &style
		n.Original = []byte("Subject: x\r\n\r\nx\r\n")
		n.Time = when
	})
}

// Receipts say the same in every style in which providers write and sign them.
func TestProvidersOfEveryStyleAreRead(t *testing.T) {
	n := pectest.Start(t, &pectest.Options{NameConstraints: true, Start: when})
	v := trusttest.Verifier(t, n, &envelope.VerifierOptions{Now: n.Now})
	base := []pectest.Style{
		{}, {ShortType: true}, {OriginalFirst: true}, {HTML: true}, {OddHeaderCase: true}, {ExtraPart: true},
		{MicAlg: "md5"}, {OwnWording: true}, {FoldIDs: true}, {Malformed: pectest.MalformedLF},
	}
	for i, style := range base {
		for variant := range 8 {
			style.SHA1, style.BER = variant&1 != 0, variant&2 != 0
			if variant&4 != 0 {
				style.Engine = pectest.EngineInfoCert
			}
			t.Run(fmt.Sprintf("%d-%d", i, variant), func(t *testing.T) {
				notice, err := receipt.Open(t.Context(), bytes.NewReader(styled(t, n, style)), v)
				require.NoError(t, err)
				defer notice.Close()
				d := notice.(*receipt.Delivery)
				require.Equal(t, "luigi@beta-pec.example", d.Recipient)
				require.Equal(t, "Città", d.Subject)
				require.Equal(t, "m1@alfa-pec.example", d.MessageID)
				require.Equal(t, receipt.DetailFull, d.Detail)
				var want []envelope.Warning
				if style.ExtraPart {
					want = append(want, envelope.WarningFurtherParts)
				}
				if style.BER {
					want = append(want, envelope.WarningBER)
				}
				if style.Malformed == pectest.MalformedLF {
					want = append(want, envelope.WarningLFStorage)
				}
				if style.SHA1 {
					want = append(want, envelope.WarningSHA1Digest)
				}
				require.Equal(t, want, d.Evidence().Warnings)
			})
		}
	}
}

func TestWhatProvidersGetWrongIsRefused(t *testing.T) {
	n := pectest.Start(t, &pectest.Options{Start: when})
	v := trusttest.Verifier(t, n, &envelope.VerifierOptions{Now: n.Now})
	for style, want := range map[pectest.Style]envelope.Code{
		{Malformed: pectest.MalformedChanged}:          envelope.CodeDigestMismatch,
		{Malformed: pectest.MalformedRewrapped}:        envelope.CodeDigestMismatch,
		{Malformed: pectest.MalformedTruncated}:        envelope.CodeBadCMS,
		{Malformed: pectest.MalformedUnsigned}:         envelope.CodeUnsigned,
		{Malformed: pectest.MalformedNoData}:           envelope.CodeNoCertData,
		{Malformed: pectest.MalformedTwoData}:          envelope.CodeNoCertData,
		{Malformed: pectest.MalformedData}:             envelope.CodeBadCertData,
		{Malformed: pectest.MalformedKind}:             envelope.CodeHeaderMismatch,
		{Malformed: pectest.MalformedReference}:        envelope.CodeHeaderMismatch,
		{Certificate: pectest.CertificateExpired}:      envelope.CodeExpired,
		{Certificate: pectest.CertificateOtherAddress}: envelope.CodeAddressMismatch,
		{Certificate: pectest.CertificateForeignCA}:    envelope.CodeUntrusted,
	} {
		t.Run(string(want), func(t *testing.T) {
			notice, err := receipt.Open(t.Context(), bytes.NewReader(styled(t, n, style)), v)
			require.Nil(t, notice)
			ve, ok := errors.AsType[*envelope.VerifyError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, want, ve.Code, ve.Err)
		})
	}
}

// The text of each kind begins with its title in every style. These messages have their
// parts in an unusual order and further parts, so only the title proves them.
func TestTextsOfEveryStyleBeginWithTheirTitle(t *testing.T) {
	n := pectest.Start(t, &pectest.Options{Start: when})
	v := trusttest.Verifier(t, n, &envelope.VerifierOptions{Now: n.Now})
	original := []byte("Subject: x\r\n\r\nx\r\n")
	for name, notice := range map[string]pectest.Notice{
		"acceptance":           {Kind: pectest.KindAcceptance},
		"non-acceptance":       {Kind: pectest.KindNonAcceptance, Error: "altro", ErrorText: "no"},
		"non-acceptance virus": {Kind: pectest.KindNonAcceptance, Error: "virus", ErrorText: "EICAR"},
		"take-in-charge":       {Kind: pectest.KindTakeInCharge, TakenInCharge: []string{"luigi@beta-pec.example"}},
		"delivery full":        {Kind: pectest.KindDelivery, Original: original},
		"delivery brief":       {Kind: pectest.KindDelivery, ReceiptKind: pectest.ReceiptBrief, Original: original},
		"delivery concise":     {Kind: pectest.KindDelivery},
		"non-delivery":         {Kind: pectest.KindNonDelivery, Error: "no-dest", ErrorText: "5.1.1"},
		"non-delivery virus":   {Kind: pectest.KindNonDelivery, Error: "virus", ErrorText: "EICAR"},
		"delay":                {Kind: pectest.KindDeliveryDelay, Error: "altro", ErrorText: "5.4.1"},
		"virus":                {Kind: pectest.KindVirusDetection, Error: "virus", ErrorText: "EICAR"},
		"transport":            {Kind: pectest.KindTransport, Original: original},
		"anomaly":              {Kind: pectest.KindAnomaly, Original: original, ErrorText: "firma non attendibile"},
	} {
		for variant := range 16 {
			style := pectest.Style{OriginalFirst: true, ExtraPart: true, HTML: variant&1 != 0, OwnWording: variant&2 != 0}
			if variant&4 != 0 {
				style.Engine = pectest.EngineInfoCert
			}
			if variant&8 != 0 {
				style.Malformed = pectest.MalformedLF
			}
			t.Run(fmt.Sprintf("%s-%d", name, variant), func(t *testing.T) {
				raw := emit(t, n, func(n *pectest.Notice) {
					n.Kind, n.Error, n.ErrorText, n.TakenInCharge = notice.Kind, notice.Error, notice.ErrorText, notice.TakenInCharge
					n.ReceiptKind, n.Original, n.Style, n.Delivered = notice.ReceiptKind, notice.Original, &style, "luigi@beta-pec.example"
				})
				m, err := envelope.Open(t.Context(), bytes.NewReader(raw), v)
				require.NoError(t, err)
				require.NoError(t, m.Close())
			})
		}
	}
}

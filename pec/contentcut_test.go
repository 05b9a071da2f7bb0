package pec_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

// A sender who guessed the boundary of a delivery receipt ends the original early: what
// follows is a part of its own, and what remains must not pass for all that was sent.
func TestAnOriginalThatMayHaveBeenCutIsNoMatch(t *testing.T) {
	n := pectest.Start(t, nil)
	for _, kind := range []string{"completa", "breve"} {
		for _, first := range []bool{false, true} {
			sent := strings.Replace(sentBy(kind), "Content-Type: multipart/mixed; boundary=b\r\n", "", 1)
			raw, err := n.Providers()[1].Emit(pectest.Notice{
				Kind: pectest.KindDelivery, Sender: me, MessageID: "<m1@alfa-pec.example>", Delivered: luigi,
				Recipients: []pectest.Recipient{{Address: luigi}}, ReceiptKind: kind, Original: []byte(sent),
				Style: &pectest.Style{ExtraPart: true, OriginalFirst: first},
			})
			require.NoError(t, err)
			d := openNotice(t, n, bytes.NewReader(raw)).(*receipt.Delivery)
			require.Equal(t, []envelope.Warning{envelope.WarningFurtherParts}, d.Evidence().Warnings)
			require.Equal(t, pec.ContentUnchecked, checkContent(t, sent, d).Result, kind)
			require.Equal(t, pec.ContentMismatch, checkContent(t, strings.Replace(sent, "Si diffida", "Si loda", 1), d).Result, kind)
			require.Equal(t, pec.ContentMatch, checkContent(t, sent, delivery(t, n, kind, sent)).Result, kind)
		}
	}
}

// A recipient whose program shows the beginning alone is told that there may be more.
func TestAnInboundThatMayHaveBeenCutIsTold(t *testing.T) {
	n := pectest.Start(t, nil)
	for extra, reasons := range map[bool][]pec.DefectReason{true: {pec.DefectCut}, false: nil} {
		in, err := pec.NewInbound(prove(t, n, pectest.Notice{
			Kind: pectest.KindTransport, Sender: luigi, Recipients: []pectest.Recipient{{Address: me}}, Original: []byte(crlf(reply)),
			Style: &pectest.Style{ExtraPart: extra},
		}), arrived)
		require.NoError(t, err)
		var got []pec.DefectReason
		for _, d := range in.Defects {
			require.Equal(t, "original", d.Where)
			require.Error(t, d.Err)
			got = append(got, d.Reason)
		}
		require.Equal(t, reasons, got)
		text, err := in.Text()
		require.NoError(t, err)
		require.NotEmpty(t, text)
	}
}

package receipt_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
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
			require.Equal(t, receipt.ContentUnchecked, checkContent(t, sent, d).Result, kind)
			require.Equal(t, receipt.ContentMismatch, checkContent(t, strings.Replace(sent, "Si diffida", "Si loda", 1), d).Result, kind)
			require.Equal(t, receipt.ContentMatch, checkContent(t, sent, delivery(t, n, kind, sent)).Result, kind)
		}
	}
}

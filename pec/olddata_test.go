package pec_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
)

// A store of an earlier version has the message of a bounce once for each recipient, of
// certified ones too. It opens and folds the same.
func TestBouncesOfAnEarlierVersion(t *testing.T) {
	store := pec.NewMemory()
	ledger, err := pec.NewLedger(me, store, nil)
	require.NoError(t, err)
	facts := append(submitted(luigi, info), acceptance(),
		pec.BounceFact{Digest: envelope.Digest{7}, Recipient: luigi, Code: "5.1.1", At: sentAt},
		pec.BounceFact{Digest: envelope.Digest{7}, Recipient: info, Code: "5.1.2", At: sentAt},
		pec.BounceFact{Digest: envelope.Digest{8}, Recipient: info, Code: "5.1.3", At: sentAt.Add(time.Hour)})
	for _, f := range facts {
		entry, err := pec.NewEntryForTest(ourID, f)
		require.NoError(t, err)
		if b, ok := f.(pec.BounceFact); ok {
			raw := []byte("message for " + b.Recipient)
			entry.Raw = io.NewSectionReader(bytes.NewReader(raw), 0, int64(len(raw)))
		}
		added, err := store.Append(t.Context(), me, entry)
		require.NoError(t, err)
		require.True(t, added)
	}
	s, err := ledger.Status(t.Context(), ourID)
	require.NoError(t, err)
	require.Equal(t, pec.StateAccepted, state(t, s, luigi))
	require.Equal(t, pec.StateBounced, state(t, s, info))
	r, _ := s.Recipient(info)
	require.Equal(t, "5.1.2", r.Failure.Code)
	for _, f := range facts[len(facts)-3:] {
		body, err := ledger.Raw(t.Context(), ourID, f)
		require.NoError(t, err)
		kept, err := io.ReadAll(body)
		require.NoError(t, err)
		require.Equal(t, "message for "+f.(pec.BounceFact).Recipient, string(kept))
	}
}

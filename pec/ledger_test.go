package pec_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
)

func TestNewLedgerRefusesABadAddressAndAMissingStore(t *testing.T) {
	for _, bad := range []string{"", "me", "Me <me@pec.example>", " me@pec.example", "me@pec.example\r\n"} {
		_, err := pec.NewLedger(bad, pec.NewMemory(), nil)
		var refused *pec.AddressError
		require.ErrorAs(t, err, &refused, "%q", bad)
		require.Equal(t, bad, refused.Address)
	}
	_, err := pec.NewLedger("me@pec.example", nil, nil)
	require.Error(t, err)
	_, err = pec.NewLedger("me@pec.example", pec.NewMemory(), &pec.LedgerOptions{Now: time.Now})
	require.NoError(t, err)
}

// A message that does not exist is not a failure of the Store: the call need not be
// repeated.
func TestRawReportsNotFoundWithoutAStoreError(t *testing.T) {
	ledger, err := pec.NewLedger("me@pec.example", pec.NewMemory(), nil)
	require.NoError(t, err)
	_, err = ledger.Raw(t.Context(), "1@pec.example", pec.Intent{MessageID: "1@pec.example"})
	require.ErrorIs(t, err, pec.ErrNotFound)
	var failed *pec.StoreError
	require.NotErrorAs(t, err, &failed)
}

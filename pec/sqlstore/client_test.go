package sqlstore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/pec/sqlstore"
)

// The memory of a Client does not grow with the number of notices it has read. GOPEC_SCALE
// sets that number.
func TestClientMemoryStaysFlat(t *testing.T) {
	count := 4000
	if scale := os.Getenv("GOPEC_SCALE"); scale != "" {
		var err error
		count, err = strconv.Atoi(scale)
		require.NoError(t, err)
	}
	network := pectest.Start(t, nil)
	s := &stream{}
	for i := range 500 {
		raw, err := network.Providers()[1].Emit(pectest.Notice{
			Kind: pectest.KindDelivery, Sender: "mario@alfa-pec.example", MessageID: fmt.Sprintf("<m%d@x>", i), Delivered: "luigi@beta-pec.example",
			Recipients: []pectest.Recipient{{Address: "luigi@beta-pec.example"}},
		})
		require.NoError(t, err)
		s.notices = append(s.notices, raw)
	}
	store, err := sqlstore.OpenSQLite(t.Context(), openFile(t, filepath.Join(t.TempDir(), "pec.db"), pragmas))
	require.NoError(t, err)
	client, err := pec.New("mario@alfa-pec.example", s, s, trusttest.Verifier(t, network, nil), &pec.Options{Store: store})
	require.NoError(t, err)
	read := func(upTo int) uint64 {
		s.count = upTo
		for e, err := range client.Sync(t.Context()) {
			require.NoError(t, err)
			require.NotEmpty(t, e.MessageID)
		}
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := read(count / 4)
	after := read(count)
	t.Logf("after %d notices %d KiB, after %d notices %d KiB", count/4, before>>10, count, after>>10)
	require.Less(t, after, before+2<<20)
}

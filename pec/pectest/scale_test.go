package pectest_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

func TestMemoryStaysFlat(t *testing.T) {
	// Messages that pass through limited mailboxes leave nothing in memory. GOPEC_SCALE sets a
	// larger number of messages than an ordinary test should wait for, such as 10000.
	count := 300
	if s := os.Getenv("GOPEC_SCALE"); s != "" {
		var err error
		count, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	options := pair(pectest.ProviderOptions{})
	for i := range options.Providers {
		for j := range options.Providers[i].Accounts {
			options.Providers[i].Accounts[j].Keep = 20
		}
	}
	n := pectest.Start(t, options)
	// The service mailbox would grow up to its own limit.
	defer n.Route(only(pectest.KindTakeInCharge))()
	padding := strings.Repeat(strings.Repeat("x", 98)+"\r\n", 100)
	c := loginSMTP(t, n, mario)
	send := func(count int) uint64 {
		for i := range count {
			require.NoError(t, c.Mail(mario, nil))
			require.NoError(t, c.Rcpt(luigi, nil))
			w, err := c.Data()
			require.NoError(t, err)
			_, err = fmt.Fprintf(w, "%s%s", plain(fmt.Sprintf("<%d@x>", i), mario, luigi), padding)
			require.NoError(t, err)
			require.NoError(t, w.Close())
			if i%100 == 99 {
				idle(t, n) // or the queue grows, for signing takes longer than submitting
			}
		}
		idle(t, n)
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := send(60)
	after := send(count)
	// One message and its three notices take 50 KB, so 300 left in memory would be 15 MB.
	require.Less(t, int64(after)-int64(before), int64(3<<20), "%d messages: %d bytes, then %d", count, before, after)
	require.Len(t, notices(t, n, mario), 20)
	require.Len(t, notices(t, n, luigi), 20)
}

package sqlstore_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
)

// BenchmarkGrowth looks up the facts of one send among 10,000 sends, and then among
// GOPEC_SCALE sends (100,000 if it is not set). The floor is the look-up of a row by its
// primary key. "x-ours" and "x-theirs" are by how much each got slower, and "x-floor" is
// the quotient of the two.
func BenchmarkGrowth(b *testing.B) {
	const few, lookups = 10_000, 5_000
	many := 100_000
	if scale := os.Getenv("GOPEC_SCALE"); scale != "" {
		var err error
		many, err = strconv.Atoi(scale)
		require.NoError(b, err)
	}
	for _, backend := range backends {
		b.Run(fmt.Sprintf("%s/%d", backend.name, many), func(b *testing.B) {
			store, db := backend.open(b)
			bare, err := db.Prepare("SELECT data FROM pec_entries WHERE id = " + backend.place + "1")
			require.NoError(b, err)
			defer bare.Close()
			measure := func(sends int) (ours, theirs float64) {
				for range lookups {
					i := rand.IntN(sends)
					start := time.Now()
					entries, err := store.Entries(b.Context(), box, fmt.Sprintf("%d@x", i))
					ours += time.Since(start).Seconds()
					require.NoError(b, err)
					require.Len(b, entries, 1)
					start = time.Now()
					var data sql.RawBytes
					rows, err := bare.Query(i + 1)
					require.NoError(b, err)
					require.True(b, rows.Next())
					require.NoError(b, rows.Scan(&data))
					require.NoError(b, rows.Close())
					theirs += time.Since(start).Seconds()
				}
				return ours, theirs
			}
			fill := func(from, to int) {
				for i := from; i < to; i += 1000 {
					var batch []pec.Entry
					for j := i; j < min(i+1000, to); j++ {
						batch = append(batch, fact(fmt.Sprintf("intent %d", j), fmt.Sprintf("%d@x", j)))
					}
					mustAppend(b, store, batch...)
				}
			}
			fill(0, few)
			measure(few) // warm
			ours, theirs := measure(few)
			fill(few, many)
			measure(many)
			var oursThen, theirsThen float64
			for b.Loop() {
				oursThen, theirsThen = measure(many)
			}
			b.ReportMetric(oursThen/lookups*1e9, "ns/op")
			b.ReportMetric(oursThen/ours, "x-ours")
			b.ReportMetric(theirsThen/theirs, "x-theirs")
			b.ReportMetric((oursThen/ours)/(theirsThen/theirs), "x-floor")
		})
	}
}

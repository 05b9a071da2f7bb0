// Package floor reports, in benchmarks, what work costs as a multiple of the least
// that it can cost.
package floor

import (
	"slices"
	"testing"
	"time"
)

// Compare runs floor and work in turns, so that what slows the machine slows both,
// and reports the medians: the time of work, what of that floor takes as floor-ns/op,
// and the quotient as x-floor. Bytes and allocations are those of work alone; bytes
// are all that it allocates, so that it never holds more.
func Compare(b *testing.B, floor, work func()) {
	b.Helper()
	var floors, works []time.Duration
	for b.Loop() {
		start := time.Now()
		floor()
		middle := time.Now()
		work()
		floors, works = append(floors, middle.Sub(start)), append(works, time.Since(middle))
	}
	least, took := median(floors), median(works)
	b.ReportMetric(float64(took), "ns/op")
	b.ReportMetric(float64(least), "floor-ns/op")
	b.ReportMetric(float64(took)/float64(least), "x-floor")
	allocations(b, work)
	b.ReportAllocs()
}

// Report is for work that cannot be run as often as Compare does: it reports what n
// runs of floor and of work took together.
func Report(b *testing.B, n int, floor, work time.Duration) {
	b.Helper()
	b.ReportMetric(float64(work)/float64(n), "ns/op")
	b.ReportMetric(float64(floor)/float64(n), "floor-ns/op")
	b.ReportMetric(float64(work)/float64(floor), "x-floor")
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

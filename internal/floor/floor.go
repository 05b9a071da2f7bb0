// Package floor reports, in benchmarks, the time of some work as a multiple of its floor:
// the least time that the work could take.
package floor

import (
	"slices"
	"testing"
	"time"
)

// Compare runs floor and work in turns, so that a slow machine slows both. It reports
// the median times: that of work as ns/op, that of floor as floor-ns/op, and the
// quotient as x-floor. Bytes and allocations are those of work only. Bytes are all that
// work allocates, so it never holds more than that.
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

// Report is for work that cannot run as often as Compare needs. floor and work are the
// total times of n runs each.
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

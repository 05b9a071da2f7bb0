package floor

import (
	"runtime"
	"testing"
)

// allocations reports the bytes and allocations of f, the mean of a few runs.
func allocations(b *testing.B, f func()) {
	const runs = 5
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/runs, "allocs/op")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/runs, "B/op")
}

// Package growth tests that the work of a call grows no faster than its input.
//
// Work is counted, not timed: the bytes and the allocations of the program, and what a
// case counts itself, such as statements or bytes read. A scan that allocates nothing
// shows in none of these. For such a call, the processor time of this process is
// compared too, with a wider margin.
package growth

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// Case is a call whose work must grow in proportion to n.
type Case struct {
	Name string
	// N is the smaller input. The larger one is four times as large.
	N int
	// Prepare makes an input of size n. Its own work does not count.
	Prepare func(tb testing.TB, n int) Call
	// CPU also compares processor times, for calls that may scan without allocating. N
	// must then be large enough for the call to take milliseconds.
	CPU bool
}

// Call does the work. It returns what it counted itself, 0 if it counts nothing.
type Call func() int64

const (
	factor = 4
	most   = 6 // how many times the work, for factor times the input
	// mostCPU is higher than most, because processor time is noisy.
	mostCPU = 8
	// A run may always take this much more: for the first use of a table, or a buffer that
	// has just doubled.
	slackBytes, slackAllocations = 256 << 10, 500
	rounds                       = 3 // at most; the least work counts
)

// Run runs the cases, each as a subtest.
func Run(t *testing.T, cases []Case) {
	t.Helper()
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			small := measure(t, c, c.N)
			for range rounds - 1 {
				small = small.least(measure(t, c, c.N))
			}
			large := measure(t, c, factor*c.N)
			for range rounds - 1 {
				if excess(c, small, large) == nil {
					break
				}
				large = large.least(measure(t, c, factor*c.N))
			}
			t.Logf("n = %d: %+v; n = %d: %+v", c.N, small, factor*c.N, large)
			for _, e := range excess(c, small, large) {
				t.Error(e)
			}
		})
	}
}

// work is the work of one run.
type work struct {
	bytes, allocations, counted int64
	cpu                         time.Duration
}

// least returns the smaller of each kind of work: other goroutines of this process may
// add to it.
func (w work) least(o work) work {
	return work{min(w.bytes, o.bytes), min(w.allocations, o.allocations), min(w.counted, o.counted), min(w.cpu, o.cpu)}
}

func measure(t *testing.T, c Case, n int) work {
	t.Helper()
	call := c.Prepare(t, n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begun := processorTime(t)
	counted := call()
	w := work{cpu: processorTime(t) - begun, counted: counted}
	runtime.ReadMemStats(&after)
	w.bytes = int64(after.TotalAlloc - before.TotalAlloc)
	w.allocations = int64(after.Mallocs - before.Mallocs)
	return w
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// excess returns a message for each kind of work that grew too much.
func excess(c Case, small, large work) (messages []string) {
	compare := func(what string, small, large, most, slack int64) {
		if large > most*small+slack {
			messages = append(messages, fmt.Sprintf("%s: %d for n, %d for %d n: more than %d times as much", what, small, large, factor, most))
		}
	}
	compare("bytes", small.bytes, large.bytes, most, slackBytes)
	compare("allocations", small.allocations, large.allocations, most, slackAllocations)
	compare("counted", small.counted, large.counted, most, 0)
	if c.CPU {
		compare("processor time", int64(small.cpu), int64(large.cpu), mostCPU, int64(20*time.Millisecond))
	}
	return messages
}

package sqlstore_test

import (
	"crypto/sha256"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
)

// gauge measures the memory of the process while bytes pass through it.
type gauge struct {
	t     *testing.T
	start int64
	most  int64
}

// resident returns the memory of the process. It includes what drivers allocate outside
// the Go heap.
func resident(t *testing.T) int64 {
	t.Helper()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("this system has no /proc/self/statm, which reports the memory of a process")
	}
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	require.NoError(t, err)
	return pages * int64(os.Getpagesize())
}

func newGauge(t *testing.T) *gauge {
	runtime.GC()
	start := resident(t)
	return &gauge{t: t, start: start, most: start}
}

func (g *gauge) look() { g.most = max(g.most, resident(g.t)) }

// ReadAt generates the bytes that it returns.
func (g *gauge) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		p[i] = byte((off + int64(i)) >> 10)
	}
	g.look()
	return len(p), nil
}

func (g *gauge) Write(p []byte) (int, error) {
	g.look()
	return len(p), nil
}

// A message of 100 MiB is written and read in less than 32 MiB of memory.
func TestMemoryOfLargeRaw(t *testing.T) {
	const size = 100 << 20
	for name, store := range map[string]pec.Store{"sqlite": inFile(t)(), "postgres": onServer(t)()} {
		t.Run(name, func(t *testing.T) {
			mustAppend(t, store, rawFact("warm up", make([]byte, 4<<20)))
			g := newGauge(t)
			e := fact("large", "a@x")
			e.Raw = io.NewSectionReader(g, 0, size)
			mustAppend(t, store, e)
			written := g.most - g.start

			g = newGauge(t)
			r, err := store.Raw(t.Context(), box, "large")
			require.NoError(t, err)
			defer r.Close()
			digest := sha256.New()
			n, err := io.Copy(io.MultiWriter(digest, g), r)
			require.NoError(t, err)
			require.EqualValues(t, size, n)
			read := g.most - g.start
			t.Logf("writing took %d KiB more, reading %d KiB", written>>10, read>>10)
			require.Less(t, written, int64(32<<20))
			require.Less(t, read, int64(32<<20))
		})
	}
}

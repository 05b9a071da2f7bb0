package growth_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/growth"
)

var sink string

// quadratic are calls that grow too fast. Each must be found by the kind of work that
// names it.
var quadratic = map[string]growth.Case{
	"bytes": {N: 2000, Prepare: func(_ testing.TB, n int) growth.Call {
		return func() int64 {
			sink = ""
			for range n {
				sink += "0123456789"
			}
			return 0
		}
	}},
	"counted": {N: 100, Prepare: func(_ testing.TB, n int) growth.Call {
		return func() int64 { return int64(n) * int64(n) }
	}},
	"processor time": {N: 3000, CPU: true, Prepare: func(_ testing.TB, n int) growth.Call {
		text := strings.Repeat("a", 4*n) + "b"
		return func() (found int64) {
			for i := range 4 * n {
				if text[i:][strings.IndexByte(text[i:], 'a')] == 'a' && strings.LastIndexByte(text[:i], 'b') < 0 {
					found++
				}
			}
			return min(found, 1)
		}
	}},
}

// The package must be able to fail a test. Each case runs in a process of its own.
func TestQuadraticWorkIsFound(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for name := range quadratic {
		cmd := exec.Command(self, "-test.run=^TestQuadratic$")
		cmd.Env = append(os.Environ(), "GROWTH_CASE="+name)
		out, err := cmd.CombinedOutput()
		require.Error(t, err, "%s\n%s", name, out)
		require.Contains(t, string(out), name+": ")
	}
}

// TestQuadratic runs one case in the process that TestQuadraticWorkIsFound starts.
func TestQuadratic(t *testing.T) {
	if c, ok := quadratic[os.Getenv("GROWTH_CASE")]; ok {
		growth.Run(t, []growth.Case{c})
	}
}

package testenv_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
)

const many = 200

// Two processes that reserve ports at the same time never reserve the same one, and the
// system gives none of them to a listener on port 0.
func TestPortsOfProcessesDiffer(t *testing.T) {
	if os.Getenv("GOPEC_PORTS") != "" {
		for range many {
			fmt.Println("port", testenv.Port(t))
		}
		// Hold the ports until the parent has its own.
		_, _ = os.Stdin.Read(make([]byte, 1))
		return
	}
	taken := map[string]bool{}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPortsOfProcessesDiffer$")
	child.Env = append(os.Environ(), "GOPEC_PORTS=1")
	hold, err := child.StdinPipe()
	require.NoError(t, err)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	for range many {
		var port string
		_, err := fmt.Fscanf(out, "port %s\n", &port)
		require.NoError(t, err)
		taken[port] = true
	}
	for range many {
		taken[fmt.Sprint(testenv.Port(t))] = true
	}
	assert.Len(t, taken, 2*many)
	for range many {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close()
		_, port, _ := strings.Cut(listener.Addr().String(), ":")
		require.False(t, taken[port])
	}
	require.NoError(t, hold.Close())
	require.NoError(t, child.Wait())
}

package testenv

import (
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	lowestPort = 10000
	// ephemeral is the first port that systems commonly choose by themselves.
	ephemeral = 32768
)

// claims holds the listeners of Port: the garbage collector would close them.
var claims struct {
	sync.Mutex
	listeners []net.Listener
}

// Port returns a loopback port for a server, and reserves it until the process ends. The
// tests of several packages run at the same time, in processes that do not know each
// other. A port that is free now may be taken when the server starts. So the port is
// below those that the system gives to connections and to listeners on port 0, and the
// odd port after it is kept open to mark it as taken.
func Port(t testing.TB) int {
	t.Helper()
	pairs := (firstEphemeral() - lowestPort) / 2
	start := rand.IntN(pairs)
	for i := range pairs {
		port := lowestPort + 2*((start+i)%pairs)
		claim, err := listen(port + 1)
		if err != nil {
			continue
		}
		server, err := listen(port)
		if err != nil {
			claim.Close()
			continue
		}
		server.Close()
		claims.Lock()
		claims.listeners = append(claims.listeners, claim)
		claims.Unlock()
		return port
	}
	t.Fatal("no port is free")
	return 0
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

// firstEphemeral returns the lowest port that the system chooses by itself.
func firstEphemeral() int {
	data, _ := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if low, _, ok := strings.Cut(string(data), "\t"); ok {
		if n, err := strconv.Atoi(low); err == nil && n > lowestPort+1000 {
			return n
		}
	}
	return ephemeral
}

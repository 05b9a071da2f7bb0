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
	// ephemeral is where a system commonly begins to choose ports by itself.
	ephemeral = 32768
)

// claims holds the listeners of Port, which would close if they were collected.
var claims struct {
	sync.Mutex
	listeners []net.Listener
}

// Port returns a port of loopback for a server, and reserves it until the process ends.
// Packages are tested at the same time, by processes that know nothing of each other: a
// port that is only free right now may be another's when the server starts. So the port
// is below those that the system gives to connections and to listeners on port 0, and
// the odd port after it is kept open as the sign that it is taken.
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

// firstEphemeral is the lowest port that Linux gives out by itself.
func firstEphemeral() int {
	data, _ := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if low, _, ok := strings.Cut(string(data), "\t"); ok {
		if n, err := strconv.Atoi(low); err == nil && n > lowestPort+1000 {
			return n
		}
	}
	return ephemeral
}

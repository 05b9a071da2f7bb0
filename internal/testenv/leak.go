package testenv

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// ours are the packages whose goroutines must be gone when a test ends.
var ours = []string{
	"github.com/gopec/gopec/smtpclient.",
	"github.com/gopec/gopec/imapclient.",
	"github.com/gopec/gopec/internal/netguard.",
	"github.com/emersion/go-imap/v2/imapclient.",
	"github.com/emersion/go-smtp.(*Client)",
}

// NoLeak fails the test if goroutines of the clients outlive it. Call it before
// anything else that registers a cleanup.
func NoLeak(t testing.TB) {
	t.Helper()
	t.Cleanup(func() {
		if stacks := Leaked(); len(stacks) > 0 {
			t.Errorf("%d goroutines left:\n%s", len(stacks), strings.Join(stacks, "\n\n"))
		}
	})
}

// Leaked returns the stacks of goroutines in the clients' code, except those of running
// tests. It waits up to two seconds for goroutines that are ending.
func Leaked() []string {
	deadline := time.After(2 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		stacks := running()
		if len(stacks) == 0 {
			return nil
		}
		select {
		case <-deadline:
			return stacks
		case <-tick.C:
		}
	}
}

func running() (stacks []string) {
	buf := make([]byte, 4<<20)
	buf = buf[:runtime.Stack(buf, true)]
	for _, stack := range strings.Split(string(buf), "\n\n") {
		if strings.Contains(stack, "testing.tRunner") || strings.Contains(stack, "testing.(*") {
			continue
		}
		for _, name := range ours {
			if strings.Contains(stack, name) && !strings.Contains(stack, "internal/testenv.") && !strings.Contains(stack, "_test.go") {
				stacks = append(stacks, stack)
				break
			}
		}
	}
	return stacks
}

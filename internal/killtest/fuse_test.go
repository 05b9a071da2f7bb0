package killtest

import (
	"os"
	"sync"
	"syscall"
)

// fuse kills the process when a step is taken for the n-th time.
type fuse struct {
	step string // "" for never
	n    int

	mu    sync.Mutex
	taken map[string]int
}

func newFuse(step string, n int) *fuse { return &fuse{step: step, n: n, taken: map[string]int{}} }

// at is called at each step. It always returns nil.
func (f *fuse) at(step string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken[step]++
	if step == f.step && f.taken[step] == f.n {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return nil
}

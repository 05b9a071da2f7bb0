package pectest

import (
	"context"
	"sync"
)

// queue runs jobs one at a time and in order, on one goroutine. It has no size limit,
// because a server must never wait for the processing of earlier mail.
type queue struct {
	mu      sync.Mutex
	more    *sync.Cond
	jobs    []func()
	last    []func()      // run when jobs is empty
	pending int           // reserved, waiting or running
	quiet   chan struct{} // closed while pending is zero
	closed  bool
	done    chan struct{}
}

func newQueue() *queue {
	q := &queue{quiet: make(chan struct{}), done: make(chan struct{})}
	close(q.quiet)
	q.more = sync.NewCond(&q.mu)
	go q.run()
	return q
}

// reserve announces a job, so that idle waits for it, and returns the function that hands
// it in. That function must be called exactly once; a nil job cancels the reservation.
func (q *queue) reserve() func(job func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.pending == 0 {
		q.quiet = make(chan struct{})
	}
	q.pending++
	return func(job func()) {
		q.mu.Lock()
		defer q.mu.Unlock()
		if job == nil {
			q.finish()
			return
		}
		q.jobs = append(q.jobs, job)
		q.more.Signal()
	}
}

// add hands in a job.
func (q *queue) add(job func()) { q.reserve()(job) }

// addLast hands in a job that runs when no other job is left.
func (q *queue) addLast(job func()) {
	q.reserve()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last = append(q.last, job)
	q.more.Signal()
}

// finish counts one job as done; mu is held.
func (q *queue) finish() {
	q.pending--
	if q.pending == 0 {
		close(q.quiet)
	}
}

func (q *queue) run() {
	defer close(q.done)
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for len(q.jobs) == 0 && len(q.last) == 0 {
			if q.closed {
				return
			}
			q.more.Wait()
		}
		from := &q.jobs
		if len(*from) == 0 {
			from = &q.last
		}
		job := (*from)[0]
		(*from)[0] = nil
		*from = (*from)[1:]
		q.mu.Unlock()
		job()
		q.mu.Lock()
		q.finish()
	}
}

func (q *queue) idle(ctx context.Context) error {
	q.mu.Lock()
	quiet := q.quiet
	q.mu.Unlock()
	select {
	case <-quiet:
		return nil
	default:
	}
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close runs the queued jobs, and the jobs that those queue, and ends the goroutine.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.more.Signal()
	q.mu.Unlock()
	<-q.done
}

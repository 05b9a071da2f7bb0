package pectest

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// clock is the time of a network: legal Italian time, which runs with the machine's clock
// and jumps forward on request. Its jobs run on the queue.
type clock struct {
	queue    *queue
	location *time.Location
	speed    time.Duration // seconds of this clock per second of the machine's

	advancing sync.Mutex // one jump at a time

	mu     sync.Mutex
	real   time.Time // a moment on the machine's clock
	legal  time.Time // the same moment on this one
	events events
	count  int
	timer  *time.Timer // set for the first event
	closed bool
}

// event is a job that waits for its time.
type event struct {
	at    time.Time
	order int // among events at the same time
	index int // in the heap; -1 when it is not there
	job   func()
}

func newClock(q *queue, location *time.Location, start time.Time, speed int) *clock {
	now := time.Now()
	if start.IsZero() {
		start = now
	}
	return &clock{queue: q, location: location, speed: time.Duration(max(1, speed)), real: now, legal: start}
}

// now returns the time with the precision of the certification data, one second.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read().In(c.location).Truncate(time.Second)
}

func (c *clock) read() time.Time { return c.legal.Add(time.Since(c.real) * c.speed) }

// at runs a job on the queue at time t.
func (c *clock) at(t time.Time, job func()) *event {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	e := &event{at: t, order: c.count, job: job}
	heap.Push(&c.events, e)
	c.arm()
	return e
}

func (c *clock) cancel(e *event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.index >= 0 {
		heap.Remove(&c.events, e.index)
		c.arm()
	}
}

// arm sets the timer for the first event; mu is held.
func (c *clock) arm() {
	if c.timer != nil {
		c.timer.Stop()
	}
	if len(c.events) > 0 && !c.closed {
		wait := max(0, c.events[0].at.Sub(c.read())/c.speed)
		c.timer = time.AfterFunc(wait, c.ring)
	}
}

func (c *clock) ring() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closed && len(c.events) > 0 && !c.events[0].at.After(c.read()) {
		c.queue.add(heap.Pop(&c.events).(*event).job)
	}
	c.arm()
}

// advance moves the clock forward. Each event on the way happens at its own time
// and is processed before the next.
func (c *clock) advance(d time.Duration) {
	c.advancing.Lock()
	defer c.advancing.Unlock()
	c.settle()
	c.mu.Lock()
	target := c.read().Add(d)
	for !c.closed && len(c.events) > 0 && !c.events[0].at.After(target) {
		e := heap.Pop(&c.events).(*event)
		c.jump(e.at)
		c.queue.add(e.job)
		c.mu.Unlock()
		c.settle()
		c.mu.Lock()
	}
	c.jump(target)
	c.arm()
	c.mu.Unlock()
}

// settle waits for the queue. It cannot fail, because the context never ends.
func (c *clock) settle() { _ = c.queue.idle(context.Background()) }

// jump moves the clock forward to t, never back; mu is held.
func (c *clock) jump(t time.Time) {
	if now := c.read(); t.After(now) {
		c.real, c.legal = c.real.Add(time.Since(c.real)), t
	}
}

func (c *clock) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.timer != nil {
		c.timer.Stop()
	}
}

// events is a heap ordered by time.
type events []*event

func (h events) Len() int { return len(h) }
func (h events) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].order < h[j].order
}
func (h events) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *events) Push(x any) {
	e := x.(*event)
	e.index = len(*h)
	*h = append(*h, e)
}
func (h *events) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	e.index = -1
	return e
}

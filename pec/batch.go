package pec

import (
	"context"
	"errors"
	"io"
	"runtime"

	"github.com/gopec/gopec/internal/spool"
)

const (
	batchItems = 64      // messages judged side by side and recorded in one go
	batchBytes = 8 << 20 // and about as many bytes: more are on disk anyway
)

// batch is the messages of a folder that were read and not dealt with yet. They are
// verified side by side, and what they prove is recorded in one go: a database waits
// for its disk once.
type batch struct {
	reading *reading
	turns   chan struct{}
	items   []*pending
	bytes   int64
}

// pending is one of them.
type pending struct {
	item  Item
	raw   *spool.Spool // nil when the header said that it is not PEC
	event *Event       // nil for ordinary mail
	err   error
	done  chan struct{}
}

func newBatch(r *reading) *batch {
	return &batch{reading: r, turns: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// add reads a message to its end and begins to verify it.
func (b *batch) add(ctx context.Context, item Item) error {
	p := &pending{item: item, done: make(chan struct{})}
	if item.Body == nil {
		close(p.done)
		b.items = append(b.items, p)
		return nil
	}
	source := &watchedReader{Reader: item.Body}
	raw, err := spool.Open(ctx, source)
	if err != nil && source.err != nil && ctx.Err() == nil {
		return &brokenError{at: item.Cursor, err: err}
	}
	if err != nil {
		return err
	}
	p.raw = raw
	b.items, b.bytes = append(b.items, p), b.bytes+raw.Size()
	b.turns <- struct{}{}
	go func() {
		defer close(p.done)
		p.event, p.err = b.reading.client.prove(ctx, io.NewSectionReader(raw, 0, raw.Size()), item)
		<-b.turns
	}()
	return nil
}

// brokenError is a message that broke off while it was read.
type brokenError struct {
	at  Cursor
	err error
}

func (e *brokenError) Error() string { return e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

func (b *batch) full() bool { return len(b.items) >= batchItems || b.bytes >= batchBytes }

// flush records what the messages prove, and hands them out in their order.
func (b *batch) flush(ctx context.Context) error {
	defer b.close()
	var notices []*Event
	for _, p := range b.items {
		<-p.done
		if p.err != nil {
			break // what lies behind comes again
		}
		if p.event != nil && p.event.notice != nil {
			notices = append(notices, p.event)
		}
	}
	r := b.reading
	if err := r.client.recordNotices(ctx, notices); err != nil {
		return err
	}
	for _, p := range b.items {
		handed, err := b.hand(ctx, p)
		if err != nil || r.left {
			return err
		}
		p.item.Cursor.ReadAt = r.cursor.ReadAt
		r.cursor = p.item.Cursor
		if r.unsaved++; handed || r.unsaved >= cursorEvery {
			if err := r.keep(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// hand yields the event of a message. It is true when the caller was handed more than
// a notice, which nobody but the caller keeps.
func (b *batch) hand(ctx context.Context, p *pending) (handed bool, err error) {
	if p.err != nil || p.event == nil {
		return false, p.err
	}
	r := b.reading
	if p.event.notice == nil {
		if err := r.client.recordOther(ctx, p.event, p.item); err != nil {
			return false, err
		}
	}
	r.left = !r.yield(*p.event, nil)
	return p.event.notice == nil, nil
}

// close releases the messages, and waits for those that are still looked at.
func (b *batch) close() {
	for _, p := range b.items {
		<-p.done
		if p.event != nil {
			p.event.close()
		}
		if p.raw != nil {
			p.raw.Close()
		}
	}
	b.items, b.bytes = nil, 0
}

// watchedReader knows whether it failed itself.
type watchedReader struct {
	io.Reader
	err error
}

func (r *watchedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

package pec

import (
	"context"
	"errors"
	"io"
	"runtime"

	"github.com/gopec/gopec/internal/spool"
)

const (
	batchItems = 64      // messages verified side by side
	batchBytes = 8 << 20 // and about as many bytes: more are on disk anyway
)

// batch is the messages of a folder that were read and not dealt with yet: they are
// verified side by side while others are read.
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
	raw, err := spool.Copy(ctx, source, item.Size)
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
		p.event, p.err = b.reading.client.verify(ctx, io.NewSectionReader(raw, 0, raw.Size()), item)
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

// flush records what the messages prove, and hands them out, one after the other.
func (b *batch) flush(ctx context.Context) error {
	defer b.close()
	r := b.reading
	for _, p := range b.items {
		<-p.done
		if p.err != nil {
			return p.err
		}
		handed := false
		if p.event != nil {
			if err := r.client.recordEvent(ctx, p.event, p.item); err != nil {
				return err
			}
			if r.left = !r.yield(*p.event, nil); r.left {
				return nil
			}
			// Only the caller keeps what is not a notice.
			handed = p.event.notice == nil
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

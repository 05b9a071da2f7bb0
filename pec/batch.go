package pec

import (
	"context"
	"errors"
	"io"
	"runtime"

	"github.com/gopec/gopec/internal/spool"
)

const (
	batchItems = 64      // the most messages in a batch
	batchBytes = 8 << 20 // a batch with so many bytes is full; large messages are on disk
)

// batch holds messages of a folder that were read and not yet dealt with. They are verified
// in parallel while others are read.
type batch struct {
	reading *reading
	turns   chan struct{}
	items   []*pending
	bytes   int64
}

// pending is one message of a batch.
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

// brokenError reports that reading a message broke off.
type brokenError struct {
	at  Cursor
	err error
}

func (e *brokenError) Error() string { return e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

func (b *batch) full() bool { return len(b.items) >= batchItems || b.bytes >= batchBytes }

// flush records what the messages prove and yields their events, one after the other.
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
			// The Store does not have what is not a notice, so the cursor is stored at once.
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

// close waits for the verifications that still run, and releases the messages.
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

// watchedReader remembers the error of its Reader.
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

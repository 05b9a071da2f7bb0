package pec

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// memory is the Store that lasts as long as the process.
type memory struct {
	mu    sync.Mutex
	boxes map[string]*memoryBox
}

// NewMemory returns an empty Store that lasts as long as the process, for tests and
// demonstrations. A restart forgets what was sent.
func NewMemory() Store { return &memory{boxes: map[string]*memoryBox{}} }

// memoryBox is one mailbox.
type memoryBox struct {
	log       []Entry
	byKey     map[string]int // indexes in log
	raw       map[string][]byte
	sends     []string         // in the order of their first entries
	bySend    map[string][]int // indexes in log
	summaries map[string]Summary
	cursors   map[string]Cursor
}

// box returns a mailbox, which it makes if need be. Call it with mu held.
func (m *memory) box(mailbox string) *memoryBox {
	b := m.boxes[mailbox]
	if b == nil {
		b = &memoryBox{
			byKey: map[string]int{}, raw: map[string][]byte{}, bySend: map[string][]int{},
			summaries: map[string]Summary{}, cursors: map[string]Cursor{},
		}
		m.boxes[mailbox] = b
	}
	return b
}

// Append implements Store.
func (m *memory) Append(ctx context.Context, mailbox string, entries ...Entry) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	raws := make([][]byte, len(entries))
	for i, e := range entries {
		if e.Raw == nil {
			continue
		}
		raws[i] = make([]byte, e.Raw.Size())
		if _, err := io.ReadFull(io.NewSectionReader(e.Raw, 0, e.Raw.Size()), raws[i]); err != nil {
			return false, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.box(mailbox)
	given := make(map[string]bool, len(entries))
	for _, e := range entries {
		if _, taken := b.byKey[e.Key]; taken || given[e.Key] {
			return false, nil
		}
		given[e.Key] = true
	}
	for i, e := range entries {
		if e.Raw != nil {
			b.raw[e.Key] = raws[i]
		}
		n := len(b.log)
		e.Raw, e.Data, e.Position = nil, bytes.Clone(e.Data), memoryPosition(n, e)
		b.log = append(b.log, e)
		b.byKey[e.Key] = n
		if _, known := b.bySend[e.Send]; !known && e.Send != "" {
			b.sends = append(b.sends, e.Send)
		}
		b.bySend[e.Send] = append(b.bySend[e.Send], n)
	}
	return true, nil
}

// Entry implements Store.
func (m *memory) Entry(ctx context.Context, mailbox, key string) (Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.box(mailbox)
	i, ok := b.byKey[key]
	if !ok {
		return Entry{}, cmp.Or(ctx.Err(), ErrNotFound)
	}
	return owned(b.log[i]), ctx.Err()
}

// owned returns a copy of e for a caller, who may change its Data.
func owned(e Entry) Entry {
	e.Data = bytes.Clone(e.Data)
	return e
}

// Entries implements Store.
func (m *memory) Entries(ctx context.Context, mailbox, send string) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.box(mailbox)
	var entries []Entry
	for _, i := range b.bySend[send] {
		entries = append(entries, owned(b.log[i]))
	}
	return entries, ctx.Err()
}

// Raw implements Store.
func (m *memory) Raw(ctx context.Context, mailbox, key string) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	raw, ok := m.box(mailbox).raw[key]
	if !ok {
		return nil, cmp.Or(ctx.Err(), ErrNotFound)
	}
	return io.NopCloser(bytes.NewReader(raw)), ctx.Err()
}

// Changes implements Store.
func (m *memory) Changes(ctx context.Context, mailbox string, after Position) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		next, known := m.indexAfter(mailbox, after)
		if !known {
			yield(Entry{}, fmt.Errorf("%w: %.100q", ErrUnknownPosition, after))
			return
		}
		for {
			m.mu.Lock()
			log := m.box(mailbox).log // entries are never changed
			m.mu.Unlock()
			if next >= len(log) {
				return
			}
			if err := ctx.Err(); err != nil {
				yield(Entry{}, err)
				return
			}
			if !yield(owned(log[next]), nil) {
				return
			}
			next++
		}
	}
}

// memoryPosition returns the Position of the entry with index n. Its hash differs from
// that of any other entry which another log has there.
func memoryPosition(n int, e Entry) Position {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %s", e.At.UnixNano(), e.Key, e.Data))
	return Position(fmt.Sprintf("%d.%x", n+1, sum[:8]))
}

// indexAfter returns the index in the log of the entry after a Position. known is false if
// that names no entry.
func (m *memory) indexAfter(mailbox string, after Position) (next int, known bool) {
	if after == "" {
		return 0, true
	}
	number, _, _ := strings.Cut(string(after), ".")
	next, err := strconv.Atoi(number)
	m.mu.Lock()
	defer m.mu.Unlock()
	log := m.box(mailbox).log
	return next, err == nil && next > 0 && next <= len(log) && log[next-1].Position == after
}

// Sends implements Store.
func (m *memory) Sends(ctx context.Context, mailbox string, q Query) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		m.mu.Lock()
		b := m.box(mailbox)
		var selected []string
		for _, send := range b.sends {
			s, ok := b.summaries[send]
			if !ok || s.Entries < len(b.bySend[send]) || q.Selects(s) {
				selected = append(selected, send)
			}
		}
		m.mu.Unlock()
		for _, send := range selected {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(send, nil) {
				return
			}
		}
	}
}

// Summarize implements Store.
func (m *memory) Summarize(ctx context.Context, mailbox, send string, s Summary) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.box(mailbox)
	if old, ok := b.summaries[send]; !ok || s.Entries > old.Entries {
		b.summaries[send] = s
	}
	return ctx.Err()
}

// Cursors implements Store.
func (m *memory) Cursors(ctx context.Context, mailbox string) ([]Cursor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.box(mailbox).cursors)), ctx.Err()
}

// SetCursor implements Store.
func (m *memory) SetCursor(ctx context.Context, mailbox string, c Cursor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.box(mailbox).cursors[c.Folder] = c
	return nil
}

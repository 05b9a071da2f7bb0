package killtest

import (
	"context"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/gopec/gopec/pec"
)

// store calls step before and after each write. The name of the step contains the kinds of
// the entries of an Append. If step returns an error, the write fails with it.
type store struct {
	pec.Store
	step func(string) error
}

// Append also calls step within the Append, when half of a Raw was read.
func (s *store) Append(ctx context.Context, mailbox string, entries ...pec.Entry) (added bool, err error) {
	var kinds []string
	within := entries[:0:0]
	for _, e := range entries {
		kind, _, _ := strings.Cut(e.Key, "@")
		kind, _, _ = strings.Cut(kind, "/")
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
		within = append(within, e)
	}
	name := strings.Join(kinds, "+")
	for i, e := range within {
		if e.Raw != nil {
			middle := &middle{ReaderAt: e.Raw, at: e.Raw.Size() / 2, reached: func() error { return s.step("within " + name) }}
			within[i].Raw = io.NewSectionReader(middle, 0, e.Raw.Size())
		}
	}
	err = s.around(name, func() (err error) {
		added, err = s.Store.Append(ctx, mailbox, within...)
		return err
	})
	return added && err == nil, err
}

func (s *store) SetCursor(ctx context.Context, mailbox string, c pec.Cursor) error {
	return s.around("cursor", func() error { return s.Store.SetCursor(ctx, mailbox, c) })
}

func (s *store) Summarize(ctx context.Context, mailbox, send string, summary pec.Summary) error {
	return s.around("summary", func() error { return s.Store.Summarize(ctx, mailbox, send, summary) })
}

func (s *store) around(name string, do func() error) error {
	if err := s.step("before " + name); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return s.step("after " + name)
}

// middle calls reached when it is read beyond its middle. By then the first half has been
// returned.
type middle struct {
	io.ReaderAt
	at      int64
	reached func() error
	once    sync.Once
}

func (m *middle) ReadAt(p []byte, off int64) (int, error) {
	if off < m.at && off+int64(len(p)) > m.at {
		n, err := m.ReaderAt.ReadAt(p[:m.at-off], off)
		if err != nil {
			return n, err
		}
		more, err := m.ReadAt(p[n:], m.at)
		return n + more, err
	}
	if off >= m.at {
		var err error
		if m.once.Do(func() { err = m.reached() }); err != nil {
			return 0, err
		}
	}
	return m.ReaderAt.ReadAt(p, off)
}

// submitter calls step as a message is handed over: before and after Submit, and when half
// and all of the body was read.
type submitter struct {
	pec.Submitter
	step func(string) error
}

func (s *submitter) Submit(ctx context.Context, m pec.Submission) pec.Outcome {
	_ = s.step("before submit")
	m.Body = &stream{Reader: m.Body, size: m.Size, name: "body", step: s.step}
	outcome := s.Submitter.Submit(ctx, m)
	_ = s.step("after submit")
	return outcome
}

// mailbox calls step for each message that is read.
type mailbox struct {
	pec.Mailbox
	step func(string) error
}

func (m *mailbox) Fetch(ctx context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	return m.stepped("item", m.Mailbox.Fetch(ctx, after))
}

func (m *mailbox) Search(ctx context.Context, folder string, messageIDs []string) iter.Seq2[pec.Item, error] {
	return m.stepped("found", m.Mailbox.Search(ctx, folder, messageIDs))
}

// stepped calls step for each of the items.
func (m *mailbox) stepped(name string, items iter.Seq2[pec.Item, error]) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		for item, err := range items {
			if err == nil {
				_ = m.step("before " + name)
			}
			if item.Body != nil {
				item.Body = &stream{Reader: item.Body, size: item.Size, name: name, step: m.step}
			}
			if !yield(item, err) {
				return
			}
			_ = m.step("after " + name)
		}
	}
}

// stream calls step once its first half has been returned, and again once all of it has.
type stream struct {
	io.Reader
	size, given int64
	calls       int // of step
	name        string
	step        func(string) error
}

func (s *stream) Read(p []byte) (int, error) {
	half := s.size / 2
	if s.given >= half && s.calls == 0 {
		s.calls++
		_ = s.step("half " + s.name)
	}
	if s.given >= s.size && s.calls == 1 {
		s.calls++
		_ = s.step("whole " + s.name)
	}
	if rest := half - s.given; rest > 0 && int64(len(p)) > rest {
		p = p[:rest]
	}
	n, err := s.Reader.Read(p)
	s.given += int64(n)
	return n, err
}

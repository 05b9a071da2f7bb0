package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/gopec/gopec/pec"
)

// fileStore is a pec.Store in one file, with one line of JSON for each call that changed
// something, in order. A line counts only with its line end, so a crash leaves whole calls.
// The Store in memory holds the content of the lines, and answers all calls that only read. Only one
// process may use the file at a time.
type fileStore struct {
	pec.Store

	mu     sync.Mutex // held while a line is written and applied to the Store in memory
	file   *os.File
	size   int64 // of the complete lines in the file
	failed error // a failed write: the end of the file is unknown until it is opened again
}

// line is one call. It is Summarize when Summary is set, SetCursor when Cursor is set, and
// otherwise Append.
type line struct {
	Mailbox string
	Entries []pec.Entry    `json:",omitempty"` // without their Raw
	Raws    map[int][]byte `json:",omitempty"` // by the index of their entry
	Send    string         `json:",omitempty"`
	Summary *pec.Summary   `json:",omitempty"`
	Cursor  *pec.Cursor    `json:",omitempty"`
}

// openFileStore opens the file, and makes it when there is none. A line that cannot be read
// is an error, because skipping it could send a message twice.
func openFileStore(path string) (*fileStore, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	s := &fileStore{Store: pec.NewMemory(), file: file}
	if err := cmp.Or(s.load(), syncFolder(filepath.Dir(path))); err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}

// load reads all lines, and cuts off what a crash left after the last line end.
func (s *fileStore) load() error {
	content, err := io.ReadAll(s.file)
	if err != nil {
		return err
	}
	s.size = int64(bytes.LastIndexByte(content, '\n') + 1)
	for text := range bytes.Lines(content[:s.size]) {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		if err := s.apply(l); err != nil {
			return err
		}
	}
	return s.file.Truncate(s.size)
}

// apply makes in the Store in memory the call that a line records. The line is in the file already, so
// no context may stop it.
func (s *fileStore) apply(l line) error {
	ctx := context.Background()
	switch {
	case l.Summary != nil:
		return s.Store.Summarize(ctx, l.Mailbox, l.Send, *l.Summary)
	case l.Cursor != nil:
		return s.Store.SetCursor(ctx, l.Mailbox, *l.Cursor)
	}
	for i, raw := range l.Raws {
		l.Entries[i].Raw = io.NewSectionReader(bytes.NewReader(raw), 0, int64(len(raw)))
	}
	_, err := s.Store.Append(ctx, l.Mailbox, l.Entries...)
	return err
}

// write writes a line to the file and applies it; mu is held.
func (s *fileStore) write(ctx context.Context, l line) error {
	if err := cmp.Or(ctx.Err(), s.failed); err != nil {
		return err
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if _, err = s.file.WriteAt(append(text, '\n'), s.size); err == nil {
		err = s.file.Sync()
	}
	if err != nil {
		s.failed = err
		return err
	}
	s.size += int64(len(text) + 1)
	return s.apply(l)
}

// Append implements pec.Store.
func (s *fileStore) Append(ctx context.Context, mailbox string, entries ...pec.Entry) (bool, error) {
	l := line{Mailbox: mailbox, Entries: append([]pec.Entry(nil), entries...), Raws: map[int][]byte{}}
	for i, e := range entries {
		if e.Raw != nil {
			l.Entries[i].Raw, l.Raws[i] = nil, make([]byte, e.Raw.Size())
			if _, err := io.ReadFull(io.NewSectionReader(e.Raw, 0, e.Raw.Size()), l.Raws[i]); err != nil {
				return false, err
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	given := map[string]bool{}
	for _, e := range entries {
		if _, err := s.Store.Entry(ctx, mailbox, e.Key); err == nil || given[e.Key] {
			return false, nil
		}
		given[e.Key] = true
	}
	err := s.write(ctx, l)
	return err == nil, err
}

// Summarize implements pec.Store.
func (s *fileStore) Summarize(ctx context.Context, mailbox, send string, summary pec.Summary) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(ctx, line{Mailbox: mailbox, Send: send, Summary: &summary})
}

// SetCursor implements pec.Store.
func (s *fileStore) SetCursor(ctx context.Context, mailbox string, c pec.Cursor) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(ctx, line{Mailbox: mailbox, Cursor: &c})
}

package spool

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// Writer collects a message of any length, to be read as a Spool. The zero value is ready
// to use. Close a Writer that is not turned into a Spool.
type Writer struct {
	head bytes.Buffer // the whole message, as long as there is no file
	out  Spool
}

// Grow reserves memory for a message of about size bytes, up to MemoryLimit.
func (w *Writer) Grow(size int64) { w.head.Grow(int(min(max(size, 0), MemoryLimit))) }

// Write appends p to the message.
func (w *Writer) Write(p []byte) (int, error) {
	if w.out.file == nil && w.head.Len()+len(p) <= MemoryLimit {
		w.out.size += int64(len(p))
		return w.head.Write(p)
	}
	if w.out.file == nil {
		if err := w.toFile(); err != nil {
			return 0, err
		}
	}
	n, err := w.out.file.Write(p)
	w.out.size += int64(n)
	if err != nil {
		return n, fmt.Errorf("spool: %w", err)
	}
	return n, nil
}

func (w *Writer) toFile() error {
	f, err := os.CreateTemp("", "pec-*.eml")
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	w.out.file = f
	// Remove the file name at once: then no copy of the message stays, however the process
	// ends. Some systems cannot remove an open file; Close does it there.
	if os.Remove(f.Name()) != nil {
		w.out.name = f.Name()
	}
	if _, err := f.Write(w.head.Bytes()); err != nil {
		return errors.Join(fmt.Errorf("spool: %w", err), w.Close())
	}
	w.head = bytes.Buffer{}
	return nil
}

// Spool returns what was written as a Spool, and leaves the Writer empty.
func (w *Writer) Spool() *Spool {
	s := w.out
	s.ReaderAt = s.file
	if s.file == nil {
		s.ReaderAt = bytes.NewReader(w.head.Bytes())
	}
	*w = Writer{}
	return &s
}

// Close discards what was written.
func (w *Writer) Close() error {
	err := w.out.Close()
	*w = Writer{}
	return err
}
